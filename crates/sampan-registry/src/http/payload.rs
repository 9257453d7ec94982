//! The body of a request, within deadlines.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;
use crate::metrics::Metrics;

/// How many bytes that nobody wants are read, so that a client that sends before it listens gets its answer.
const DRAIN_BYTES: u64 = 4 << 20;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// So much of a body may lie in memory without a place.
const FREE_BYTES: usize = 64 << 10;
/// How long is waited for a place.
const PLACE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a place may be kept until the body is whole.
const PLACE_TIME: Duration = Duration::from_mins(2);

/// A whole body. One that is large has one of the places for such bodies until it is dropped.
#[derive(Debug)]
pub(super) struct Whole<'places> {
    pub(super) bytes: Bytes,
    _place: Option<SemaphorePermit<'places>>,
}

/// How far a body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filled {
    Whole,
    InPart,
    TooMuch,
}

/// What a client sends.
#[derive(Debug)]
pub(super) struct Payload<'server> {
    incoming: Incoming,
    metrics: &'server Metrics,
    silence: Duration,
    announced_bytes: Option<u64>,
    /// Whether the client waits for a word before it sends.
    expects: bool,
    /// Whether nothing can be expected from the client any more.
    broken: bool,
}

impl<'server> Payload<'server> {
    pub(super) fn new(
        incoming: Incoming,
        metrics: &'server Metrics,
        silence: Duration,
        expects: bool,
    ) -> Self {
        let announced_bytes = incoming.size_hint().exact();
        Self {
            incoming,
            metrics,
            silence,
            announced_bytes,
            expects,
            broken: false,
        }
    }

    /// How many bytes the client says that it sends.
    pub(super) fn announced_bytes(&self) -> Option<u64> {
        self.announced_bytes
    }

    /// The next bytes.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.expects = false;
        let next = self.frame().await;
        self.broken = next.is_err();
        next
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = tokio::time::timeout(self.silence, self.incoming.frame());
            let frame = frame.await.map_err(|_| Error::BodyTimeout {
                seconds: self.silence.as_secs(),
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(Error::Body(error.into())),
                Some(Ok(frame)) => {
                    // Trailers mean nothing here.
                    if let Ok(bytes) = frame.into_data() {
                        self.metrics.received(bytes.len());
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }

    /// All bytes, piece by piece.
    pub(super) fn stream(&mut self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        futures_util::stream::unfold(self, |payload| async move {
            let next = payload.next().await.transpose()?;
            Some((next, payload))
        })
    }

    /// All bytes; nothing when they are more than `limit_bytes`.
    pub(super) async fn collect(&mut self, limit_bytes: u64) -> Result<Option<Bytes>, Error> {
        let mut all = Vec::new();
        let filled = self.fill(&mut all, limit_bytes, usize::MAX).await?;
        Ok((filled == Filled::Whole).then(|| all.into()))
    }

    /// The same for bodies of which many together would take all memory: large ones need one of the `places`, and must
    /// come quickly once they have it.
    pub(super) async fn collect_whole<'places>(
        &mut self,
        limit_bytes: u64,
        places: &'places Semaphore,
    ) -> Result<Option<Whole<'places>>, Error> {
        let mut all = Vec::new();
        let mut filled = self.fill(&mut all, limit_bytes, FREE_BYTES).await?;
        let mut place = None;
        if filled == Filled::InPart {
            let waiting = tokio::time::timeout(PLACE_PATIENCE, places.acquire());
            place = waiting.await.ok().and_then(Result::ok);
            if place.is_none() {
                return Err(Error::Crowded);
            }
            let rest = self.fill(&mut all, limit_bytes, usize::MAX);
            let rest = tokio::time::timeout(PLACE_TIME, rest).await;
            filled = rest.map_err(|_| Error::BodyTimeout {
                seconds: PLACE_TIME.as_secs(),
            })??;
        }
        Ok((filled == Filled::Whole).then(|| Whole {
            bytes: all.into(),
            _place: place,
        }))
    }

    /// Takes bytes until there are enough for now.
    async fn fill(
        &mut self,
        all: &mut Vec<u8>,
        limit_bytes: u64,
        enough_bytes: usize,
    ) -> Result<Filled, Error> {
        if self
            .announced_bytes
            .is_some_and(|bytes| bytes > limit_bytes)
        {
            return Ok(Filled::TooMuch);
        }
        while let Some(bytes) = self.next().await? {
            if (all.len() + bytes.len()) as u64 > limit_bytes {
                return Ok(Filled::TooMuch);
            }
            all.extend_from_slice(&bytes);
            if all.len() > enough_bytes {
                return Ok(Filled::InPart);
            }
        }
        Ok(Filled::Whole)
    }

    /// Reads a little of what nobody wants, and says whether that was all; otherwise the connection must end, since what
    /// still comes would be taken for the next request.
    pub(super) async fn drain(&mut self) -> bool {
        if self.incoming.is_end_stream() {
            return true;
        }
        if self.broken
            || self.expects
            || self
                .announced_bytes
                .is_some_and(|bytes| bytes > DRAIN_BYTES)
        {
            return false;
        }
        let end = Instant::now() + DRAIN_TIME;
        let mut drained = 0;
        while drained <= DRAIN_BYTES {
            match tokio::time::timeout_at(end.into(), self.incoming.frame()).await {
                Ok(None) => return true,
                Ok(Some(Ok(frame))) => {
                    drained += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Ok(Some(Err(_))) | Err(_) => return false,
            }
        }
        false
    }
}
