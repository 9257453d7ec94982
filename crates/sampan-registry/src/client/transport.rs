//! Requests: authorized, tried again when that may help, and led on to where the registry sends them.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use ring::rand::{SecureRandom as _, SystemRandom};
use sampan_supervise::backoff::Backoff;

use super::authorization::{Authorization, Wanted, authority};
use super::challenge::Challenge;
use super::config::Retry;
use super::endpoint::Connector;
use super::error::{ClientError, is_passing};
use super::scope::Scopes;
use super::words::{message, telling};

/// How often a registry may send a request elsewhere.
const REDIRECT_LIMIT: u32 = 5;

/// The longest wait that a registry may ask for.
const RETRY_AFTER_LIMIT: Duration = Duration::from_mins(1);

/// How often nothing at all may come for as long as is waited: who is silent twice is no longer there.
const SILENCE_LIMIT: u32 = 2;

/// How often more a transfer is tried again that has begun.
const TRANSFER_ATTEMPTS: u32 = 3;

/// Waits from this on are told to the user.
const WORTH_TELLING: Duration = Duration::from_secs(3);

/// The longest error message that is read, in bytes.
const MESSAGE_LIMIT_BYTES: usize = 64 << 10;

/// A request that can be sent any number of times.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) scopes: Scopes,
    /// The repository that it is about.
    pub(super) repository: String,
}

impl Call {
    pub(super) fn new(method: Method, url: Url, scopes: Scopes, repository: &str) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            scopes,
            repository: repository.to_owned(),
        }
    }

    pub(super) fn header(mut self, name: http::HeaderName, value: &str) -> Self {
        // Values that are no header text come from media types of malformed documents, which the registry refuses then.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            scopes: &self.scopes,
            repository: &self.repository,
        }
    }
}

/// Counts failures, and waits longer after each.
#[derive(Debug)]
pub(super) struct Patience {
    retry: Retry,
    failures: u32,
    silences: u32,
    backoff: Backoff,
}

/// Why something is to be tried again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason<'failure> {
    /// It failed like this.
    Failed(&'failure ClientError),
    /// The registry has answered with this status, and may have asked to wait.
    Busy(StatusCode, Option<Duration>),
}

impl Patience {
    pub(super) fn new(retry: Retry) -> Self {
        Self {
            retry,
            failures: 0,
            silences: 0,
            backoff: Backoff::new(retry.first_delay, retry.longest_delay),
        }
    }

    /// For what has begun, and would have to begin again: it outlasts a registry that starts anew.
    pub(super) fn of_transfer(retry: Retry) -> Self {
        Self::new(Retry {
            attempts: retry.attempts + TRANSFER_ATTEMPTS,
            ..retry
        })
    }

    /// Forgets all failures, because something went forward.
    pub(super) fn progressed(&mut self) {
        self.failures = 0;
        self.silences = 0;
        self.backoff.reset();
    }

    /// Counts a failure; after a while says that it may be tried again, or at once that it should not.
    pub(super) async fn again(&mut self, host: &str, reason: Reason<'_>) -> bool {
        self.failures += 1;
        if matches!(reason, Reason::Failed(ClientError::Stalled { .. })) {
            self.silences += 1;
        }
        if self.failures >= self.retry.attempts || self.silences >= SILENCE_LIMIT {
            return false;
        }
        let mut delay = jitter(self.backoff.next_delay());
        if let Reason::Busy(_, Some(asked)) = reason {
            delay = asked.min(RETRY_AFTER_LIMIT).max(delay);
        }
        tell(host, reason, delay);
        tokio::time::sleep(delay).await;
        true
    }
}

/// Says why nothing happens, when it will take long enough to wonder.
fn tell(host: &str, reason: Reason<'_>, delay: Duration) {
    let milliseconds = delay.as_millis();
    match reason {
        Reason::Failed(error) if delay < WORTH_TELLING => {
            tracing::debug!(host, %error, milliseconds, "tries again soon");
        }
        Reason::Failed(error) => {
            tracing::warn!(host, %error, milliseconds, "waits before it tries again");
        }
        Reason::Busy(status, _) if delay < WORTH_TELLING => {
            tracing::debug!(host, %status, milliseconds, "tries again soon");
        }
        Reason::Busy(status, _) => {
            tracing::warn!(host, %status, milliseconds, "the registry is busy and will be asked again");
        }
    }
}

/// Between half of the delay and all of it, so that many clients do not come back at the same moment.
fn jitter(delay: Duration) -> Duration {
    let mut byte = [u8::MAX];
    // Without randomness it is the whole delay.
    if SystemRandom::new().fill(&mut byte).is_err() {
        byte = [u8::MAX];
    }
    delay.mul_f64(0.5 + f64::from(byte[0]) / 510.0)
}

/// Sends requests to one registry.
#[derive(Debug)]
pub(super) struct Transport {
    /// The registry as the user calls it.
    pub(super) host: String,
    /// Where it is.
    pub(super) home: Url,
    pub(super) http: reqwest::Client,
    pub(super) authorization: Authorization,
    pub(super) connector: Connector,
    pub(super) retry: Retry,
    pub(super) idle_timeout: Duration,
}

impl Transport {
    /// Sends `call` until it is answered with something else than a passing failure.
    pub(super) async fn send(&self, call: &Call) -> Result<Response, ClientError> {
        let mut patience = Patience::new(self.retry);
        loop {
            let outcome = self.authorized(call).await;
            let reason = match &outcome {
                Ok(response) if is_passing(response.status().as_u16()) => {
                    Reason::Busy(response.status(), retry_after(response))
                }
                Err(error) if error.is_passing() => Reason::Failed(error),
                _ => return outcome,
            };
            if !patience.again(&self.host, reason).await {
                return outcome;
            }
        }
    }

    /// Sends `call` once, and once more when the registry wants another authorization.
    async fn authorized(&self, call: &Call) -> Result<Response, ClientError> {
        let mut sent = self.authorization.header(call.wanted()).await?;
        let mut response = self.follow(call, sent.clone()).await?;
        // Twice at most: a first token, and another one when a remembered one is no longer accepted.
        for _ in 0..2 {
            // A place that a redirect led to has no claim to what proves to the registry who asks.
            let own = response.url().origin() == call.url.origin();
            if response.status() != StatusCode::UNAUTHORIZED || !own {
                break;
            }
            let Some(challenge) = Challenge::of(response.headers()) else {
                break;
            };
            let renewed = self
                .authorization
                .renewed(challenge, sent.as_ref(), call.wanted())
                .await?;
            let Some(renewed) = renewed else { break };
            response = self.follow(call, Some(renewed.clone())).await?;
            sent = Some(renewed);
        }
        Ok(response)
    }

    /// Goes where the registry leads; who asks is told to the registry itself only.
    async fn follow(
        &self,
        call: &Call,
        header: Option<HeaderValue>,
    ) -> Result<Response, ClientError> {
        let mut url = call.url.clone();
        for _ in 0..REDIRECT_LIMIT {
            let home = url.origin() == call.url.origin();
            let http = if home {
                self.http.clone()
            } else {
                self.connector
                    .http(&authority(&url), url.scheme() == "http")?
            };
            let mut request = http
                .request(call.method.clone(), url.clone())
                .headers(call.headers.clone())
                .body(call.body.clone());
            if let Some(header) = header.as_ref().filter(|_| home) {
                request = request.header(AUTHORIZATION, header);
            }
            let response = self.patiently(request).await?;
            let readable = matches!(call.method, Method::GET | Method::HEAD);
            match next(&response).filter(|_| readable) {
                None => return Ok(response),
                Some(next) => {
                    // A registry with TLS does not lead out of it.
                    if url.scheme() == "https" && next.scheme() == "http" {
                        return Err(self.malformed(call, "a redirect to a place without TLS"));
                    }
                    url = next;
                }
            }
        }
        Err(self.malformed(call, "redirects without end"))
    }

    async fn patiently(&self, request: reqwest::RequestBuilder) -> Result<Response, ClientError> {
        match tokio::time::timeout(self.idle_timeout, request.send()).await {
            Ok(sent) => sent.map_err(|source| ClientError::transport(&self.host, source)),
            Err(_) => Err(self.stalled()),
        }
    }

    pub(super) fn stalled(&self) -> ClientError {
        ClientError::Stalled {
            host: self.host.clone(),
            idle: self.idle_timeout,
        }
    }

    fn malformed(&self, call: &Call, what: &str) -> ClientError {
        ClientError::Malformed {
            host: self.host.clone(),
            action: format!("{} {}", call.method, call.url.path()),
            what: what.to_owned(),
        }
    }

    /// The next piece of a body.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<Bytes>, ClientError> {
        match tokio::time::timeout(self.idle_timeout, response.chunk()).await {
            Ok(read) => read.map_err(|source| ClientError::transport(&self.host, source)),
            Err(_) => Err(self.stalled()),
        }
    }

    /// The whole body, or `None` when it is longer than `limit` bytes.
    pub(super) async fn body(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Option<Bytes>, ClientError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            if bytes.len() + chunk.len() > limit {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes.into()))
    }

    /// The error that a response stands for, when `action` was asked of `what`.
    pub(super) async fn refusal(&self, response: Response, question: &Question<'_>) -> ClientError {
        let status = response.status();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        // RFC 6750, section 3.1: who asks is known, and may not.
        let lacks_rights = challenge.is_some_and(|value| {
            value
                .to_str()
                .is_ok_and(|text| text.contains("insufficient_scope"))
        });
        let url = response.url();
        let elsewhere = (url.origin() != self.home.origin()).then(|| authority(url));
        let body = self.body(response, MESSAGE_LIMIT_BYTES).await;
        let message = message(&body.ok().flatten().unwrap_or_default());
        let host = self.host.clone();
        let action = format!("{} {}", question.action, question.what);
        if let Some(place) = elsewhere {
            return ClientError::Elsewhere {
                host,
                place,
                action,
                status: status.as_u16(),
                message,
            };
        }
        let known = status == StatusCode::UNAUTHORIZED
            && self
                .authorization
                .has_credentials(question.repository)
                .await;
        match status {
            StatusCode::NOT_FOUND => ClientError::NotFound {
                host,
                what: question.what.to_owned(),
                message: telling(message),
            },
            StatusCode::UNAUTHORIZED if !(known && lacks_rights) => ClientError::Unauthorized {
                host,
                message: telling(message),
                with_credentials: known,
            },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ClientError::Denied {
                host,
                action,
                message,
            },
            status => ClientError::Refused {
                host,
                action,
                status: status.as_u16(),
                message,
            },
        }
    }
}

/// What was asked, for the words of an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'words> {
    /// Such as `to push`.
    pub(super) action: &'words str,
    /// Such as the name of a manifest.
    pub(super) what: &'words str,
    pub(super) repository: &'words str,
}

/// How long the registry asks to wait: seconds, or a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let wait = date.duration_since(sampan_supervise::clock::now());
    Duration::try_from(wait).ok()
}

fn next(response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let next = response.url().join(location).ok()?;
    matches!(next.scheme(), "http" | "https").then_some(next)
}
