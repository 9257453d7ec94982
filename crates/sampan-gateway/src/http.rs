//! The HTTP listener: accepts clients and serves each connection until it ends or the gateway drains.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::socket;
use crate::stats::{Gauge, count};

mod body;
mod endpoint;
mod exchange;
mod head;
mod page;
pub(crate) mod pool;
mod proxy;
mod upgrade;

pub(crate) use proxy::Proxy;

/// How long accepting rests when the process is out of file descriptors or memory.
const REST: Duration = Duration::from_millis(100);

/// Accepts and serves clients until the shutdown; the connections go on as `tasks`.
pub(crate) async fn serve(
    listener: TcpListener,
    proxy: Arc<Proxy>,
    shutdown: Shutdown,
    tasks: Tasks,
) {
    let places = Arc::new(Semaphore::new(proxy.limits.connections));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.triggered() => return,
        };
        match accepted {
            Ok((stream, client)) => {
                let (proxy, shutdown) = (proxy.clone(), shutdown.clone());
                tasks.spawn("http client", async move {
                    let _open = Gauge::hold(&proxy.stats.http_open);
                    count(&proxy.stats.http_connections);
                    if let Err(error) = connection(stream, client, &proxy, shutdown).await {
                        tracing::debug!(%client, error = %Causes(&*error), "connection ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => pause(&error).await,
        }
    }
}

/// Logs why no connection could be accepted, and waits before the next attempt where the fault is ours.
pub(crate) async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    ) {
        tracing::warn!(%error, "cannot accept connections");
        tokio::time::sleep(REST).await;
    }
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    proxy: &Arc<Proxy>,
    shutdown: Shutdown,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    socket::tune(&stream)?;
    let service = service_fn(|request| {
        let proxy = proxy.clone();
        async move { Ok::<_, std::convert::Infallible>(proxy.answer(request, client).await) }
    });
    let mut connection = std::pin::pin!(
        builder(&proxy.limits)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = shutdown.triggered() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.buffer_bytes())
        .half_close(false);
    builder
}

/// An error with all its causes, for a log line.
pub(crate) struct Causes<'a>(pub(crate) &'a (dyn std::error::Error + 'a));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
