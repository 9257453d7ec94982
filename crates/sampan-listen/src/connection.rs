//! One connection, from its first byte to its end.

use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use nix::sys::socket::{setsockopt, sockopt};
use sampan_supervise::Shutdown;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::activity::{Activity, Counted, Desertion, Watched};
use crate::listener::{Settings, Tls};
use crate::peer::Peer;
use crate::stream::Stream;
use crate::{Certificates, TlsError};

/// How often a client of HTTP/2 that is silent is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Requests at the same time on one connection of HTTP/2.
const STREAMS: u32 = 64;
/// Bytes of an answer over HTTP/2 that wait to be sent.
const SEND_BYTES: usize = 64 << 10;
/// The first byte of a TLS connection: a record that carries a handshake (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// Serves a connection until its client leaves or the shutdown comes.
pub(crate) async fn connection<S, B>(
    (stream, address): (TcpStream, SocketAddr),
    settings: Arc<Settings>,
    service: S,
    shutdown: Shutdown,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    tune(&stream, address);
    let agreed = tokio::select! {
        agreed = tokio::time::timeout(settings.handshake, agree(stream, &settings.tls)) => agreed,
        () = shutdown.triggered() => return,
    };
    match agreed {
        Ok(Ok(Some(stream))) => {
            let peer = Peer::new(address, matches!(stream, Stream::Tls(_)));
            converse(stream, peer, &settings, service, &shutdown).await;
        }
        Ok(Ok(None)) => {}
        Ok(Err(Disagreement::Certificate(error))) => {
            tracing::error!(peer = %address, error = &error as &dyn Error, "no certificate to show");
        }
        Ok(Err(Disagreement::Connection(error))) => {
            tracing::debug!(peer = %address, %error, "a connection ended before it began");
        }
        Err(_) => tracing::debug!(peer = %address, "no agreement on TLS in time"),
    }
}

fn tune(stream: &TcpStream, peer: SocketAddr) {
    // Only a matter of latency, so a failure changes nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot switch off the delay of small packets");
    }
    // Long requests of clients that have vanished would take up places for ever.
    if let Err(error) = setsockopt(stream, sockopt::KeepAlive, &true) {
        tracing::debug!(%peer, %error, "cannot watch over a connection");
    }
}

/// Why a connection does not come to HTTP.
enum Disagreement {
    Certificate(TlsError),
    Connection(std::io::Error),
}

/// Finds out whether TLS is spoken, and agrees on it; nothing when the client left without a word.
async fn agree(stream: TcpStream, tls: &Tls) -> Result<Option<Stream>, Disagreement> {
    match tls {
        Tls::Off => Ok(Some(Stream::Plain(stream))),
        Tls::Always(certificates) => encrypt(stream, certificates).await.map(Some),
        Tls::Detected(certificates) => {
            let mut first = [0];
            let seen = stream.peek(&mut first).await;
            match (seen.map_err(Disagreement::Connection)?, first) {
                (0, _) => Ok(None),
                (_, [HANDSHAKE_RECORD]) => encrypt(stream, certificates).await.map(Some),
                _ => Ok(Some(Stream::Plain(stream))),
            }
        }
    }
}

async fn encrypt(stream: TcpStream, certificates: &Certificates) -> Result<Stream, Disagreement> {
    let local = stream.local_addr().map_err(Disagreement::Connection)?;
    let config = certificates
        .config(local.ip())
        .map_err(Disagreement::Certificate)?;
    let stream = TlsAcceptor::from(config).accept(stream).await;
    let stream = stream.map_err(Disagreement::Connection)?;
    Ok(Stream::Tls(Box::new(stream)))
}

/// Speaks HTTP.
async fn converse<S, B>(
    stream: Stream,
    peer: Peer,
    settings: &Settings,
    service: S,
    shutdown: &Shutdown,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head)
        .max_buf_size(settings.buffer_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .max_send_buf_size(SEND_BYTES)
        .max_concurrent_streams(STREAMS);
    let activity = Activity::default();
    let introduced = Introduced {
        service,
        peer,
        activity: activity.clone(),
    };
    let stream = TokioIo::new(Counted::new(stream, activity.clone()));
    let serving = builder.serve_connection_with_upgrades(stream, introduced);
    tokio::pin!(serving);
    // The deadline of the builder begins only once the version of HTTP is known, and HTTP/2 has none between requests.
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        desertion = activity.desertion(settings.head) => {
            tracing::debug!(peer = %peer.address, ?desertion, "a client does nothing");
            if desertion != Desertion::Idle {
                return;
            }
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(settings.drain, serving).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
        () = shutdown.triggered() => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(settings.drain, serving).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.address, %error, "a connection has broken off");
    }
}

/// A service whose requests say who asks, and are counted.
struct Introduced<S> {
    service: S,
    peer: Peer,
    activity: Activity,
}

type Answer<B, E> = Pin<Box<dyn Future<Output = Result<Response<Watched<B>>, E>> + Send>>;

impl<S, B> Service<Request<Incoming>> for Introduced<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<Watched<B>>;
    type Error = S::Error;
    type Future = Answer<B, S::Error>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let flight = self.activity.begin();
        request.extensions_mut().insert(self.peer);
        let answer = self.service.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|body| Watched::new(body, flight)))
        })
    }
}
