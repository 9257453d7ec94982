//! Requests that become something else than HTTP.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

use crate::error::Error;

const STREAM_PROTOCOL: &str = "x-stream-protocol-version";

/// What a client wants to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// RFC 6455.
    WebSocket,
    /// SPDY/3.1.
    Spdy,
}

impl Upgrade {
    /// Reads the header `Upgrade`.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let wanted = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
        match wanted {
            Some(wanted) if wanted.eq_ignore_ascii_case("websocket") => Ok(Self::WebSocket),
            Some(wanted) if wanted.eq_ignore_ascii_case("spdy/3.1") => Ok(Self::Spdy),
            Some(wanted) => Err(Error::BadRequest(format!(
                "unable to upgrade: {wanted:?} is neither websocket nor SPDY/3.1"
            ))),
            None => Err(Error::BadRequest("Upgrade request required".to_owned())),
        }
    }
}

/// The first protocol that both sides speak, of those that the client lists.
pub(super) fn stream_protocol(
    headers: &HeaderMap,
    supported: &[&'static str],
) -> Result<&'static str, Error> {
    let offered: Vec<&str> = headers
        .get_all(STREAM_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let found = supported.iter().find(|protocol| offered.contains(protocol));
    found.copied().ok_or_else(|| {
        Error::BadRequest(format!(
            "unable to upgrade: unable to negotiate protocol: client supports {offered:?}, server \
             accepts {supported:?}"
        ))
    })
}

/// Answers with the change to SPDY and hands the connection over once it has changed.
pub(super) fn to_spdy(
    mut request: Request,
    protocol: &'static str,
    session: impl FnOnce(TokioIo<Upgraded>) + Send + 'static,
) -> Result<Response, Error> {
    let changed = hyper::upgrade::on(&mut request);
    // The task ends with the connection, whose server waits for it.
    tokio::spawn(async move {
        match changed.await {
            Ok(io) => session(TokioIo::new(io)),
            Err(error) => tracing::debug!(%error, "a connection did not change to SPDY"),
        }
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "SPDY/3.1")
        .header(STREAM_PROTOCOL, protocol)
        .body(Body::empty())
        .map_err(|error| Error::Internal(error.to_string()))
}
