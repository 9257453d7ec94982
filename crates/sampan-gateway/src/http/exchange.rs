//! One attempt to have one endpoint answer a request.

use std::net::SocketAddr;
use std::time::Duration;

use http::Version;
use hyper::body::Incoming;
use hyper::{Request, Response};
use sampan_supervise::Tasks;

use super::body::{Progress, RequestBody, Sending};
use super::connect::connect;
use super::page::Refusal;
use super::pool::Sender;
use super::protocol::Protocol;
use crate::backend::Backend;
use crate::config::Limits;
use sampan_model::Causes;

/// Which connections an attempt may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// One that has not been unused for longer than this.
    Within(Duration),
    /// A new one only.
    Never,
}

/// A response, and the connection that it is still arriving on.
pub(crate) struct Answered {
    pub(crate) response: Response<Incoming>,
    pub(crate) sender: Sender,
}

/// How an attempt failed.
pub(crate) enum Failure {
    /// Nothing has been sent: anyone else may be asked.
    Unsent {
        request: Box<Request<RequestBody>>,
        refusal: Refusal,
        reused: bool,
    },
    /// The connection ended before a response came; the endpoint may have acted on the request.
    Lost { reused: bool },
    /// The request must not be tried again.
    Final(Refusal),
}

/// Sends `request` to `backend` and waits for the head of the response.
pub(crate) async fn exchange(
    backend: &Backend,
    request: Request<RequestBody>,
    reuse: Reuse,
    limits: &Limits,
    tasks: &Tasks,
) -> Result<Answered, Failure> {
    let protocol = match request.version() {
        Version::HTTP_2 => Protocol::Http2,
        _ => Protocol::Http1,
    };
    let pooled = match reuse {
        Reuse::Within(max_idle) => backend.idle.take(protocol, max_idle).await,
        Reuse::Never => None,
    };
    let reused = pooled.is_some();
    let mut sender = match pooled {
        Some(sender) => sender,
        None => match connect(backend.address, protocol, limits, tasks).await {
            Ok(sender) => {
                backend.idle.share(&sender);
                sender
            }
            Err(refusal) => {
                let request = Box::new(request);
                return Err(Failure::Unsent {
                    request,
                    refusal,
                    reused,
                });
            }
        },
    };
    let progress = request.body().progress();
    let patience = match protocol {
        Protocol::Http1 => limits.response,
        // Streaming calls (gRPC) begin their response with the first thing that there is to say.
        Protocol::Http2 => limits.body_idle,
    };
    let Some(outcome) = within(patience, sender.send(request), &progress).await else {
        return Err(Failure::Final(Refusal::TooSlow));
    };
    match outcome {
        Ok(response) => Ok(Answered { response, sender }),
        Err(mut failed) => match failed.take_message() {
            Some(request) => Err(Failure::Unsent {
                request: Box::new(request),
                refusal: Refusal::Broken,
                reused,
            }),
            None => Err(classify(
                backend.address,
                &failed.into_error(),
                &progress,
                reused,
            )),
        },
    }
}

/// Waits for `work` as long as the body moves, and then at most `limit` (and what is left of the period before).
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = T>,
    progress: &Progress,
) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut seen = progress.frames();
    loop {
        if let Ok(done) = tokio::time::timeout(limit, work.as_mut()).await {
            return Some(done);
        }
        let now = progress.frames();
        if now == seen {
            return None;
        }
        seen = now;
    }
}

fn classify(
    endpoint: SocketAddr,
    error: &hyper::Error,
    progress: &Progress,
    reused: bool,
) -> Failure {
    match progress.state() {
        Sending::Broken => return Failure::Final(Refusal::ClientBroken),
        Sending::Stalled => return Failure::Final(Refusal::ClientTooSlow),
        Sending::Underway | Sending::Complete => {}
    }
    tracing::debug!(%endpoint, error = %Causes(error), reused, "exchange failed");
    if error.is_parse() {
        return Failure::Final(Refusal::Broken);
    }
    Failure::Lost { reused }
}
