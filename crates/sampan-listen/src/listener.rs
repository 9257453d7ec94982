//! The listener: it takes connections, within a limit, until the shutdown.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::Certificates;
use crate::connection::connection;
use crate::peers::Peers;

/// How long is waited after a failed accept, which is likely to fail again at once.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Whether clients speak TLS.
#[derive(Debug, Clone)]
pub enum Tls {
    /// Never.
    Off,
    /// Always.
    Always(Arc<Certificates>),
    /// Each client as it likes: its first byte tells.
    Detected(Arc<Certificates>),
}

/// What a listener grants its clients.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether they speak TLS.
    pub tls: Tls,
    /// Connections at the same time; more wait in the kernel's queue.
    pub connections: usize,
    /// Those of one peer among them; what comes from the machine itself has no such limit.
    pub connections_per_peer: usize,
    /// How long a client may take to say its first byte and to agree on TLS.
    pub handshake: Duration,
    /// How long a client may take to send the head of a request; idle connections end after this time, too, and those
    /// whose client takes nothing of its answer after four times as long.
    pub head: Duration,
    /// How long requests may take to end at the shutdown.
    pub drain: Duration,
    /// The most bytes of a connection of HTTP/1.1 that are held at once, which also bounds the head of a request.
    pub buffer_bytes: usize,
}

impl Settings {
    /// What suits an API.
    #[must_use]
    pub fn new(tls: Tls) -> Self {
        Self {
            tls,
            connections: 512,
            connections_per_peer: 256,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            drain: Duration::from_secs(5),
            buffer_bytes: 64 << 10,
        }
    }
}

/// A bound address.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes an address; port 0 takes any free one. Clients may connect from then on, and wait.
    ///
    /// # Errors
    /// When it is taken, not of this machine, or not allowed.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the shutdown; returns when all connections have ended.
    ///
    /// Requests carry a [`Peer`](crate::Peer) as an extension. The service is cloned for each connection.
    pub async fn serve<S, B>(self, service: S, settings: Settings, shutdown: Shutdown)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let tasks = Tasks::new();
        let places = Arc::new(Semaphore::new(settings.connections));
        let peers = Peers::new(settings.connections_per_peer);
        let settings = Arc::new(settings);
        loop {
            let place = tokio::select! {
                () = shutdown.triggered() => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let Some((stream, peer)) = self.accept(&shutdown).await else {
                break;
            };
            let Some(guest) = peers.admit(peer.ip()) else {
                tracing::debug!(%peer, "a peer has too many connections");
                continue;
            };
            let connection = connection(
                (stream, peer),
                Arc::clone(&settings),
                service.clone(),
                shutdown.clone(),
            );
            tasks.spawn("connection", async move {
                connection.await;
                drop((place, guest));
            });
        }
        drop(self.listener);
        if !tasks.finish(settings.drain + Duration::from_secs(1)).await {
            tracing::warn!(address = %self.address, "some connections did not end in time");
        }
    }

    /// The next connection; nothing at the shutdown.
    async fn accept(&self, shutdown: &Shutdown) -> Option<(TcpStream, SocketAddr)> {
        loop {
            let accepted = tokio::select! {
                () = shutdown.triggered() => return None,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok(accepted) => return Some(accepted),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }
}
