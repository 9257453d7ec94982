//! A collection that another process wants: by the running server, or in that process when there is none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sampan_model::Hint;
use sampan_oci::store::ContentStore;
use sampan_store::Store;
use sampan_supervise::Shutdown;

use super::{Collection, Options, Pins, Report};
use crate::auth::{TokenKeyError, Tokens};
use crate::client::{ClientError, certificates};
use crate::config::Config;
use crate::error::Error;
use crate::registry::Registry;
use crate::storage::{Budget, Ground, OpenError};

/// Why the server did not collect.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no token to show.
    #[error("cannot sign the request")]
    Tokens(#[from] TokenKeyError),
    /// There is no client to ask with.
    #[error("cannot ask the registry")]
    Client(#[source] ClientError),
    /// The server does not answer.
    #[error("the registry at `{address}` does not answer")]
    Connection {
        /// Its address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("the registry at `{address}` answered {status}: {answer}")]
    Refused {
        /// Its address.
        address: SocketAddr,
        /// The status.
        status: u16,
        /// What it said.
        answer: String,
    },
}

impl Hint for OrderError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Tokens(error) => error.hint(),
            Self::Client(error) => error.hint(),
            Self::Connection { .. } => Some("try again; what it has begun, it finishes".to_owned()),
            Self::Refused { .. } => Some("its log says more".to_owned()),
        }
    }
}

/// Why this process did not collect.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Where blobs should lie cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The collection failed.
    #[error("cannot collect")]
    Collection(#[from] Error),
}

impl Hint for CollectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Open(error) => error.hint(),
            Self::Collection(_) => None,
        }
    }
}

/// What a collection without a server works on.
pub struct Place {
    /// The data folder, in which no server runs.
    pub data: PathBuf,
    /// Where the blobs lie.
    pub content: ContentStore,
    /// Where it is written down what they are called.
    pub store: Store,
    /// What rules of retention must leave alone.
    pub pins: Arc<dyn Pins>,
}

/// Has the server at `address`, which serves the data folder, collect; returns when that is done.
///
/// # Errors
/// When the key of the data folder cannot be read, or the server does not answer as expected.
pub async fn order(
    data: &Path,
    address: SocketAddr,
    options: Options,
) -> Result<Report, OrderError> {
    let token = Tokens::load(data)?.local();
    let grace = options.grace.map(|grace| grace.as_millis());
    let grace = grace.map_or_else(String::new, |grace| format!("&grace={grace}ms"));
    let query = format!("dryRun={}{grace}", options.dry_run);
    let failed = |source| OrderError::Connection { address, source };
    let tls = certificates::no_tls(&address.to_string()).map_err(OrderError::Client)?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build();
    let response = client
        .map_err(failed)?
        .post(format!("http://{address}/api/registry/collection?{query}"))
        .bearer_auth(token.reveal())
        .send()
        .await
        .map_err(failed)?;
    let status = response.status();
    let answer = response.text().await.map_err(failed)?;
    let report = serde_json::from_str(&answer).ok();
    report
        .filter(|_| status.is_success())
        .ok_or(OrderError::Refused {
            address,
            status: status.as_u16(),
            answer,
        })
}

/// Collects in this process. The caller makes sure that no server runs and none starts.
///
/// # Errors
/// When the content or the ledger cannot be read or written.
pub async fn collect(
    config: Config,
    place: Place,
    options: Options,
) -> Result<Report, CollectError> {
    let budget = Budget::new(config.limits.buffer_bytes);
    let ledger = place.store.registry();
    let storage = Ground {
        config: &config,
        data: &place.data,
        content: place.content,
        ledger: &ledger,
        budget: &budget,
    }
    .open()
    .await?;
    let registry = Registry::open(&place.data, Arc::new(config), storage, ledger, budget)
        .map_err(Error::from)?;
    let mut collection = Collection::new(registry, Shutdown::new()).pinned_by(place.pins);
    Ok(collection.run(options).await?)
}
