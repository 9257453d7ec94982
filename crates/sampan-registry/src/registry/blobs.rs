//! Blobs: what repositories hold, and how uploads become blobs.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use sampan_oci::Digest;
use sampan_oci::digest::Algorithm;
use sampan_store::registry::{BlobRow, Content, LinkBlob, Refusal};
use sampan_supervise::clock;

use super::{Held, Mark, Registry, Session};
use crate::error::Error;
use crate::storage::{Reader, StorageError, Stored, blocking};
use crate::wire::name::RepositoryName;
use crate::wire::range::ChunkRange;

/// How long something must not have been needed for a question about it to be written down. Who takes such things away
/// waits much longer.
const TOUCH_AFTER: Duration = Duration::from_mins(1);
/// How many holders of a blob are looked at for a mount that does not say from where.
const HOLDERS: u32 = 16;

impl Registry {
    /// The size of a blob that the repository holds. The question keeps an unreferenced blob from the collector, since
    /// clients ask in order to push a manifest next.
    pub(crate) async fn blob_size(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<u64, Error> {
        let row = self.blob_row(repository, digest).await?;
        let now = clock::now();
        if is_old(row.idle_since, now) {
            let touched = self
                .ledger
                .touch_blob(repository.as_str(), &digest.to_string(), now)
                .await?;
            if !touched {
                return Err(unknown(digest));
            }
        }
        Ok(row.size_bytes)
    }

    /// A blob that the repository holds, opened.
    pub(crate) async fn blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Stored, Error> {
        let row = self.blob_row(repository, digest).await?;
        self.storage
            .open(digest, row.size_bytes)
            .await?
            .ok_or_else(|| unknown(digest))
    }

    /// The bytes of a part of a blob.
    pub(crate) async fn read(&self, blob: Stored, range: Range<u64>) -> Result<Reader, Error> {
        let digest = blob.digest;
        let reader = blob.read(range).await?;
        reader.ok_or_else(|| unknown(&digest))
    }

    /// Takes a blob from a repository. Its bytes stay until the collector finds that nobody needs them.
    pub(crate) async fn delete_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        actor: &str,
    ) -> Result<(), Error> {
        let removal = self.removal(repository, actor);
        self.ledger
            .delete_blob(removal, &digest.to_string())
            .await?;
        Ok(())
    }

    /// Lets a repository hold a blob of another one; says whether that was possible.
    pub(crate) async fn mount(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        from: &RepositoryName,
    ) -> Result<bool, Error> {
        let _lock = self.locks.lock(digest).await;
        if self.storage.keep(digest).await?.is_none() {
            return Ok(false);
        }
        let content = Content::Mounted {
            from: from.as_str().to_owned(),
        };
        match self.link(repository, digest, content).await {
            Ok(()) => Ok(true),
            Err(Error::Refused(Refusal::BlobUnknown { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Repositories that hold a blob; not all, when there are many.
    pub(crate) async fn holders(&self, digest: &Digest) -> Result<Vec<String>, Error> {
        let holders = self
            .ledger
            .repositories_with(&digest.to_string(), HOLDERS)
            .await?;
        Ok(holders)
    }

    /// Begins an upload.
    pub(crate) async fn start_upload(
        &self,
        repository: &RepositoryName,
        algorithm: Algorithm,
    ) -> Result<Arc<Session>, Error> {
        self.uploads.start(repository, algorithm).await
    }

    /// The upload with an id.
    pub(crate) async fn upload(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Arc<Session>, Error> {
        self.uploads.find(repository, id).await
    }

    /// Ends an upload and removes its bytes.
    pub(crate) async fn cancel(&self, session: &Session) -> Result<(), Error> {
        let held = session.hold().await?;
        self.uploads.discard(session, held).await?;
        Ok(())
    }

    /// Appends bytes to an upload. What came before a failure of the client stays, so that it can go on from there;
    /// a chunk of another length than it said is taken back. What the project has no room for ends the upload; the digest, if
    /// it is known already, tells whether the project has the content.
    pub(crate) async fn append(
        &self,
        session: &Session,
        held: Held,
        chunk: Option<ChunkRange>,
        digest: Option<&Digest>,
        bytes: impl Stream<Item = Result<Bytes, Error>> + Send,
    ) -> Result<Held, Error> {
        let start = held.length_bytes();
        if let Some(chunk) = chunk
            && chunk.first != start
        {
            return Err(Error::ChunkOrder {
                first: chunk.first,
                length_bytes: start,
                location: session.location(),
            });
        }
        let mark = held.mark();
        let limit_bytes = self.config.limits.blob_bytes.unwrap_or(u64::MAX);
        let end_limit = chunk.map_or(limit_bytes, |chunk| limit_bytes.min(chunk.last + 1));
        let room = self.room(session.repository(), digest).await?;
        let room_limit = room.as_ref().map_or(u64::MAX, |room| room.bytes);
        let (mut held, received) = self.receive(held, end_limit.min(room_limit), bytes).await;
        let fault = match (received, chunk, room) {
            // Nothing that it goes on with could be kept.
            (Err(Fault::TooMuch { end }), _, Some(room)) if room_limit < end_limit => {
                self.uploads.discard(session, held).await?;
                return Err(room.refusal(end));
            }
            (received, chunk, _) => (received, chunk),
        };
        let fault = match fault {
            (Err(Fault::TooMuch { .. }), Some(chunk)) if end_limit > chunk.last => Error::Length {
                expected_bytes: chunk.length(),
                actual_bytes: chunk.length() + 1,
            },
            (Err(Fault::TooMuch { .. }), _) => Error::BlobTooLarge { limit_bytes },
            (Err(Fault::Other(error)), _) => return Err(error),
            (Ok(()), Some(chunk)) if held.length_bytes() != chunk.last + 1 => Error::Length {
                expected_bytes: chunk.length(),
                actual_bytes: held.length_bytes() - start,
            },
            (Ok(()), _) => return Ok(held),
        };
        blocking(move || {
            held.rewind(mark)?;
            Err(fault)
        })
        .await
    }

    async fn receive(
        &self,
        held: Held,
        end_limit: u64,
        bytes: impl Stream<Item = Result<Bytes, Error>> + Send,
    ) -> (Held, Result<(), Fault>) {
        let mut end = held.length_bytes();
        let mut sink = self.uploads.sink(held);
        let mut bytes = std::pin::pin!(bytes);
        let received = loop {
            let part = match bytes.next().await {
                None => break Ok(()),
                Some(Ok(part)) => part,
                Some(Err(error)) => break Err(Fault::Other(error)),
            };
            end = end.saturating_add(part.len() as u64);
            if end > end_limit {
                break Err(Fault::TooMuch { end });
            }
            if let Err(error) = sink.push(part).await {
                break Err(Fault::Other(error));
            }
        };
        let (held, written) = sink.finish().await;
        let written = written.map_err(Fault::Other);
        (held, received.and(written))
    }

    /// Takes a blob that is in memory.
    pub(crate) async fn push_blob(
        &self,
        repository: &RepositoryName,
        bytes: Bytes,
    ) -> Result<Digest, Error> {
        let (registry, repository) = (self.clone(), repository.clone());
        self.whole(async move {
            let digest = Digest::of_bytes(&bytes);
            let size_bytes = bytes.len() as u64;
            registry
                .check_room(&repository, &digest, size_bytes)
                .await?;
            let _lock = registry.locks.lock(&digest).await;
            let made = registry.storage.put(digest, bytes).await?;
            let content = Content::Uploaded { size_bytes };
            let linked = registry.link(&repository, &digest, content).await;
            if made && matches!(linked, Err(Error::Refused(_))) {
                registry.take_back(&digest).await;
            }
            linked.map(|()| digest)
        })
        .await
    }

    /// The bytes of a small blob or manifest; nothing when it is gone or has more than `limit_bytes`.
    pub(crate) async fn small(
        &self,
        digest: &Digest,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.storage.small(digest, limit_bytes).await?)
    }

    /// Makes a whole upload a blob of its repository. Bytes of another digest leave nothing. Once begun, this goes on
    /// when the client leaves.
    pub(crate) async fn finish_upload(
        &self,
        session: &Arc<Session>,
        whole: Whole,
        digest: Digest,
    ) -> Result<(), Error> {
        let (registry, session) = (self.clone(), Arc::clone(session));
        self.whole(async move { registry.publish(&session, whole, digest).await })
            .await
    }

    async fn publish(&self, session: &Session, whole: Whole, digest: Digest) -> Result<(), Error> {
        let Whole { mut held, mark } = whole;
        let (mut held, verified) = blocking(move || {
            let verified = held.verify(&digest);
            (held, verified)
        })
        .await;
        let verified = match verified {
            Ok(verified) => verified,
            Err(error @ Error::DigestMismatch { .. }) => {
                self.uploads.discard(session, held).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let size_bytes = verified.size_bytes;
        if let Err(error) = self
            .check_room(session.repository(), &digest, size_bytes)
            .await
        {
            self.uploads.discard(session, held).await?;
            return Err(error);
        }
        let (lock, adopted) = match self.storage.carry(verified).await {
            Ok(verified) => {
                let lock = self.locks.lock(&digest).await;
                (Some(lock), self.storage.adopt(verified).await)
            }
            Err(error) => (None, Err(error)),
        };
        let moved = match adopted {
            Ok(moved) => moved,
            Err(StorageError::Bucket(error)) => {
                // The bytes are still here: the same request may come again, once the bucket is back.
                blocking(move || held.rewind(mark)).await?;
                return Err(Error::Bucket(error));
            }
            Err(error) => {
                // The kernel tells only once that bytes did not reach the disk: they must come again.
                self.uploads.discard(session, held).await?;
                return Err(error.into());
            }
        };
        let linked = self
            .link(
                session.repository(),
                &digest,
                Content::Uploaded { size_bytes },
            )
            .await;
        if moved && matches!(linked, Err(Error::Refused(_))) {
            self.take_back(&digest).await;
        }
        drop(lock);
        // The upload is over even when the ledger refuses: the project has no room for it.
        if moved {
            self.uploads.forget(session, held);
        } else {
            self.uploads.discard(session, held).await?;
        }
        linked
    }

    async fn link(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        content: Content,
    ) -> Result<(), Error> {
        let link = LinkBlob {
            repository: repository.as_str().to_owned(),
            digest: digest.to_string(),
            content,
            quota_bytes: self.rules(repository).quota_bytes,
            at: clock::now(),
        };
        self.ledger.link_blob(link).await?;
        Ok(())
    }

    async fn blob_row(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<BlobRow, Error> {
        self.ledger
            .blob(repository.as_str(), &digest.to_string())
            .await?
            .ok_or_else(|| unknown(digest))
    }
}

/// An upload to which all bytes have come.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The upload.
    pub(crate) held: Held,
    /// Where it stood before the last request, which may come again if the bucket fails.
    pub(crate) mark: Mark,
}

/// Why the bytes of a request did not all arrive.
enum Fault {
    /// So many would there be with the last ones, or more.
    TooMuch {
        end: u64,
    },
    Other(Error),
}

/// Whether a question about what nothing has needed since then must be written down.
pub(super) fn is_old(since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_some_and(|since| now.duration_since(since).unsigned_abs() > TOUCH_AFTER)
}

pub(super) fn unknown(digest: &Digest) -> Error {
    Error::BlobUnknown {
        digest: digest.to_string(),
    }
}
