//! What happens on a connection, so that one on which nothing happens can end.
//!
//! Places are few, and a client that does nothing costs it nothing to keep one. Between requests, none may be kept for
//! long, whatever the version of HTTP; within an answer, the client must take some of it now and then. A request that the
//! server itself has not answered yet, or whose answer goes on later, may last as long as it likes.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client that takes less within the time for the head of a request takes nothing; it is more than answers to pings.
const LEAST_BYTES: u64 = 4 << 10;
/// For so many such times a client may take nothing of an answer.
const PATIENCE: u32 = 4;

/// What happens on a connection; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Requests that have come.
    begun: AtomicU64,
    /// Those whose answer has not been taken wholly.
    in_flight: AtomicUsize,
    /// Those of them in which it is not the client that is waited for.
    working: AtomicUsize,
    /// Bytes that the client has taken.
    written: AtomicU64,
}

/// Why a connection should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Desertion {
    /// No request has come at all.
    Silent,
    /// No further request has come.
    Idle,
    /// The client does not take its answer.
    Stalled,
}

impl Activity {
    /// Returns when the client has done nothing for `patience` or a little longer.
    pub(crate) async fn desertion(&self, patience: Duration) -> Desertion {
        let counts = &self.0;
        let (mut begun, mut written, mut stalled) = (0, 0, 0);
        loop {
            tokio::time::sleep(patience).await;
            let (begun_before, written_before) = (begun, written);
            begun = counts.begun.load(Ordering::Relaxed);
            written = counts.written.load(Ordering::Relaxed);
            let takes = written - written_before >= LEAST_BYTES;
            if takes || counts.working.load(Ordering::Relaxed) > 0 {
                stalled = 0;
            } else if counts.in_flight.load(Ordering::Relaxed) > 0 {
                stalled += 1;
                if stalled >= PATIENCE {
                    return Desertion::Stalled;
                }
            } else if begun == 0 {
                return Desertion::Silent;
            } else if begun == begun_before {
                return Desertion::Idle;
            }
        }
    }

    /// A request has come.
    pub(crate) fn begin(&self) -> Flight {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        self.0.working.fetch_add(1, Ordering::Relaxed);
        Flight {
            activity: self.clone(),
            working: true,
        }
    }
}

/// A request whose answer has not been taken wholly.
#[derive(Debug)]
pub(crate) struct Flight {
    activity: Activity,
    working: bool,
}

impl Flight {
    fn set_working(&mut self, working: bool) {
        let count = &self.activity.0.working;
        match (self.working, working) {
            (false, true) => drop(count.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(count.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        self.working = working;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.set_working(false);
        self.activity.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer. Who has got a part of it must come for the next.
pub(crate) struct Watched<B> {
    body: Pin<Box<B>>,
    flight: Flight,
}

impl<B> Watched<B> {
    pub(crate) fn new(body: B, flight: Flight) -> Self {
        Self {
            body: Box::pin(body),
            flight,
        }
    }
}

impl<B: Body> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<B::Data>, B::Error>>> {
        let watched = self.get_mut();
        let polled = watched.body.as_mut().poll_frame(context);
        watched.flight.set_working(polled.is_pending());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that counts what its client takes.
pub(crate) struct Counted<S> {
    stream: S,
    activity: Activity,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S, activity: Activity) -> Self {
        Self { stream, activity }
    }

    fn count(&self, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            let count = &self.activity.0.written;
            count.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        let counted = self.get_mut();
        let written = Pin::new(&mut counted.stream).poll_write(context, bytes);
        counted.count(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let counted = self.get_mut();
        let written = Pin::new(&mut counted.stream).poll_write_vectored(context, slices);
        counted.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
