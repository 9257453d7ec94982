//! Pull-through: repositories that are those of another registry, fetched when somebody wants them and kept.
//!
//! Each upstream has a prefix; what lies below it is asked for there when it is not here. A tag is looked after again
//! when it has not been for a while; where the upstream cannot be asked, what is here is given out. What has a digest
//! never changes and is never asked for again.
//!
//! However many want the same thing, it is fetched once: each fetch is a *flight* that others join. A blob goes through
//! an upload as if a client pushed it, and clients read along as its file grows. None gets its last byte before the
//! digest has been verified, so nobody takes for complete what is not. What was fetched is in the ledger like what was
//! pushed, but manifests do not need all that they name.

mod breaker;
mod config;
mod download;
mod error;
mod figures;
mod flights;
mod growing;
mod listing;
mod manifests;
mod mirror;
mod trail;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use sampan_supervise::{Shutdown, Tasks};
use tokio::sync::Semaphore;

pub use self::config::{Upstream, Upstreams};
pub use self::error::UpstreamError;
pub(crate) use self::growing::Growing;
pub(crate) use self::mirror::{Content, Mirror};

use self::breaker::Breaker;
use self::download::Stage;
use self::figures::Figures;
use self::flights::Flights;
use self::listing::Lists;
use self::manifests::{Fetched, Freshness};
use self::trail::Trail;
use crate::client::{Client, Remote, RemoteSetupError, Settings};
use crate::registry::Registry;
use crate::storage::Buffers;
use crate::wire::name::RepositoryName;

/// How many blobs are fetched at once, all upstreams together; the next ones wait.
const DOWNLOADS: usize = 32;

/// All upstreams; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Proxy(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    registry: Registry,
    buffers: Buffers,
    upstreams: Vec<Arc<Source>>,
    /// What this server is called in trails.
    id: String,
    manifests: Flights<Fetched>,
    blobs: Flights<Stage>,
    downloads: download::Partials,
    slots: Semaphore,
}

/// An upstream that is asked.
#[derive(Debug)]
struct Source {
    config: Upstream,
    remote: Remote,
    breaker: Breaker,
    freshness: Freshness,
    lists: Lists,
    figures: Figures,
}

impl Proxy {
    /// The upstreams of a configuration, reached as `settings` say.
    ///
    /// # Errors
    /// When a password or a certificate cannot be read.
    pub(crate) fn new(
        registry: Registry,
        buffers: Buffers,
        data: &Path,
        settings: &Settings,
    ) -> Result<Self, RemoteSetupError> {
        let sources = registry.config().upstreams.iter();
        let upstreams = sources
            .map(|config| Ok(Arc::new(Source::new(config, data, settings)?)))
            .collect::<Result<_, _>>()?;
        let flights = (Tasks::new(), Shutdown::new());
        Ok(Self(Arc::new(Shared {
            registry,
            buffers,
            upstreams,
            id: uuid::Uuid::new_v4().simple().to_string(),
            manifests: Flights::new(&flights),
            blobs: Flights::new(&flights),
            downloads: download::Partials::default(),
            slots: Semaphore::new(DOWNLOADS),
        })))
    }

    /// The upstream of a repository, if it is one of those, for a request that may ask it: nothing when the upstream asks
    /// this very server by way of others.
    pub(crate) fn mirror<'call>(
        &'call self,
        repository: &'call RepositoryName,
        headers: &HeaderMap,
    ) -> Option<Mirror<'call>> {
        let (upstream, name) = self.0.registry.config().upstreams.of(repository.as_str())?;
        let mut sources = self.0.upstreams.iter();
        let source = sources.find(|source| source.config.prefix == upstream.prefix)?;
        let Some(trail) = Trail::of(headers).through(&self.0.id) else {
            tracing::warn!(
                repository = repository.as_str(),
                upstream = source.config.name(),
                "an upstream fetches from this registry what this registry fetches from it"
            );
            return None;
        };
        let name = source.config.registry.repository(name);
        let remote = source.remote.repository(&name, trail);
        Some(Mirror::new(&self.0, source, repository, remote))
    }

    /// Figures in Prometheus' text format.
    pub(crate) fn figures(&self) -> String {
        let sources = self.0.upstreams.iter();
        figures::text(sources.map(|source| (source.config.name(), &source.figures)))
    }

    /// Stops what is being fetched; what has come of blobs is fetched again later.
    pub(crate) async fn stop(&self, limit: Duration) {
        if !self.0.blobs.stop(limit).await {
            tracing::warn!("upstreams are still being fetched from");
        }
    }
}

impl Source {
    fn new(config: &Upstream, data: &Path, settings: &Settings) -> Result<Self, RemoteSetupError> {
        let client = Client::new(config.settings(data, settings));
        let remote = client.remote(&config.registry, config.credentials.as_ref(), data)?;
        Ok(Self {
            config: config.clone(),
            remote,
            breaker: Breaker::default(),
            freshness: Freshness::default(),
            lists: Lists::default(),
            figures: Figures::default(),
        })
    }
}
