//! The socket towards an endpoint, which goes on listening when the endpoint no longer does.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A socket whose broken writing side does not end the exchange.
///
/// An endpoint may answer before it has read the whole request (`413`, `401`) and close. What we still send then fails,
/// while the answer waits to be read; hyper would give up at the failure. So the rest of the request is discarded
/// instead, and reading says what became of the exchange: an answer, or its end.
pub(crate) struct EndpointStream {
    inner: TcpStream,
    discards: bool,
}

impl EndpointStream {
    pub(crate) fn new(inner: TcpStream) -> Self {
        Self {
            inner,
            discards: false,
        }
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.inner
    }

    /// What a write comes to, given how many bytes it was about.
    fn settle(&mut self, outcome: io::Result<usize>, length: usize) -> io::Result<usize> {
        match outcome {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                ) =>
            {
                self.discards = true;
                Ok(length)
            }
            other => other,
        }
    }
}

impl AsyncRead for EndpointStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for EndpointStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.discards {
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        Poll::Ready(self.settle(outcome, bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = parts.iter().map(|part| part.len()).sum();
        if self.discards {
            return Poll::Ready(Ok(length));
        }
        let outcome = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, parts));
        Poll::Ready(self.settle(outcome, length))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
