//! Bodies on their way through: streamed frame by frame, watched for standstill.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::pool::Sender;
use crate::backend::Ticket;

/// Why a body ended too early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// The sender broke off.
    #[error("the body was cut off")]
    Broken(#[source] hyper::Error),
    /// The sender sent nothing for too long.
    #[error("the body stood still for too long")]
    Stalled,
}

/// A received body that must not stand still.
struct Stream {
    inner: Incoming,
    patience: Duration,
    /// Runs while we wait for the next frame.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    fn new(inner: Incoming, patience: Duration) -> Self {
        Self {
            inner,
            patience,
            timer: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
        }
        let patience = self.patience;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyError::Stalled)))
    }
}

/// How far the sending of a request's body has come; shared with who waits for the response.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    frames: AtomicU64,
    state: AtomicU8,
}

/// What has become of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Not all of it has been passed on.
    Underway,
    /// All of it has been passed on.
    Complete,
    /// The client broke off.
    Broken,
    /// The client sent nothing for too long.
    Stalled,
}

impl Progress {
    /// Frames passed on so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Acquire)
    }

    pub(crate) fn state(&self) -> Sending {
        match self.state.load(Ordering::Acquire) {
            0 => Sending::Underway,
            1 => Sending::Complete,
            2 => Sending::Broken,
            _ => Sending::Stalled,
        }
    }

    fn set(&self, state: Sending) {
        self.frames.fetch_add(1, Ordering::AcqRel);
        self.state.store(state as u8, Ordering::Release);
    }
}

/// The body of a request on its way to an endpoint.
pub(crate) struct RequestBody {
    stream: Option<Stream>,
    progress: Arc<Progress>,
}

impl RequestBody {
    pub(crate) fn new(inner: Incoming, patience: Duration) -> Self {
        let this = Self::empty();
        if inner.is_end_stream() {
            return this;
        }
        this.progress.set(Sending::Underway);
        Self {
            stream: Some(Stream::new(inner, patience)),
            ..this
        }
    }

    pub(crate) fn empty() -> Self {
        let progress = Arc::new(Progress::default());
        progress.set(Sending::Complete);
        Self {
            stream: None,
            progress,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stream.is_none()
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        let frame = ready!(stream.poll(cx));
        let state = match &frame {
            Some(Ok(_)) if !stream.inner.is_end_stream() => Sending::Underway,
            Some(Ok(_)) | None => Sending::Complete,
            Some(Err(BodyError::Broken(_))) => Sending::Broken,
            Some(Err(BodyError::Stalled)) => Sending::Stalled,
        };
        self.progress.set(state);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.stream
            .as_ref()
            .is_none_or(|stream| stream.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.stream
            .as_ref()
            .map_or(SizeHint::with_exact(0), |stream| stream.inner.size_hint())
    }
}

/// The body of a response to a client.
pub(crate) enum ResponseBody {
    /// Our own short text, or nothing.
    Page(Full<Bytes>),
    /// What the endpoint answers.
    Relayed(Box<Relayed>),
}

/// An endpoint's body; while it lives, its request counts as in flight.
pub(crate) struct Relayed {
    stream: Stream,
    ended: bool,
    sender: Option<Sender>,
    sending: Arc<Progress>,
    ticket: Ticket,
}

impl Relayed {
    /// Relays `inner`; the connection of `sender` is kept for further requests once both bodies are through.
    pub(crate) fn new(
        inner: Incoming,
        patience: Duration,
        sender: Sender,
        sending: Arc<Progress>,
        ticket: Ticket,
    ) -> Self {
        Self {
            stream: Stream::new(inner, patience),
            ended: false,
            sender: Some(sender),
            sending,
            ticket,
        }
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        let complete = self.ended || self.stream.inner.is_end_stream();
        if complete
            && self.sending.state() == Sending::Complete
            && let Some(sender) = self.sender.take()
        {
            self.ticket.backend().idle.give_back(sender);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Page(page) => {
                let frame = ready!(Pin::new(page).poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
            }
            Self::Relayed(relayed) => {
                let frame = ready!(relayed.stream.poll(cx));
                relayed.ended |= frame.is_none();
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Page(page) => page.is_end_stream(),
            Self::Relayed(relayed) => relayed.stream.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Page(page) => page.size_hint(),
            Self::Relayed(relayed) => relayed.stream.inner.size_hint(),
        }
    }
}
