//! What the engine needs from the rest of the program.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sampan_container::Runtime;
use sampan_container::network::Bridge;
use sampan_model::routing::Routing;
use sampan_oci::{ContentStore, Snapshots};
use sampan_store::Store;
use tokio::sync::watch;

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data directory of the installation.
    pub data: PathBuf,
    /// Where the API listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The name of the only node.
    pub node_name: String,
}

/// The parts that the engine works with.
#[derive(Clone)]
pub struct Deps {
    /// Where the objects are.
    pub store: Store,
    /// Where the images are.
    pub content: ContentStore,
    /// Their unpacked layers.
    pub snapshots: Snapshots,
    /// What runs containers.
    pub runtime: Runtime,
    /// What gives pods their network.
    pub bridge: Bridge,
    /// Whom to ask whether an address is still being talked to.
    pub drain: Arc<dyn Drain>,
    /// Where services and their ready endpoints are published.
    pub routing: watch::Sender<Arc<Routing>>,
}

/// Knows which requests are in flight; implemented by whatever routes them.
pub trait Drain: Send + Sync {
    /// Completes when no request to the address is in flight, or the limit has passed.
    fn wait_idle(
        &self,
        address: IpAddr,
        limit: Duration,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
