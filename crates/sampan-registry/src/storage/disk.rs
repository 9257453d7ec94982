//! Blobs in the content store of the installation.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sampan_oci::Digest;
use sampan_oci::store::{ContentStore, StoreError};

use super::Verified;
use super::buffers::Buffers;

/// Blobs on the local disk. All of its work blocks.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(super) content: ContentStore,
    pub(super) buffers: Buffers,
}

/// A blob on the disk, opened.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub(super) file: Arc<File>,
    pub(super) path: PathBuf,
    pub(super) buffers: Buffers,
}

impl Disk {
    /// Opens a blob, if it is there, and tells its size.
    pub(super) fn open(&self, digest: &Digest) -> Result<Option<(StoredFile, u64)>, StoreError> {
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
        let stored = StoredFile {
            file: Arc::new(file),
            path,
            buffers: self.buffers.clone(),
        };
        Ok(Some((stored, size_bytes)))
    }

    /// Makes the bytes survive a power cut, unless they will not be needed.
    pub(super) fn sync(&self, verified: Verified) -> Result<Verified, StoreError> {
        let synced = self.content.size(&verified.digest)? != Some(verified.size_bytes);
        if synced {
            verified.sync()?;
        }
        Ok(Verified { synced, ..verified })
    }

    /// Makes verified bytes a blob, unless it is there; says whether the file was needed for that.
    pub(super) fn adopt(&self, verified: &Verified) -> Result<bool, StoreError> {
        if !verified.synced {
            verified.sync()?;
        }
        self.content
            .adopt(&verified.path, &verified.digest, verified.size_bytes)
    }

    /// Stores bytes; says whether they were not there before.
    pub(super) fn put(&self, digest: &Digest, bytes: &Bytes) -> Result<bool, StoreError> {
        let content = &self.content;
        if content.keep_durably(digest, bytes.len() as u64)? {
            return Ok(false);
        }
        let mut writer = content.writer_for(digest.algorithm())?;
        writer
            .write_all(bytes)
            .map_err(|source| StoreError::io("write below", content.path(), source))?;
        writer.commit(Some(digest)).map(|_| true)
    }
}

impl Verified {
    fn sync(&self) -> Result<(), StoreError> {
        let done = self.file.sync_all();
        done.map_err(|source| StoreError::io("write", &self.path, source))
    }
}
