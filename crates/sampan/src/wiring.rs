//! The server put together: the one place where capabilities meet.
//!
//! The engine publishes its routing, the gateway watches it; the engine asks whether an endpoint has been
//! drained, the gateway answers. Neither knows the other. The registry shares the content store and the database
//! with both, and nothing else.

mod charts;
mod ci;
mod pins;
mod ports;
mod registry;
mod releases;
mod rendering;
mod services;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sampan_container::network::Bridge;
use sampan_engine::deps::{Config, Deps, Drain};
use sampan_engine::engine::{self, Engine};
use sampan_gateway::{Gateway, Handle};
use sampan_model::routing::Routing;
use sampan_store::Store;
use sampan_supervise::{Shutdown, clock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(crate) use self::charts::Charts;
pub(crate) use self::ci::{PipelinePorts, Supplies, space_of};
pub(crate) use self::pins::ReleasePins;
pub(crate) use self::releases::ReleaseTarget;
pub(crate) use self::rendering::{
    HELM, SiteRenderer, Surroundings, event as rollout_event, explained,
};
use self::services::ServiceSockets;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::server::{ServerFacts, ServerLock};

/// How long after its start the server gives back what starting took.
const SETTLE_AFTER: Duration = Duration::from_secs(3);

/// Where the server listens.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// The Kubernetes API.
    pub(crate) kubernetes: SocketAddr,
    /// The gateway: the first that may be bound.
    pub(crate) http: Vec<SocketAddr>,
    /// The registry.
    pub(crate) registry: SocketAddr,
    /// Resolvers for names outside of the cluster.
    pub(crate) dns_forward: Vec<SocketAddr>,
}

/// Lets the engine wait for the gateway without knowing it.
struct GatewayDrain(Handle);

impl Drain for GatewayDrain {
    fn wait_idle(
        &self,
        address: IpAddr,
        limit: Duration,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if !self.0.wait_idle(address, limit).await {
                tracing::info!(%address, "requests were still in flight when their time was up");
            }
        })
    }
}

/// Serves until SIGINT or SIGTERM; `ready` is called once everything listens.
pub(crate) fn serve(
    context: &Context,
    addresses: &Addresses,
    ready: impl FnOnce(&ServerFacts) -> Result<(), Failure>,
) -> Result<(), Failure> {
    std::fs::create_dir_all(context.data()).or_fail("cannot make the data folder")?;
    let lock = ServerLock::take(context.data())?;
    // Before anything is made that a server which cannot start would leave behind.
    ports::check(addresses)?;
    // Each client of the gateway takes two.
    sampan_container::raise_open_files()?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .or_fail("cannot start the asynchronous runtime")?
        .block_on(async {
            let store = Store::open(&context.data().join("meta.db")).await?;
            let registry = registry::build(context, addresses.registry, &store).await?;
            let (engine, gateway) = build(context, addresses, store).await?;
            let facts = ServerFacts {
                pid: nix::unistd::getpid().as_raw(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                since: clock::now(),
                kubernetes: engine.address(),
                http: gateway.handle().http_address().unwrap_or(addresses.http[0]),
                registry: registry.address(),
            };
            lock.publish(context.data(), &facts)?;
            ready(&facts)?;
            Box::pin(run(engine, gateway, registry)).await
        })
}

async fn build(
    context: &Context,
    addresses: &Addresses,
    store: Store,
) -> Result<(Engine, Gateway), Failure> {
    let bridge = Bridge::ensure(context.data())?;
    let (routing, watched) = watch::channel(Arc::new(Routing::default()));
    let config = sampan_gateway::Config {
        http: addresses.http.clone(),
        dns: Some(SocketAddr::from((bridge.dns(), 53))),
        dns_forward: addresses.dns_forward.clone(),
        sockets: Arc::new(ServiceSockets(bridge.open_services()?)),
        ..Default::default()
    };
    let gateway = sampan_gateway::build(config, watched)?;
    let deps = Deps {
        store,
        content: context.content()?,
        snapshots: context.snapshots()?,
        runtime: context.runtime()?,
        bridge,
        drain: Arc::new(GatewayDrain(gateway.handle())),
        routing,
    };
    let config = Config {
        data: context.data().to_owned(),
        listen: addresses.kubernetes,
        node_name: host_name(),
    };
    Ok((engine::build(config, deps).await?, gateway))
}

/// What this machine calls itself.
fn host_name() -> String {
    nix::unistd::gethostname().map_or_else(
        |_| "sampan".to_owned(),
        |name| name.to_string_lossy().to_lowercase(),
    )
}

/// Runs all until a signal; the engine stops first, because it no longer changes routes then.
async fn run(
    engine: Engine,
    gateway: Gateway,
    registry: sampan_registry::Server,
) -> Result<(), Failure> {
    let shutdown = Shutdown::new();
    let signalled = shutdown.clone();
    let mut terminate = signal(SignalKind::terminate()).or_fail("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).or_fail("cannot wait for signals")?;
    let watcher = tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        signalled.trigger();
    });
    let registry_run = registry.run(shutdown.clone());
    let engine_run = async {
        engine.run(shutdown.clone()).await;
        shutdown.trigger();
    };
    // A gateway that ends, for whatever reason, leaves the engine nothing to serve.
    let gateway_run = async {
        let outcome = gateway.run(shutdown.clone()).await;
        shutdown.trigger();
        outcome
    };
    let settled = settle(&shutdown);
    let ((), outcome, (), ()) = tokio::join!(engine_run, gateway_run, registry_run, settled);
    watcher.abort();
    Ok(outcome?)
}

/// Gives back what starting took, once all have started.
async fn settle(shutdown: &Shutdown) {
    tokio::select! {
        () = shutdown.triggered() => return,
        () = tokio::time::sleep(SETTLE_AFTER) => {}
    }
    if let Err(error) = sampan_container::memory::give_back() {
        tracing::debug!(%error, "cannot give memory back");
    }
}
