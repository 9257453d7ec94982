//! Opening a connection to an endpoint.

use std::io;
use std::net::SocketAddr;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use sampan_supervise::Tasks;
use tokio::net::TcpStream;

use super::body::RequestBody;
use super::endpoint::EndpointStream;
use super::page::Refusal;
use super::pool::Sender;
use super::protocol::{Protocol, Streams};
use sampan_model::Causes;

use super::PING;
use crate::config::Limits;
use crate::socket;

/// Opens a connection that speaks `protocol`.
///
/// # Errors
/// With what to tell the client.
pub(crate) async fn connect(
    address: SocketAddr,
    protocol: Protocol,
    limits: &Limits,
    tasks: &Tasks,
) -> Result<Sender, Refusal> {
    let opening = async {
        let stream = TcpStream::connect(address).await?;
        socket::tune(&stream)?;
        match protocol {
            Protocol::Http1 => http1(stream, address, limits, tasks).await,
            Protocol::Http2 => http2(stream, address, limits, tasks).await,
        }
        .map_err(io::Error::other)
    };
    match tokio::time::timeout(limits.connect, opening).await {
        Ok(Ok(sender)) => Ok(sender),
        Ok(Err(error)) => {
            tracing::debug!(endpoint = %address, %error, "cannot connect");
            Err(Refusal::Unreachable)
        }
        Err(_) => {
            tracing::debug!(endpoint = %address, "cannot connect in time");
            Err(Refusal::UnreachableInTime)
        }
    }
}

async fn http1(
    stream: TcpStream,
    address: SocketAddr,
    limits: &Limits,
    tasks: &Tasks,
) -> hyper::Result<Sender> {
    let (sender, connection) = http1::Builder::new()
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.buffer_bytes())
        .handshake::<_, RequestBody>(TokioIo::new(EndpointStream::new(stream)))
        .await?;
    tasks.spawn("http endpoint", drive(address, connection.with_upgrades()));
    Ok(Sender::Http1(sender))
}

async fn http2(
    stream: TcpStream,
    address: SocketAddr,
    limits: &Limits,
    tasks: &Tasks,
) -> hyper::Result<Sender> {
    let (sender, connection) = http2::Builder::new(Streams(tasks.clone()))
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .handshake::<_, RequestBody>(TokioIo::new(stream))
        .await?;
    tasks.spawn("http2 endpoint", drive(address, connection));
    Ok(Sender::Http2(sender))
}

async fn drive(endpoint: SocketAddr, connection: impl Future<Output = hyper::Result<()>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%endpoint, error = %Causes(&error), "connection ended early");
    }
}
