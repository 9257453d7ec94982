//! Putting the parts together, and the handle for those outside.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sampan_model::routing::Routing;
use sampan_supervise::{Shutdown, Tasks};
use tokio::sync::watch;

use crate::bind;
use crate::config::Config;
use crate::directory::Directory;
use crate::dns::{self, Dns};
use crate::error::Result;
use crate::http::{self, Proxy};
use crate::service::Services;
use crate::stats::{Figures, Stats};

/// What listens, in words for error messages.
const HTTP: &str = "the HTTP gateway";
pub(crate) const DNS: &str = "the cluster DNS";
/// How often unused connections are looked for.
const TIDY: Duration = Duration::from_secs(10);

/// A gateway that listens, but serves nobody before it runs.
pub struct Gateway {
    config: Config,
    http: Option<std::net::TcpListener>,
    dns: Option<(SocketAddr, dns::Sockets)>,
    handle: Handle,
}

/// What others may ask of a gateway, before and while it runs; cloned freely.
#[derive(Clone)]
pub struct Handle {
    http_address: Option<SocketAddr>,
    directory: Arc<Directory>,
    stats: Arc<Stats>,
}

/// Opens the gateway's own listeners. Those of services are opened while it runs, as snapshots name them.
///
/// # Errors
/// When a listener cannot be opened.
pub fn build(config: Config, routing: watch::Receiver<Arc<Routing>>) -> Result<Gateway> {
    let http = bind::tcp_first(HTTP, &config.http)?;
    let http_address = http
        .as_ref()
        .and_then(|listener| listener.local_addr().ok());
    let dns = match config.dns {
        Some(address) => Some((address, dns::Sockets::open(&*config.sockets, address)?)),
        None => None,
    };
    let handle = Handle {
        http_address,
        directory: Arc::new(Directory::new(routing)),
        stats: Arc::default(),
    };
    Ok(Gateway {
        config,
        http,
        dns,
        handle,
    })
}

impl Gateway {
    /// What others may ask of this gateway.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until the shutdown; then takes no more connections, lets requests in flight end within
    /// [`Limits::drain`](crate::Limits::drain), and returns.
    ///
    /// # Errors
    /// When a listener cannot be handed to the runtime.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let Self {
            config,
            http,
            dns,
            handle,
        } = self;
        let (directory, stats, tasks) = (handle.directory, handle.stats, Tasks::new());
        if let (Some(listener), Some(address)) = (http, handle.http_address) {
            let listener = tokio::net::TcpListener::from_std(listener)
                .map_err(|source| bind::explain(HTTP, address, source))?;
            tracing::info!(%address, "HTTP gateway listens");
            let proxy = Arc::new(Proxy {
                directory: directory.clone(),
                limits: config.limits.clone(),
                stats: stats.clone(),
                shutdown: shutdown.clone(),
                tasks: tasks.clone(),
            });
            let work = http::serve(listener, proxy, shutdown.clone(), tasks.clone());
            tasks.spawn("http listener", work);
        }
        if let Some((address, sockets)) = dns {
            Dns::new(&config, directory.clone(), stats.clone())
                .start(sockets, &shutdown, &tasks)
                .map_err(|source| bind::explain(DNS, address, source))?;
            tracing::info!(%address, "cluster DNS listens");
        }
        let services = Arc::new(Services {
            directory: directory.clone(),
            limits: config.limits.clone(),
            sockets: config.sockets,
            stats,
            shutdown: shutdown.clone(),
            tasks: tasks.clone(),
        });
        tasks.spawn("service listeners", services.follow());
        let upkeep = maintain(directory.clone(), config.limits.keep, shutdown.clone());
        tasks.spawn("routing", upkeep);

        shutdown.triggered().await;
        directory.close();
        if !tasks.finish(config.limits.drain).await {
            tracing::warn!(
                left = tasks.running(),
                "requests were cut off by the shutdown"
            );
        }
        Ok(())
    }
}

/// Keeps the table up to date and connections in bounds, until the shutdown.
async fn maintain(directory: Arc<Directory>, keep: Duration, shutdown: Shutdown) {
    let mut follow = std::pin::pin!(directory.follow());
    let mut is_over = false;
    loop {
        tokio::select! {
            () = follow.as_mut(), if !is_over => is_over = true,
            () = tokio::time::sleep(TIDY) => directory.tidy(keep),
            () = shutdown.triggered() => return,
        }
    }
}

impl Handle {
    /// Where HTTP is served; none when the configuration asks for none.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// Waits until nothing is under way to the endpoints at `ip`, at most `limit`; returns whether that is so.
    ///
    /// To be called once a snapshot without these endpoints has been published: from then on they get nothing new,
    /// and connections to service addresses and upgraded ones, which have no end of their own, end when at rest.
    pub async fn wait_idle(&self, ip: IpAddr, limit: Duration) -> bool {
        self.directory.wait_idle(ip, limit).await
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> Figures {
        self.stats.figures()
    }
}
