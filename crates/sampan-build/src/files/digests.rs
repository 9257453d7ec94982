//! Digests of files, and a memory of those of large ones.
//!
//! A file whose inode, size and times are as they were is taken to be what it was. Times have a
//! grain: a file that changed just before it was read is not remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sampan_oci::Digest;
use sampan_oci::digest::Hasher;
use serde::{Deserialize, Serialize};

use crate::error::IoError;

/// Reading smaller files again costs less than remembering them.
const WORTH_REMEMBERING_BYTES: u64 = 64 * 1024;

/// How long a file must have been left alone to be remembered, in seconds.
const SETTLED_SECONDS: i64 = 2;

/// Digests of files, by path.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    /// Where the memory is kept; nowhere when absent.
    file: Option<PathBuf>,
    known: BTreeMap<PathBuf, Known>,
    /// What this build asked for.
    seen: BTreeSet<PathBuf>,
    now_seconds: i64,
    changed: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    digest: Digest,
}

impl Digests {
    /// The memory in `file`; a file that cannot be read is an empty memory.
    pub(crate) fn open(file: PathBuf) -> Self {
        let bytes = fs::read(&file).ok();
        let known = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file: Some(file),
            known: known.unwrap_or_default(),
            seen: BTreeSet::new(),
            now_seconds: sampan_supervise::clock::now().as_second(),
            changed: false,
        }
    }

    /// The digest of a regular file.
    pub(crate) fn digest(&mut self, path: &Path, metadata: &Metadata) -> Result<Digest, IoError> {
        if self.file.is_none() || metadata.size() < WORTH_REMEMBERING_BYTES {
            return read(path).map_err(IoError::new("read", path));
        }
        self.seen.insert(path.to_owned());
        if let Some(known) = self.known.get(path).filter(|known| known.is(metadata)) {
            return Ok(known.digest);
        }
        let digest = read(path).map_err(IoError::new("read", path))?;
        if metadata.ctime() + SETTLED_SECONDS < self.now_seconds {
            self.known
                .insert(path.to_owned(), Known::new(metadata, digest));
            self.changed = true;
        }
        Ok(digest)
    }

    /// Writes the memory down when there is something new in it. What this build did not need and
    /// exists no more is forgotten; other builds of the same context may need the rest.
    pub(crate) fn save(&mut self) -> Result<(), IoError> {
        let (seen, before) = (&self.seen, self.known.len());
        self.known
            .retain(|path, _| seen.contains(path) || fs::symlink_metadata(path).is_ok());
        self.changed |= self.known.len() != before;
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else {
            return Ok(());
        };
        let folder = file.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
            temporary.write_all(&serde_json::to_vec(&self.known)?)?;
            temporary.persist(file)?;
            Ok(())
        };
        write().map_err(IoError::new("write", file))?;
        self.changed = false;
        Ok(())
    }
}

impl Known {
    fn new(metadata: &Metadata, digest: Digest) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            digest,
        }
    }

    fn is(&self, metadata: &Metadata) -> bool {
        *self == Self::new(metadata, self.digest)
    }
}

fn read(path: &Path) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}
