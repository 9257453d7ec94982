//! Blobs that wait until all that belongs to them is there.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::{ContentStore, StoreError, uploads};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::durable;

/// A place for bytes that are to become blobs together or not at all.
///
/// Dropped, it takes away what was not published; a killed one is swept away by the next opening of
/// the store.
#[derive(Debug)]
pub(crate) struct Staging {
    store: ContentStore,
    directory: PathBuf,
    /// Tells sweepers that the writer lives.
    _lock: File,
    count: u64,
}

/// Complete bytes in a [`Staging`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staged {
    path: PathBuf,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
}

/// Hashes and keeps what is written to it.
#[derive(Debug)]
pub(crate) struct StagedWriter {
    file: File,
    path: PathBuf,
    hasher: Hasher,
}

impl Staging {
    pub(crate) fn new(store: &ContentStore) -> Result<Self, StoreError> {
        let (lock, directory) = uploads::create_directory(&store.uploads())?;
        Ok(Self {
            store: store.clone(),
            directory,
            _lock: lock,
            count: 0,
        })
    }

    /// Starts to keep bytes that `algorithm` will name.
    pub(crate) fn writer(&mut self, algorithm: Algorithm) -> Result<StagedWriter, StoreError> {
        self.count += 1;
        let path = self.directory.join(self.count.to_string());
        let file =
            File::create_new(&path).map_err(|source| StoreError::io("make", &path, source))?;
        Ok(StagedWriter {
            file,
            path,
            hasher: Hasher::new(algorithm),
        })
    }

    pub(crate) fn put_bytes(&mut self, bytes: &[u8]) -> Result<Staged, StoreError> {
        let mut writer = self.writer(Algorithm::Sha256)?;
        writer
            .write_all(bytes)
            .map_err(|source| StoreError::io("write below", &self.directory, source))?;
        Ok(writer.finish())
    }

    /// Makes the bytes blobs and says how many and how many bytes of them are new.
    pub(crate) fn publish(&self, blobs: &[Staged]) -> Result<(usize, u64), StoreError> {
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for blob in blobs {
            let held = self.store.keep(&blob.digest)? == Some(blob.size_bytes);
            if !held && seen.insert(blob.digest) {
                blob.open()?
                    .sync_all()
                    .map_err(|source| StoreError::io("write", &blob.path, source))?;
                new.push(blob);
            }
        }
        for blob in &new {
            let target = self.store.blob_path(&blob.digest);
            fs::rename(&blob.path, &target)
                .map_err(|source| StoreError::io("move into place", &target, source))?;
        }
        for algorithm in Algorithm::all() {
            let directory = self.store.root.join("blobs").join(algorithm.name());
            durable::sync_directory(&directory)
                .map_err(|source| StoreError::io("write", &directory, source))?;
        }
        Ok((new.len(), new.iter().map(|blob| blob.size_bytes).sum()))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            // The next opening of the store sweeps it away.
            tracing::debug!(path = %self.directory.display(), %error, "cannot remove staged content");
        }
    }
}

impl Staged {
    pub(crate) fn open(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|source| StoreError::io("open", &self.path, source))
    }

    /// Reads all of it, which must not be more than `limit` bytes.
    pub(crate) fn read(&self, limit: u64) -> Result<Vec<u8>, StoreError> {
        if self.size_bytes > limit {
            return Err(StoreError::TooLarge {
                digest: self.digest,
                limit,
            });
        }
        let mut bytes = Vec::new();
        self.open()?
            .read_to_end(&mut bytes)
            .map_err(|source| StoreError::io("read", &self.path, source))?;
        Ok(bytes)
    }
}

impl StagedWriter {
    pub(crate) fn finish(self) -> Staged {
        Staged {
            size_bytes: self.hasher.length(),
            digest: self.hasher.finish(),
            path: self.path,
        }
    }
}

impl Write for StagedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
