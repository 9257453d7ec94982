//! Where blobs lie, with an asynchronous face.
//!
//! Digests are verified before bytes get here, so storage only keeps and gives them. What may be seen by whom is decided by
//! the ledger, never by what is stored.

mod buffers;
mod reader;
mod sweeper;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sampan_oci::Digest;
use sampan_oci::store::{ContentStore, StoreError};
use tokio::task::{JoinHandle, spawn_blocking};

pub(crate) use self::buffers::{Budget, Buffers, Share};
pub(crate) use self::reader::Reader;
pub(crate) use self::sweeper::Sweeper;

/// The place of all blobs of a registry; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    /// The content store of this installation.
    Disk(Disk),
}

/// Blobs on the local disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    content: ContentStore,
    buffers: Buffers,
}

/// A stored blob, opened.
#[derive(Debug)]
pub(crate) struct Stored {
    file: Arc<File>,
    path: PathBuf,
    buffers: Buffers,
    /// Its length.
    pub(crate) size_bytes: u64,
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
    /// Blobs in `content`, read through `buffers`.
    pub(crate) fn disk(content: ContentStore, buffers: Buffers) -> Self {
        Self::Disk(Disk { content, buffers })
    }

    /// The size of a blob, if it is there; who asks is about to refer to it, which keeps it from collectors for a while.
    pub(crate) async fn keep(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let Self::Disk(disk) = self;
        let (content, digest) = (disk.content.clone(), *digest);
        blocking(move || content.keep(&digest)).await
    }

    /// Opens a blob, if it is there.
    pub(crate) async fn open(&self, digest: &Digest) -> Result<Option<Stored>, StoreError> {
        let Self::Disk(disk) = self;
        let (disk, digest) = (disk.clone(), *digest);
        blocking(move || disk.open(&digest)).await
    }

    /// Does what takes long of [`Self::adopt`]. The caller need not hold the lock of the digest, so nobody waits.
    pub(crate) async fn carry(&self, verified: Verified) -> Result<Verified, StoreError> {
        let Self::Disk(disk) = self;
        let content = disk.content.clone();
        blocking(move || {
            // What is there already will not be needed.
            let synced = content.size(&verified.digest)? != Some(verified.size_bytes);
            if synced {
                let done = verified.file.sync_all();
                done.map_err(|source| StoreError::io("write", &verified.path, source))?;
            }
            Ok(Verified { synced, ..verified })
        })
        .await
    }

    /// Makes verified bytes a blob that survives a power cut. The caller holds the lock of the digest. Says whether the
    /// file was needed for that; otherwise it stays where it is.
    pub(crate) async fn adopt(&self, verified: Verified) -> Result<bool, StoreError> {
        let Self::Disk(disk) = self;
        let content = disk.content.clone();
        blocking(move || {
            let Verified {
                path,
                file,
                digest,
                size_bytes,
                synced,
            } = verified;
            if !synced {
                let done = file.sync_all();
                done.map_err(|source| StoreError::io("write", &path, source))?;
            }
            content.adopt(&path, &digest, size_bytes)
        })
        .await
    }

    /// Stores bytes whose digest the caller has computed. The caller holds the lock of the digest. Says whether they were not
    /// there before.
    pub(crate) async fn put(&self, digest: Digest, bytes: Bytes) -> Result<bool, StoreError> {
        let Self::Disk(disk) = self;
        let content = disk.content.clone();
        blocking(move || {
            if content.keep_durably(&digest, bytes.len() as u64)? {
                return Ok(false);
            }
            let mut writer = content.writer_for(digest.algorithm())?;
            writer
                .write_all(&bytes)
                .map_err(|source| StoreError::io("write below", content.path(), source))?;
            writer.commit(Some(&digest)).map(|_| true)
        })
        .await
    }
}

impl Disk {
    fn open(&self, digest: &Digest) -> Result<Option<Stored>, StoreError> {
        let file = match self.content.open_blob(digest) {
            Ok(file) => file,
            Err(StoreError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let path = self.content.blob_path(digest);
        let size_bytes = file
            .metadata()
            .map_err(|source| StoreError::io("look at", &path, source))?
            .len();
        Ok(Some(Stored {
            file: Arc::new(file),
            path,
            buffers: self.buffers.clone(),
            size_bytes,
        }))
    }
}

impl Stored {
    /// Reads the bytes of `range`, which must lie within the blob.
    pub(crate) fn read(self, range: std::ops::Range<u64>) -> Reader {
        Reader::new(self.file, self.path, self.buffers, range)
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
