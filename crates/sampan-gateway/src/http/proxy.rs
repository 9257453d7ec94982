//! A request's way through the gateway: route, forward, retry where that is safe, relay the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use sampan_supervise::{Shutdown, Tasks};

use super::body::{Progress, Relayed, RequestBody, ResponseBody};
use super::exchange::{Answered, Failure, Reuse, exchange};
use super::head::{self, Target};
use super::page::Refusal;
use super::upgrade;
use crate::backend::Ticket;
use crate::config::Limits;
use crate::directory::{Asker, Directory, Missing};
use crate::stats::{Stats, count};

/// Endpoints that are asked for one request at most.
const ATTEMPTS: usize = 4;
/// A request that must not be sent twice uses only a connection whose endpoint has just answered on it, as the
/// endpoint may be closing an older one at this moment.
const FRESH: Duration = Duration::from_secs(1);

/// Everything that answering a request takes.
pub(crate) struct Proxy {
    pub(crate) directory: Arc<Directory>,
    pub(crate) limits: Limits,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: Shutdown,
    pub(crate) tasks: Tasks,
}

/// A response that has begun, and who gives it.
struct Accepted {
    answered: Answered,
    sending: Arc<Progress>,
    ticket: Ticket,
}

impl Proxy {
    /// Answers one request of `client`, whatever happens.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<ResponseBody> {
        count(&self.stats.requests);
        let start = Instant::now();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let (mut parts, body) = request.into_parts();
        let outcome = match Target::of(&parts) {
            Ok(target) => self.relay(&mut parts, body, &target, client).await,
            Err(reason) => Err(Refusal::Malformed(reason)),
        };
        let response = outcome.unwrap_or_else(|refusal| refusal.page());
        self.stats.count_status(response.status());
        tracing::debug!(
            %client, %method, %uri, status = response.status().as_u16(),
            milliseconds = start.elapsed().as_millis(), "request"
        );
        response
    }

    async fn relay(
        &self,
        parts: &mut Parts,
        body: Incoming,
        target: &Target,
        client: SocketAddr,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let wanted = head::wanted_upgrade(parts);
        let upgrade = wanted
            .is_some()
            .then(|| parts.extensions.remove::<OnUpgrade>())
            .flatten();
        head::forward(parts, client, wanted);
        let mut request = Request::new(RequestBody::new(body, self.limits.body_idle));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.version_mut() = parts.version;
        *request.headers_mut() = std::mem::take(&mut parts.headers);
        let accepted = self.send(request, target, client).await?;
        self.pass_on(accepted, upgrade)
    }

    /// Asks endpoints until one answers, or until asking another could do harm.
    async fn send(
        &self,
        mut request: Request<RequestBody>,
        target: &Target,
        client: SocketAddr,
    ) -> Result<Accepted, Refusal> {
        let spare = Spare::of(&request);
        let mut reuse = Reuse::Within(if spare.is_some() {
            self.limits.keep
        } else {
            FRESH
        });
        let mut tried = Vec::new();
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                count(&self.stats.retries);
            }
            let ticket = match self.pick(target, client, &tried) {
                Ok(ticket) => ticket,
                Err(refusal) => return Err(failure.unwrap_or(refusal)),
            };
            let sending = request.body().progress();
            let outcome =
                exchange(ticket.backend(), request, reuse, &self.limits, &self.tasks).await;
            let reused = match outcome {
                Ok(answered) => {
                    return Ok(Accepted {
                        answered,
                        sending,
                        ticket,
                    });
                }
                Err(Failure::Final(refusal)) => return Err(refusal),
                Err(Failure::Unsent {
                    request: unsent,
                    refusal,
                    reused,
                }) => {
                    request = *unsent;
                    failure = Some(refusal);
                    reused
                }
                Err(Failure::Lost { reused }) => {
                    request = spare.as_ref().ok_or(Refusal::Broken)?.request();
                    failure = Some(Refusal::Broken);
                    reused
                }
            };
            // A connection that had been idle says nothing about the endpoint; a new one that fails does.
            if reused {
                reuse = Reuse::Never;
            } else {
                ticket.backend().shun();
                tried.push(ticket.backend().address);
            }
        }
        Err(failure.unwrap_or(Refusal::Broken))
    }

    fn pick(
        &self,
        target: &Target,
        client: SocketAddr,
        tried: &[SocketAddr],
    ) -> Result<Ticket, Refusal> {
        let asker = Asker {
            client: client.ip(),
            tried,
        };
        self.directory
            .pick_route(&target.host, &target.path, asker)
            .map_err(|missing| match missing {
                Missing::Route => Refusal::NoRoute {
                    host: target.host.clone(),
                    path: target.path.clone(),
                },
                Missing::Endpoint(pool) => Refusal::NoEndpoint(pool),
            })
    }

    fn pass_on(
        &self,
        accepted: Accepted,
        upgrade: Option<OnUpgrade>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let Accepted {
            answered,
            sending,
            ticket,
        } = accepted;
        let Answered {
            mut response,
            sender,
        } = answered;
        // A response carries the version of who sends it, not of who wrote it (RFC 9110, section 6.2).
        *response.version_mut() = Version::HTTP_11;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client = upgrade.ok_or(Refusal::Broken)?;
            let endpoint = hyper::upgrade::on(&mut response);
            let tunnel = upgrade::Upgrade {
                client,
                endpoint,
                ticket,
            };
            tunnel.start(&self.tasks, &self.shutdown);
            // The headers of an upgrade are part of the handshake.
            return Ok(response.map(|_| ResponseBody::Page(http_body_util::Full::default())));
        }
        head::strip_response(response.headers_mut());
        let patience = self.limits.body_idle;
        Ok(response.map(|body| {
            let relayed = Relayed::new(body, patience, sender, sending, ticket);
            ResponseBody::Relayed(Box::new(relayed))
        }))
    }
}

/// What it takes to send a request again: one without a body that has the same effect however often it is carried out
/// (RFC 9110, section 9.2.2).
struct Spare {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Spare {
    fn of(request: &Request<RequestBody>) -> Option<Self> {
        let repeatable = request.method().is_idempotent() && request.body().is_empty();
        let is_upgrade = request.headers().contains_key(http::header::UPGRADE);
        (repeatable && !is_upgrade).then(|| Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        })
    }

    fn request(&self) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::empty());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}
