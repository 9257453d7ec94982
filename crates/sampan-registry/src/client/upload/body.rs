//! The bytes of an upload on their way out, hashed as they go: a registry need not look at what it is sent, and who gave
//! false bytes is to be told from who refuses them.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use sampan_oci::Digest;
use sampan_oci::digest::Hasher;

use super::super::blob::BlobReader;
use super::super::error::ClientError;

/// The bytes of one blob, from its beginning to as far as they were read.
#[derive(Debug, Clone)]
pub(super) struct Check {
    expected: Digest,
    hasher: Arc<Mutex<Hasher>>,
}

/// A part of a blob that is sent with one request.
pub(super) struct Piece {
    pub(super) reader: BlobReader,
    /// Where it begins.
    pub(super) offset: u64,
    pub(super) length: u64,
    /// How much of it has gone out.
    pub(super) sent: Arc<AtomicU64>,
    /// Why where the bytes come from gave no more of them.
    pub(super) failure: Arc<Mutex<Option<Failure>>>,
}

/// What is wrong with where bytes come from.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed.
    Reading(ClientError),
    /// It has other bytes than it should; the digest of those.
    Altered(Digest),
}

impl Check {
    pub(super) fn new(expected: Digest) -> Self {
        Self {
            expected,
            hasher: Arc::new(Mutex::new(Hasher::new(expected.algorithm()))),
        }
    }

    fn hasher(&self) -> MutexGuard<'_, Hasher> {
        self.hasher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all bytes so far.
    pub(super) fn restart(&self) {
        *self.hasher() = Hasher::new(self.expected.algorithm());
    }

    /// Takes bytes that begin at `offset`; those that are sent again count once, and those after a gap not at all.
    pub(super) fn take(&self, offset: u64, bytes: &[u8]) {
        let mut hasher = self.hasher();
        if offset > hasher.length() {
            return;
        }
        let known = hasher.length().saturating_sub(offset);
        if let Ok(known) = usize::try_from(known)
            && known < bytes.len()
        {
            hasher.update(&bytes[known..]);
        }
    }

    /// Whether all of a blob of `size` bytes was taken since the last answer.
    pub(super) fn is_whole(&self, size: u64) -> bool {
        self.hasher().length() == size
    }

    /// Says of all bytes which digest they have if it is not the right one, and begins anew.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        let hasher = std::mem::replace(&mut *self.hasher(), Hasher::new(self.expected.algorithm()));
        let actual = hasher.finish();
        if actual == self.expected {
            Ok(())
        } else {
            Err(Failure::Altered(actual))
        }
    }

    /// The piece as the body of a request.
    pub(super) fn body(&self, piece: Piece) -> Body {
        let start = (piece, self.clone());
        Body::wrap_stream(stream::try_unfold(start, async |(mut piece, check)| {
            if piece.length == 0 {
                return Ok(None);
            }
            let read = match piece.reader.chunk().await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(check.finish().err()),
                Err(error) => Err(Some(Failure::Reading(error))),
            };
            let mut bytes: Bytes = match read {
                Ok(bytes) => bytes,
                Err(failure) => {
                    *piece.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
                    return Err(io::Error::other("the source failed"));
                }
            };
            bytes.truncate(usize::try_from(piece.length).unwrap_or(usize::MAX));
            check.take(piece.offset, &bytes);
            let count = bytes.len() as u64;
            piece.offset += count;
            piece.length -= count;
            piece.sent.fetch_add(count, Ordering::Relaxed);
            Ok(Some((bytes, (piece, check))))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_again_counts_once() {
        let check = Check::new(Digest::of_bytes(b"sampan"));
        for (offset, bytes) in [(3, "pan"), (0, "samp"), (2, "mp"), (0, "sampa"), (5, "n")] {
            check.take(offset, bytes.as_bytes());
        }
        check.finish().unwrap();
        check.take(0, b"sampam");
        let failure = check.finish().unwrap_err();
        assert!(
            matches!(failure, Failure::Altered(actual) if actual == Digest::of_bytes(b"sampam"))
        );
    }
}
