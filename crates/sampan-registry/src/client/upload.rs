//! A blob on its way into a registry: not at all, by a mount, in one piece or in many; a broken upload goes on where
//! the registry says that it stands.

mod body;
mod session;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{Method, StatusCode};
use reqwest::Response;
use sampan_oci::Digest;

use self::body::{Check, Failure, Piece};
use self::session::{Opened, Session};
use super::error::{ClientError, is_passing};
use super::origin::Origin;
use super::repository::Repository;
use super::transport::{Patience, Reason, retry_after};
use super::watch::{Arrival, Watch};

const OCTETS: &str = "application/octet-stream";

/// Blobs up to this size go in one request with their digest, in bytes.
const SMALL_BYTES: u64 = 256 << 10;

/// How much longer than usual a registry may think when a blob is complete.
const CLOSING_FACTOR: u32 = 5;

/// One blob for one repository.
pub(super) struct Upload<'call> {
    target: &'call Repository,
    digest: Digest,
    size: u64,
    chunk_bytes: Option<u64>,
    watch: &'call dyn Watch,
    check: Check,
}

/// Why a piece did not arrive.
enum Setback {
    /// It may be tried again.
    Passing(ClientError, Option<(StatusCode, Option<Duration>)>),
    /// The fault lies with where the bytes come from.
    Source(ClientError),
    /// The registry has forgotten the upload, or does not agree on where it stands.
    Lost(ClientError),
    Final(ClientError),
}

impl<'call> Upload<'call> {
    pub(super) fn new(
        target: &'call Repository,
        digest: Digest,
        size: u64,
        chunk_bytes: Option<u64>,
        watch: &'call dyn Watch,
    ) -> Self {
        Self {
            target,
            digest,
            size,
            chunk_bytes,
            watch,
            check: Check::new(digest),
        }
    }

    /// Sees to it that the registry has the blob from the first place of `origin` that gives the right bytes; `known` are
    /// repositories of the same registry that should have it.
    pub(super) async fn run(
        &self,
        origin: &Origin,
        known: &[String],
    ) -> Result<Arrival, ClientError> {
        if self.target.blob_size(&self.digest).await?.is_some() {
            return Ok(Arrival::Present);
        }
        let mut patience = Patience::of_transfer(self.target.endpoint.transport.retry);
        let Opened::Session(mut session) = self.mount(known).await? else {
            return Ok(Arrival::Mounted);
        };
        let mut places = origin.places().into_iter().peekable();
        while let Some(place) = places.peek() {
            let before = session.offset;
            let (error, asked, lost) = match self.forward(place, &mut session).await {
                Ok(()) => return Ok(Arrival::Moved),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Source(error)) => {
                    drop(places.next());
                    let is_last = places.peek().is_none();
                    let untouched = session.offset == 0 && self.check.is_whole(0);
                    if is_last || !untouched {
                        self.cancel(&session).await;
                    }
                    if is_last {
                        return Err(error);
                    }
                    if !untouched {
                        self.check.restart();
                        session = self.begin().await?;
                    }
                    continue;
                }
                Err(Setback::Passing(error, asked)) => (error, asked, false),
                Err(Setback::Lost(error)) => (error, None, true),
            };
            tracing::debug!(%error, digest = %self.digest, "an upload broke");
            let sent = session.offset;
            let reason = asked.map_or(Reason::Failed(&error), |(status, wait)| {
                Reason::Busy(status, wait)
            });
            if !patience.again(self.target.host(), reason).await {
                return Err(error);
            }
            let known = (!lost).then_some(&session);
            session = match self.taken_up(known, &mut patience).await? {
                Some(stands) => stands,
                None => return Ok(Arrival::Moved),
            };
            if session.offset.max(sent) > before {
                patience.progressed();
            }
            self.watch.position(&self.digest, session.offset);
        }
        Err(ClientError::NotHere {
            name: self.digest.to_string(),
        })
    }

    /// Where a broken upload goes on, or `None` when it is done. A registry that is away is waited for, but not one that
    /// accepts connections and is silent: that was waited for at length already.
    async fn taken_up(
        &self,
        known: Option<&Session>,
        patience: &mut Patience,
    ) -> Result<Option<Session>, ClientError> {
        loop {
            let error = match self.standing(known).await {
                Err(error) if error.is_passing() => error,
                outcome => return outcome,
            };
            let silent = matches!(error, ClientError::Stalled { .. });
            let reason = Reason::Failed(&error);
            if silent || !patience.again(self.target.host(), reason).await {
                return Err(error);
            }
        }
    }

    async fn standing(&self, known: Option<&Session>) -> Result<Option<Session>, ClientError> {
        if let Some(session) = known
            && let Some(stands) = self.status(session).await?
        {
            return Ok(Some(stands));
        }
        // The answer to the last request may have been lost, not the request.
        if self.target.blob_size(&self.digest).await?.is_some() {
            return Ok(None);
        }
        self.begin().await.map(Some)
    }

    /// Sends what is missing and closes the upload.
    async fn forward(&self, place: &Origin, session: &mut Session) -> Result<(), Setback> {
        if self.size <= SMALL_BYTES && session.offset == 0 {
            let bytes = self.whole(place).await.map_err(Setback::Source)?;
            return self.close(session, bytes).await;
        }
        while session.offset < self.size {
            let left = self.size - session.offset;
            let chunk = self.chunk_bytes.map_or(left, |chunk| {
                chunk.max(session.smallest_chunk).clamp(1, left)
            });
            self.piece(place, session, chunk).await?;
        }
        if self.check.is_whole(self.size) {
            let checked = self.check.finish();
            checked.map_err(|failure| Setback::Source(self.fault(place, failure)))?;
        }
        self.close(session, Bytes::new()).await
    }

    async fn whole(&self, place: &Origin) -> Result<Bytes, ClientError> {
        let mut reader = place.blob(self.digest, self.size, 0).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        self.check.restart();
        self.check.take(0, &bytes);
        let checked = self.check.finish();
        checked.map_err(|failure| self.fault(place, failure))?;
        Ok(bytes.into())
    }

    fn fault(&self, place: &Origin, failure: Failure) -> ClientError {
        match failure {
            Failure::Reading(error) => error,
            Failure::Altered(actual) => place.altered(self.digest, actual),
        }
    }

    async fn piece(
        &self,
        place: &Origin,
        session: &mut Session,
        length: u64,
    ) -> Result<(), Setback> {
        let reader = place.blob(self.digest, self.size, session.offset).await;
        let sent = Arc::new(AtomicU64::new(0));
        let failure = Arc::<Mutex<Option<Failure>>>::default();
        let body = self.check.body(Piece {
            reader: reader.map_err(Setback::Source)?,
            offset: session.offset,
            length,
            sent: Arc::clone(&sent),
            failure: Arc::clone(&failure),
        });
        let range = format!("{}-{}", session.offset, session.offset + length - 1);
        let request = self
            .request(Method::PATCH, session)
            .await?
            .header(CONTENT_TYPE, OCTETS)
            .header(CONTENT_LENGTH, length)
            .header(CONTENT_RANGE, range)
            .body(body);
        let outcome = self.watched(request, &sent, session.offset, 1).await;
        // A failure of where the bytes come from shows as a broken connection to where they go.
        let failed = failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(failure) = failed {
            return Err(Setback::Source(self.fault(place, failure)));
        }
        let response = self.sorted(outcome, StatusCode::ACCEPTED).await?;
        session.location = self.location(&response).map_err(Setback::Final)?;
        session.offset += length;
        Ok(())
    }

    async fn close(&self, session: &Session, bytes: Bytes) -> Result<(), Setback> {
        let length = bytes.len() as u64;
        let mut closing = Session {
            location: session.location.clone(),
            ..*session
        };
        let digest = self.digest.to_string();
        closing
            .location
            .query_pairs_mut()
            .append_pair("digest", &digest);
        let request = self
            .request(Method::PUT, &closing)
            .await?
            .header(CONTENT_TYPE, OCTETS)
            .header(CONTENT_LENGTH, length)
            .body(bytes);
        let sent = AtomicU64::new(0);
        let outcome = self
            .watched(request, &sent, session.offset, CLOSING_FACTOR)
            .await;
        self.sorted(outcome, StatusCode::CREATED).await?;
        self.watch.position(&self.digest, self.size);
        Ok(())
    }

    /// A request to where the registry wants the upload; who asks is told to the registry itself only.
    async fn request(
        &self,
        method: Method,
        session: &Session,
    ) -> Result<reqwest::RequestBuilder, Setback> {
        let transport = &self.target.endpoint.transport;
        let call = self.target.call(method, session.location.clone());
        let own = call.url.origin() == self.target.url("").origin();
        if !own {
            let host = super::authorization::authority(&call.url);
            let plain = call.url.scheme() == "http";
            let http = transport
                .connector
                .http(&host, plain)
                .map_err(Setback::Final)?;
            return Ok(http.request(call.method, call.url));
        }
        let header = transport.authorization.header(call.wanted()).await;
        let header = header.map_err(Setback::Final)?;
        let request = transport
            .http
            .request(call.method.clone(), call.url.clone());
        Ok(match header {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        })
    }

    /// Sends a request whose body takes its time, and gives up when nothing moves.
    async fn watched(
        &self,
        request: reqwest::RequestBuilder,
        sent: &AtomicU64,
        offset: u64,
        factor: u32,
    ) -> Result<Response, ClientError> {
        let transport = &self.target.endpoint.transport;
        let limit = transport.idle_timeout * factor;
        let mut sending = std::pin::pin!(request.send());
        let mut seen = 0;
        let mut still = Duration::ZERO;
        loop {
            let tick = limit.min(Duration::from_millis(100));
            if let Ok(done) = tokio::time::timeout(tick, &mut sending).await {
                return done.map_err(|source| ClientError::transport(&transport.host, source));
            }
            let now = sent.load(Ordering::Relaxed);
            if now > seen {
                still = Duration::ZERO;
                seen = now;
                self.watch.position(&self.digest, offset + now);
            } else {
                still += tick;
            }
            if still >= limit {
                return Err(transport.stalled());
            }
        }
    }

    async fn sorted(
        &self,
        outcome: Result<Response, ClientError>,
        wanted: StatusCode,
    ) -> Result<Response, Setback> {
        let response = match outcome {
            Ok(response) if response.status() == wanted => return Ok(response),
            // Some registries say 204 or 201 where the specification has 202.
            Ok(response) if response.status().is_success() => return Ok(response),
            Ok(response) => response,
            Err(error) if error.is_passing() => return Err(Setback::Passing(error, None)),
            Err(error) => return Err(Setback::Final(error)),
        };
        let (status, asked) = (response.status(), retry_after(&response));
        let error = self.refusal(response).await;
        Err(match status {
            // A token may have expired on the way; asking for the status renews it.
            StatusCode::UNAUTHORIZED => Setback::Passing(error, None),
            status if is_passing(status.as_u16()) => Setback::Passing(error, Some((status, asked))),
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => Setback::Lost(error),
            _ => Setback::Final(error),
        })
    }

    async fn refusal(&self, response: Response) -> ClientError {
        let what = self.target.shown(&self.digest.to_string());
        self.target.refusal_of_push(response, &what).await
    }
}
