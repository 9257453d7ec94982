//! The server: built from its configuration, run until the shutdown.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sampan_listen::{Listener, Settings, Tls};
use sampan_oci::store::{ContentStore, StoreError};
use sampan_store::Store;
use sampan_supervise::{Shutdown, Tasks};

use crate::auth::{Accounts, Authenticator, TokenKeyError, Tokens};
use crate::client;
use crate::collect::{Collection, Housekeeper, Orders, Pins};
use crate::config::Config;
use crate::events::{Deliverer, EventsError, Origin};
use crate::http::Api;
use crate::registry::Registry;
use crate::replication::Replicator;
use crate::storage::{Budget, Buffers, Ground, OpenError};
use crate::upstream::Proxy;

/// The most bytes of a connection that are held at once: what comes over the network is hashed and written from there.
const CONNECTION_BUFFER_BYTES: usize = 256 << 10;

/// How long the steps of pushes may take that are under way at the shutdown, such as writing a large blob to the disk.
const STEP_TIME: Duration = Duration::from_secs(30);

/// What a server is built on.
pub struct Dependencies {
    /// The data folder.
    pub data: PathBuf,
    /// Where the blobs lie.
    pub content: ContentStore,
    /// Where it is written down what they are called.
    pub store: Store,
    /// Who knows who may do what.
    pub accounts: Arc<dyn Accounts>,
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Whether clients speak TLS.
    pub tls: Tls,
    /// How other registries are reached.
    pub registries: client::Settings,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The folder of uploads cannot be made.
    #[error("cannot prepare the registry's folder")]
    Storage(#[from] StoreError),
    /// Where blobs should lie cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no key to sign tokens with.
    #[error("cannot issue tokens")]
    Tokens(#[from] TokenKeyError),
    /// An upstream or a target of replication cannot be asked.
    #[error("cannot work with another registry")]
    Remote(#[from] client::RemoteSetupError),
    /// The webhooks cannot be served.
    #[error("cannot deliver events")]
    Events(#[from] EventsError),
}

impl sampan_model::Hint for BuildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
                Some("choose another address with `--registry-listen`".to_owned())
            }
            Self::Bind { .. } => None,
            Self::Storage(error) => error.hint(),
            Self::Open(error) => error.hint(),
            Self::Tokens(error) => error.hint(),
            Self::Remote(error) => error.hint(),
            Self::Events(error) => error.hint(),
        }
    }
}

/// A registry that listens.
pub struct Server {
    listener: Listener,
    settings: Settings,
    registry: Registry,
    proxy: Proxy,
    api: Api,
    deliverer: Deliverer,
    orders: Orders,
    collect_every: Duration,
    pins: Option<Arc<dyn Pins>>,
}

/// Opens the registry and takes its address.
///
/// # Errors
/// When the address is taken, or the data folder or the bucket cannot be used.
pub async fn build(config: Config, dependencies: Dependencies) -> Result<Server, BuildError> {
    let Dependencies {
        data,
        content,
        store,
        accounts,
        address,
        tls,
        registries,
    } = dependencies;
    let config = Arc::new(config);
    let budget = Budget::new(config.limits.buffer_bytes);
    let buffers = Buffers::new(budget.clone());
    let storage = Ground {
        config: &config,
        data: &data,
        content,
        ledger: &store.registry(),
        budget: &budget,
    }
    .open()
    .await?;
    let registry = Registry::open(
        &data,
        Arc::clone(&config),
        storage,
        store.registry(),
        budget.clone(),
    )?;
    let listener = Listener::bind(address)
        .await
        .map_err(|source| BuildError::Bind { address, source })?;
    let origin = Origin {
        data: data.clone(),
        address: listener.address(),
    };
    let replicators = config
        .replication
        .iter()
        .map(|rule| Replicator::new(rule, registry.clone(), &data, &registries));
    let replicators = replicators.collect::<Result<_, _>>()?;
    let deliverer = Deliverer::new(store.registry(), &config.webhooks, &origin).await?;
    let deliverer = deliverer.replicating(replicators).await?;
    let authenticator = Authenticator::new(accounts, Tokens::load(&data)?, config.anonymous_pull);
    let (housekeeper, orders) = Housekeeper::new();
    let proxy = Proxy::new(registry.clone(), buffers, &data, &registries)?;
    let api = Api::new(
        (registry.clone(), proxy.clone()),
        Arc::clone(&config),
        authenticator,
        budget,
        housekeeper,
    );
    let mut settings = Settings::new(tls);
    settings.connections = config.limits.connections;
    settings.connections_per_peer = config.limits.connections.div_ceil(2);
    settings.buffer_bytes = CONNECTION_BUFFER_BYTES;
    Ok(Server {
        listener,
        settings,
        registry,
        proxy,
        api,
        deliverer,
        orders,
        collect_every: config.housekeeping.collect_every,
        pins: None,
    })
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Has rules of retention leave alone what these say.
    #[must_use]
    pub fn pinned_by(mut self, pins: Arc<dyn Pins>) -> Self {
        self.pins = Some(pins);
        self
    }

    /// Serves until the shutdown; returns when all requests have ended.
    pub async fn run(self, shutdown: Shutdown) {
        let tasks = Tasks::new();
        tasks.spawn("webhooks", self.deliverer.run(shutdown.clone()));
        let mut collection = Collection::new(self.registry.clone(), shutdown.clone());
        if let Some(pins) = self.pins {
            collection = collection.pinned_by(pins);
        }
        let housekeeping = self
            .orders
            .serve(collection, self.collect_every, shutdown.clone());
        tasks.spawn("registry housekeeping", housekeeping);
        self.listener.serve(self.api, self.settings, shutdown).await;
        self.proxy.stop(STEP_TIME).await;
        self.registry.settle(STEP_TIME).await;
        tasks.finish(Duration::from_secs(10)).await;
    }
}
