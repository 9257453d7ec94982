//! The listener: TLS, connections, and their end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use nix::sys::socket::{setsockopt, sockopt};
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::tls::Certificates;

/// Connections at the same time; more wait in the kernel's queue.
const CONNECTIONS: usize = 512;
/// How long a client may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take to send the head of a request; idle connections end after this time, too.
const HEAD: Duration = Duration::from_secs(30);
/// How often a client that is silent is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long requests may take to end at the shutdown.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// How long is waited after a failed accept, which is likely to fail again at once.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves until the shutdown; returns when all connections have ended.
pub(crate) async fn serve(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    router: Router,
    shutdown: Shutdown,
) {
    let tasks = Tasks::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = tokio::select! {
            () = shutdown.triggered() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = shutdown.triggered() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(
                    stream,
                    peer,
                    Arc::clone(&certificates),
                    router.clone(),
                    shutdown.clone(),
                );
                tasks.spawn("connection", async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    if !tasks.finish(LAST_REQUESTS + Duration::from_secs(1)).await {
        tracing::warn!("some connections to the API did not end in time");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    certificates: Arc<Certificates>,
    router: Router,
    shutdown: Shutdown,
) {
    let config = match stream.local_addr() {
        Ok(local) => certificates.config(local.ip()),
        Err(error) => {
            tracing::debug!(%peer, %error, "a connection ended before it began");
            return;
        }
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%peer, error = &error as &dyn std::error::Error, "no certificate to show");
            return;
        }
    };
    // Only a matter of latency, so a failure changes nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot switch off the delay of small packets");
    }
    // Watches of clients that have vanished would take up places for ever.
    if let Err(error) = setsockopt(&stream, sockopt::KeepAlive, &true) {
        tracing::debug!(%peer, %error, "cannot watch over a connection");
    }
    let handshake = tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream));
    let stream = match handshake.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "no agreement on TLS");
            return;
        }
        Err(_) => {
            tracing::debug!(%peer, "no agreement on TLS in time");
            return;
        }
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .max_concurrent_streams(250);
    let service = TowerToHyperService::new(router);
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = shutdown.triggered() => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(LAST_REQUESTS, serving).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection has broken off");
    }
}
