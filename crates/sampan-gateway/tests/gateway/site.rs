//! A running gateway, and the snapshots that are published to it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use sampan_gateway::{Config, Handle, Limits, build};
use sampan_model::routing::{
    HostMatch, HttpRoute, Listener, PathMatch, Pool, PoolId, Routing, Transport,
};
use sampan_supervise::Shutdown;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running gateway.
pub(crate) struct Site {
    pub(crate) handle: Handle,
    routing: watch::Sender<Arc<Routing>>,
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Site {
    /// Starts a gateway with this snapshot.
    pub(crate) fn start(routing: Routing) -> Self {
        Self::start_with(Config::default(), routing)
    }

    /// Starts a gateway that waits no longer than this.
    pub(crate) fn start_limited(limits: Limits, routing: Routing) -> Self {
        let config = Config {
            limits,
            ..Config::default()
        };
        Self::start_with(config, routing)
    }

    /// Starts a gateway; HTTP is served on any free port.
    pub(crate) fn start_with(config: Config, routing: Routing) -> Self {
        let (sender, receiver) = watch::channel(Arc::new(routing));
        let http = vec!["127.0.0.1:0".parse().expect("it is an address")];
        let gateway = build(Config { http, ..config }, receiver).expect("the port is free");
        let (handle, shutdown) = (gateway.handle(), Shutdown::new());
        let signal = shutdown.clone();
        let running = tokio::spawn(async move { gateway.run(signal).await.expect("it runs") });
        Self {
            handle,
            routing: sender,
            shutdown,
            running,
        }
    }

    /// Replaces the snapshot.
    pub(crate) fn publish(&self, routing: Routing) {
        self.routing.send_replace(Arc::new(routing));
    }

    /// Where HTTP is served.
    pub(crate) fn http(&self) -> SocketAddr {
        self.handle.http_address().expect("HTTP is served")
    }

    /// Tells the gateway to stop, without waiting.
    pub(crate) fn begin_stop(&self) {
        self.shutdown.trigger();
    }

    /// Stops the gateway.
    pub(crate) async fn stop(self) {
        self.shutdown.trigger();
        self.running.await.expect("it stops in order");
    }
}

/// An address that no other test uses.
pub(crate) fn address() -> IpAddr {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let last = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    // Runs at the same time (of other checkouts) are kept apart by the process id.
    let [low, high, ..] = std::process::id().to_le_bytes();
    IpAddr::from([127, 64 | high, low, last])
}

/// The pool of a service.
pub(crate) fn pool(service: &str) -> PoolId {
    PoolId {
        namespace: "default".into(),
        service: service.into(),
        port: "main".into(),
    }
}

/// A snapshot in which every request goes to `endpoints`.
pub(crate) fn everything_to(endpoints: &[SocketAddr]) -> Routing {
    let route = HttpRoute {
        host: HostMatch::Any,
        path: PathMatch::Prefix("/".into()),
        pool: pool("web"),
    };
    Routing {
        pools: [(pool("web"), ready(endpoints))].into(),
        http: vec![route],
        ..Routing::default()
    }
}

/// A snapshot in which `address` is a service that `endpoints` answer.
pub(crate) fn service(
    address: SocketAddr,
    transport: Transport,
    endpoints: &[SocketAddr],
) -> Routing {
    let pool_id = pool("service");
    Routing {
        pools: [(pool_id.clone(), ready(endpoints))].into(),
        listeners: vec![Listener {
            address,
            transport,
            pool: pool_id,
        }],
        ..Routing::default()
    }
}

/// A pool of these ready endpoints.
pub(crate) fn ready(endpoints: &[SocketAddr]) -> Pool {
    Pool {
        endpoints: endpoints.to_vec(),
        affinity: None,
    }
}

/// Runs a command and returns what it prints, whether or not it succeeds.
pub(crate) async fn output(program: &str, arguments: &[&str]) -> String {
    let running = Command::new(program).args(arguments).output();
    let done = tokio::time::timeout(Duration::from_secs(20), running).await;
    let done = done.expect("it ends in time").expect("it is installed");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Repeats `attempt` until it gives a value.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(attempt: impl Fn() -> F) -> T {
    let waiting = async {
        loop {
            if let Some(value) = attempt().await {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("it happens in time")
}
