//! The body of a request, within deadlines.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::error::Error;
use crate::metrics::Metrics;

/// How many bytes that nobody wants are read, so that a client that sends before it listens gets its answer.
const DRAIN_BYTES: u64 = 4 << 20;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(2);

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
        if self
            .announced_bytes
            .is_some_and(|bytes| bytes > limit_bytes)
        {
            return Ok(None);
        }
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            if (all.len() + bytes.len()) as u64 > limit_bytes {
                return Ok(None);
            }
            all.extend_from_slice(&bytes);
        }
        Ok(Some(all.into()))
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
