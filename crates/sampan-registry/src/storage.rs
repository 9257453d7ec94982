//! Where blobs lie, with an asynchronous face.
//!
//! Digests are verified before bytes get here, so storage only keeps and gives them. What may be seen by whom is decided by
//! the ledger, never by what is stored.

mod bucket;
mod buffers;
mod disk;
mod failure;
mod file_reader;
mod opening;
mod reader;
mod sweeper;

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sampan_oci::Digest;
use sampan_oci::store::ContentStore;
use tokio::task::{JoinHandle, spawn_blocking};

pub use self::failure::{BucketError, StorageError};
pub use self::opening::OpenError;

pub(crate) use self::buffers::{Budget, Buffers, Share};
pub(crate) use self::opening::Ground;
pub(crate) use self::reader::Reader;
pub(crate) use self::sweeper::Sweeper;

use self::bucket::Bucket;
use self::disk::{Disk, StoredFile};
use self::file_reader::FileReader;

/// The place of all blobs of a registry; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    /// The content store of this installation.
    Disk(Disk),
    /// A bucket. The content store then has only what has a local name.
    Object(Bucket, ContentStore),
}

/// A stored blob, found.
#[derive(Debug)]
pub(crate) struct Stored {
    source: Source,
    /// Which.
    pub(crate) digest: Digest,
    /// Its length.
    pub(crate) size_bytes: u64,
}

#[derive(Debug)]
enum Source {
    File(StoredFile),
    Object(Bucket),
}

/// Verified bytes in a file on the disk of the installation, on their way to be a blob.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    /// Where they lie.
    pub(crate) path: PathBuf,
    /// The same, open.
    pub(crate) file: Arc<File>,
    /// What they are.
    pub(crate) digest: Digest,
    /// How many.
    pub(crate) size_bytes: u64,
    /// Whether they would survive a power cut, where they lie.
    pub(crate) synced: bool,
}

impl Storage {
    /// Makes sure that blobs can be had at all.
    pub(crate) async fn check(&self) -> Result<(), StorageError> {
        match self {
            Self::Disk(_) => Ok(()),
            Self::Object(bucket, _) => Ok(bucket.check().await?),
        }
    }

    /// The size of a blob, if it is there; who asks is about to refer to it, which keeps it on the disk for a while. In a
    /// bucket, the lock of the digest does.
    pub(crate) async fn keep(&self, digest: &Digest) -> Result<Option<u64>, StorageError> {
        match self {
            Self::Disk(disk) => {
                let (content, digest) = (disk.content.clone(), *digest);
                Ok(blocking(move || content.keep(&digest)).await?)
            }
            Self::Object(bucket, _) => Ok(bucket.size(digest).await?),
        }
    }

    /// Finds a blob that the ledger knows to be so large. A bucket is asked only when the bytes are wanted.
    pub(crate) async fn open(
        &self,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<Option<Stored>, StorageError> {
        let digest = *digest;
        match self {
            Self::Disk(disk) => {
                let disk = disk.clone();
                let found = blocking(move || disk.open(&digest)).await?;
                Ok(found.map(|(file, size_bytes)| Stored {
                    source: Source::File(file),
                    digest,
                    size_bytes,
                }))
            }
            Self::Object(bucket, _) => Ok(Some(Stored {
                source: Source::Object(bucket.clone()),
                digest,
                size_bytes,
            })),
        }
    }

    /// The bytes of a blob, unless it is gone or has more than `limit_bytes`.
    pub(crate) async fn small(
        &self,
        digest: &Digest,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(size_bytes) = self.size(digest).await? else {
            return Ok(None);
        };
        if size_bytes > limit_bytes {
            return Ok(None);
        }
        let Some(stored) = self.open(digest, size_bytes).await? else {
            return Ok(None);
        };
        let Some(mut reader) = stored.read(0..size_bytes).await? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        while let Some(part) = reader.next().await? {
            bytes.extend_from_slice(&part);
        }
        Ok(Some(bytes))
    }

    /// Does what takes long of [`Self::adopt`]. The caller need not hold the lock of the digest, so nobody waits.
    pub(crate) async fn carry(&self, verified: Verified) -> Result<Verified, StorageError> {
        match self {
            Self::Disk(disk) => {
                let disk = disk.clone();
                Ok(blocking(move || disk.sync(verified)).await?)
            }
            Self::Object(bucket, _) => {
                bucket.bring(&verified).await?;
                Ok(verified)
            }
        }
    }

    /// Makes verified bytes a blob that survives a power cut. The caller holds the lock of the digest. Says whether the
    /// file was needed for that; otherwise it stays where it is.
    pub(crate) async fn adopt(&self, verified: Verified) -> Result<bool, StorageError> {
        match self {
            Self::Disk(disk) => {
                let disk = disk.clone();
                Ok(blocking(move || disk.adopt(&verified)).await?)
            }
            Self::Object(bucket, _) => {
                bucket.bring(&verified).await?;
                Ok(false)
            }
        }
    }

    /// Stores bytes whose digest the caller has computed. The caller holds the lock of the digest. Says whether they may not
    /// have been there before.
    pub(crate) async fn put(&self, digest: Digest, bytes: Bytes) -> Result<bool, StorageError> {
        match self {
            Self::Disk(disk) => {
                let disk = disk.clone();
                Ok(blocking(move || disk.put(&digest, &bytes)).await?)
            }
            Self::Object(bucket, _) => {
                bucket.put(&digest, bytes).await?;
                Ok(true)
            }
        }
    }

    /// Gives up what a killed server has begun to send to a bucket; says how much that was.
    pub(crate) async fn give_up_abandoned(&self) -> Result<usize, StorageError> {
        match self {
            Self::Disk(_) => Ok(0),
            Self::Object(bucket, _) => bucket.give_up_abandoned().await,
        }
    }

    async fn size(&self, digest: &Digest) -> Result<Option<u64>, StorageError> {
        match self {
            Self::Disk(disk) => {
                let (content, digest) = (disk.content.clone(), *digest);
                Ok(blocking(move || content.size(&digest)).await?)
            }
            Self::Object(bucket, _) => Ok(bucket.size(digest).await?),
        }
    }
}

impl Stored {
    /// Reads the bytes of `range`, which must lie within the blob; nothing when the blob is gone.
    pub(crate) async fn read(self, range: Range<u64>) -> Result<Option<Reader>, StorageError> {
        match self.source {
            Source::File(stored) => Ok(Some(Reader::File(FileReader::new(
                stored.file,
                stored.path,
                stored.buffers,
                range,
            )))),
            Source::Object(bucket) => {
                let reader = bucket.read(self.digest, range).await?;
                Ok(reader.map(Reader::Object))
            }
        }
    }
}

/// Runs file operations where they block nobody.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(spawn_blocking(work)).await
}

/// The outcome of work on a blocking thread. A panic there goes on here.
pub(crate) async fn joined<T>(handle: JoinHandle<T>) -> T {
    match handle.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime goes down; nobody waits for the answer any more.
            Err(_) => std::future::pending().await,
        },
    }
}
