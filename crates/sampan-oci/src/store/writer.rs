//! A blob on its way in.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{ContentStore, StoreError, uploads};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::durable;

/// Hashes and keeps what is written to it, until [`BlobWriter::commit`] makes it a blob.
///
/// Dropped without that, it leaves nothing, unless it is one that can be resumed.
#[derive(Debug)]
pub struct BlobWriter {
    store: ContentStore,
    file: File,
    path: PathBuf,
    hasher: Hasher,
    fate: Fate,
}

/// What becomes of the file of a writer that is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Goes,
    /// It waits for the next writer of the same blob.
    Waits,
    /// It is a blob.
    Published,
}

impl BlobWriter {
    pub(super) fn create(store: ContentStore, algorithm: Algorithm) -> Result<Self, StoreError> {
        let (file, path) = uploads::create(&store.uploads())?;
        let hasher = Hasher::new(algorithm);
        Ok(Self {
            store,
            file,
            path,
            hasher,
            fate: Fate::Goes,
        })
    }

    pub(super) fn resume(store: ContentStore, digest: &Digest) -> Result<Self, StoreError> {
        let Some((mut file, path)) = uploads::resume(&store.uploads(), digest)? else {
            return Self::create(store, digest.algorithm());
        };
        let mut hasher = Hasher::new(digest.algorithm());
        io::copy(&mut file, &mut hasher).map_err(|source| StoreError::io("read", &path, source))?;
        Ok(Self {
            store,
            file,
            path,
            hasher,
            fate: Fate::Waits,
        })
    }

    /// Where the bytes lie on their way in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes were written, by those that this one goes on for as well.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.hasher.length()
    }

    /// Makes the bytes a blob and gives its digest and size in bytes.
    ///
    /// With `expected`, bytes of any other digest are refused. A blob that is already there stays,
    /// unless its size shows that it was damaged.
    ///
    /// # Errors
    /// When the digest is not the expected one, or the bytes cannot be made durable.
    pub fn commit(mut self, expected: Option<&Digest>) -> Result<(Digest, u64), StoreError> {
        // Whatever goes wrong from here on, the bytes are of no more use.
        self.fate = Fate::Goes;
        let length = self.hasher.length();
        let algorithm = expected.map_or(Algorithm::Sha256, Digest::algorithm);
        let digest = std::mem::replace(&mut self.hasher, Hasher::new(algorithm)).finish();
        if let Some(expected) = expected.filter(|expected| **expected != digest) {
            return Err(StoreError::altered(*expected, digest));
        }
        if !self.store.keep_durably(&digest, length)? {
            let synced = self.file.sync_all();
            synced.map_err(|source| StoreError::io("write", &self.path, source))?;
            publish(&self.store, &self.path, &digest)?;
            self.fate = Fate::Published;
        }
        Ok((digest, length))
    }
}

/// Makes the file at `path`, which has been synced, a blob that survives a power cut.
pub(super) fn publish(
    store: &ContentStore,
    path: &Path,
    digest: &Digest,
) -> Result<(), StoreError> {
    let target = store.blob_path(digest);
    fs::rename(path, &target)
        .map_err(|source| StoreError::io("move into place", &target, source))?;
    sync_folder_of(&target)
}

/// Makes the entry of the file at `path` survive a power cut.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    durable::sync_directory(durable::directory_of(path))
        .map_err(|source| StoreError::io("write", path, source))
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        match self.fate {
            Fate::Published => return,
            // Nothing is nothing to go on with.
            Fate::Waits if self.hasher.length() > 0 => return,
            Fate::Waits | Fate::Goes => {}
        }
        if let Err(error) = fs::remove_file(&self.path) {
            // The next opening of the store sweeps it away.
            tracing::debug!(path = %self.path.display(), %error, "cannot remove an upload");
        }
    }
}
