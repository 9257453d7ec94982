//! The file of an upload and the hash of its bytes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sampan_oci::Digest;
use sampan_oci::digest::{Algorithm, Hasher};
use sampan_oci::store::StoreError;
use tokio::sync::watch;

use crate::error::Error;
use crate::storage::Verified;

/// How much of a file is hashed at a time.
const STEP_BYTES: usize = 256 << 10;

/// The bytes of an upload. All of its work blocks.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    /// Closed between requests: uploads may wait for days, and descriptors are few.
    file: Option<Arc<File>>,
    /// Whether the file has become a blob or is gone. Requests that still wait for the upload must not touch either.
    ended: bool,
    hasher: Hasher,
    algorithm: Algorithm,
    /// Seen by who asks how far it is while a request writes.
    progress: watch::Sender<u64>,
}

/// A state of an upload to go back to.
#[derive(Debug)]
pub(crate) struct Mark(Hasher);

impl Spool {
    /// A new file.
    pub(super) fn create(path: PathBuf, algorithm: Algorithm) -> Result<Self, StoreError> {
        File::create_new(&path).map_err(|source| StoreError::io("make", &path, source))?;
        Ok(Self {
            path,
            file: None,
            ended: false,
            hasher: Hasher::new(algorithm),
            algorithm,
            progress: watch::Sender::new(0),
        })
    }

    /// The file of an upload that began before the server did, if there is one.
    pub(super) fn resume(path: PathBuf) -> Result<Option<Self>, StoreError> {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::io("open", &path, source)),
        };
        let hasher = hash(&file, Algorithm::Sha256)
            .map_err(|source| StoreError::io("read", &path, source))?;
        let progress = watch::Sender::new(hasher.length());
        Ok(Some(Self {
            path,
            file: None,
            ended: false,
            hasher,
            algorithm: Algorithm::Sha256,
            progress,
        }))
    }

    /// Where the length can be read at any time.
    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    /// How many bytes have come.
    pub(crate) fn length_bytes(&self) -> u64 {
        self.hasher.length()
    }

    /// The present state.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.hasher.clone())
    }

    /// Takes back what was written after the mark.
    pub(crate) fn rewind(&mut self, mark: Mark) -> Result<(), Error> {
        let file = self.open()?;
        file.set_len(mark.0.length())
            .map_err(|source| StoreError::io("shorten", &self.path, source))?;
        self.hasher = mark.0;
        self.publish_progress();
        Ok(())
    }

    /// Appends. After a failure, the upload stands behind the last part that was written wholly.
    pub(super) fn append(&mut self, parts: &[Bytes]) -> Result<(), Error> {
        let file = self.open()?;
        let written = parts.iter().try_for_each(|part| {
            file.write_all_at(part, self.hasher.length())?;
            self.hasher.update(part);
            Ok(())
        });
        // Also after a failure, the client must learn where to go on.
        self.publish_progress();
        written.map_err(|source| StoreError::io("write", &self.path, source).into())
    }

    /// The file, for who reads what has been written. It stays the same file whatever becomes of it.
    pub(crate) fn file(&mut self) -> Result<Arc<File>, Error> {
        self.open()
    }

    /// Makes sure that the bytes have the digest. They need not survive a power cut yet.
    pub(crate) fn verify(&mut self, digest: &Digest) -> Result<Verified, Error> {
        let file = self.open()?;
        let failed = |source| StoreError::io("write", &self.path, source);
        let hasher = if digest.algorithm() == self.algorithm {
            self.hasher.clone()
        } else {
            hash(&file, digest.algorithm()).map_err(failed)?
        };
        let size_bytes = self.hasher.length();
        let actual = hasher.finish();
        if actual != *digest {
            return Err(Error::DigestMismatch {
                expected: Box::new(*digest),
                actual: Box::new(actual),
            });
        }
        // A failed write may have left bytes behind the last whole part.
        if file.metadata().map_err(failed)?.len() != size_bytes {
            file.set_len(size_bytes).map_err(failed)?;
        }
        Ok(Verified {
            path: self.path.clone(),
            file,
            digest: *digest,
            size_bytes,
            synced: false,
        })
    }

    /// Closes the file until the next request.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// Nothing can be written any more: the file is a blob now.
    pub(super) fn end(&mut self) {
        self.close();
        self.ended = true;
    }

    /// Whether nothing can be written any more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the file is where it was made.
    pub(super) fn is_in_place(&self) -> bool {
        // What cannot be seen may be there.
        self.path.try_exists().unwrap_or(true)
    }

    /// Removes the file, if it is still there.
    pub(super) fn remove(&mut self) -> Result<(), StoreError> {
        self.end();
        super::remove(&self.path)
    }

    fn open(&mut self) -> Result<Arc<File>, Error> {
        if self.ended {
            return Err(self.unknown());
        }
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let file = File::options().read(true).write(true).open(&self.path);
        let file = Arc::new(file.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => self.unknown(),
            _ => StoreError::io("open", &self.path, source).into(),
        })?);
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn unknown(&self) -> Error {
        let id = super::id_of(&self.path);
        Error::UploadUnknown {
            id: id.unwrap_or_default().to_string(),
        }
    }

    fn publish_progress(&self) {
        self.progress.send_replace(self.hasher.length());
    }
}

/// Hashes a file from its beginning.
fn hash(file: &File, algorithm: Algorithm) -> io::Result<Hasher> {
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; STEP_BYTES];
    loop {
        let read = match file.read_at(&mut buffer, hasher.length()) {
            Ok(0) => return Ok(hasher),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
    }
}
