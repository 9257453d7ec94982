//! The body of an answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use hyper::body::{Frame, SizeHint};

use super::exchange::Exchange;
use crate::error::Error;
use crate::storage::Reader;
use crate::upstream::Growing;

type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// The body of an answer, which is accounted for when it has been sent or given up.
pub(crate) struct Body {
    content: Content,
    remaining: u64,
    exchange: Option<Exchange>,
}

enum Content {
    Bytes(Bytes),
    Parts(Parts),
}

impl Body {
    /// No bytes.
    pub(super) fn empty() -> Self {
        Self::bytes(Bytes::new())
    }

    /// These bytes.
    pub(super) fn bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            remaining: bytes.len() as u64,
            content: Content::Bytes(bytes),
            exchange: None,
        }
    }

    /// The bytes of a blob.
    pub(super) fn blob(reader: Reader) -> Self {
        let remaining = reader.remaining();
        let parts = futures_util::stream::unfold(reader, |mut reader| async move {
            let next = reader.next().await.transpose()?;
            Some((next.map_err(Error::from), reader))
        });
        Self {
            remaining,
            content: Content::Parts(Box::pin(parts)),
            exchange: None,
        }
    }

    /// The bytes of a blob that is still coming.
    pub(super) fn growing(growing: Growing) -> Self {
        let remaining = growing.remaining();
        let parts = futures_util::stream::unfold(growing, |mut growing| async move {
            let next = growing.next().await.transpose()?;
            Some((next, growing))
        });
        Self {
            remaining,
            content: Content::Parts(Box::pin(parts)),
            exchange: None,
        }
    }

    /// Ends the exchange when this body ends.
    pub(super) fn accounted(mut self, exchange: Exchange) -> Self {
        self.exchange = Some(exchange);
        self
    }

    fn account(&mut self, bytes: &Bytes) {
        self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
        if let Some(exchange) = &mut self.exchange {
            exchange.sent(bytes.len());
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = self.get_mut();
        let bytes = match &mut body.content {
            Content::Bytes(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Content::Bytes(bytes) => std::mem::take(bytes),
            Content::Parts(parts) => match ready!(parts.poll_next_unpin(context)) {
                None => return Poll::Ready(None),
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot go on sending a blob"
                    );
                    return Poll::Ready(Some(Err(error)));
                }
            },
        };
        body.account(&bytes);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
