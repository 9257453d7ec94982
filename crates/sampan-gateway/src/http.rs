//! The HTTP listener: accepts clients and serves each connection until it ends or the gateway drains.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sampan_model::Causes;
use sampan_supervise::{Shutdown, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::socket;
use crate::stats::{Gauge, count};

mod body;
mod connect;
mod endpoint;
mod exchange;
mod head;
mod page;
pub(crate) mod pool;
mod protocol;
mod proxy;
mod upgrade;

use protocol::{Protocol, Streams};
pub(crate) use proxy::Proxy;

/// How long accepting rests when the process is out of file descriptors or memory.
const REST: Duration = Duration::from_millis(100);

/// How often an HTTP/2 peer is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);
/// Requests at a time of one HTTP/2 client.
const STREAMS: u32 = 128;

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
    socket::limit_standstill(&stream, proxy.limits.body_idle)?;
    let protocol = tokio::select! {
        protocol = tokio::time::timeout(proxy.limits.head, Protocol::of(&stream)) => protocol??,
        () = shutdown.triggered() => return Ok(()),
    };
    let service = service_fn(|request| {
        let proxy = proxy.clone();
        async move { Ok::<_, std::convert::Infallible>(proxy.answer(request, client).await) }
    });
    let stream = TokioIo::new(stream);
    match protocol {
        Protocol::Http1 => {
            let serving = http1(&proxy.limits).serve_connection(stream, service);
            let mut serving = std::pin::pin!(serving.with_upgrades());
            tokio::select! {
                ended = serving.as_mut() => return Ok(ended?),
                () = shutdown.triggered() => serving.as_mut().graceful_shutdown(),
            }
            Ok(serving.await?)
        }
        Protocol::Http2 => {
            let builder = http2(&proxy.limits, proxy.tasks.clone());
            let mut serving = std::pin::pin!(builder.serve_connection(stream, service));
            tokio::select! {
                ended = serving.as_mut() => return Ok(ended?),
                () = shutdown.triggered() => serving.as_mut().graceful_shutdown(),
            }
            Ok(serving.await?)
        }
    }
}

fn http1(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.buffer_bytes())
        .half_close(false);
    builder
}

fn http2(limits: &Limits, tasks: Tasks) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams(tasks));
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS);
    builder
}
