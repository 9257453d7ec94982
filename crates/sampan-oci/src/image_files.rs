//! The files that an image has when its layers lie upon each other, and how those of two differ.

mod difference;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Bound;

use oci_spec::image::Descriptor;

pub use self::difference::{Aspect, ChangedFile, Difference, between};

use crate::archive::{ArchiveReader, Entry, Kind, into_archive_error};
use crate::digest::{Digest, Hasher};
use crate::layer::{self, LayerError, OPAQUE_MARKER, WHITEOUT_PREFIX};
use crate::store::{ContentStore, StoreError};

/// Names that begin so are the old AUFS's own bookkeeping.
const AUFS_PREFIX: &[u8] = b".wh..wh.";

/// One file of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// What it is; never a hard link, but the file that this is another name of.
    pub kind: Kind,
    /// Permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner and the group.
    pub owner: (u32, u32),
    /// The size in bytes; zero for all but files.
    pub size_bytes: u64,
    /// The digest of a file's bytes.
    pub content: Option<Digest>,
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// All files of some layers, by path without slashes around it.
#[derive(Debug, Clone, Default)]
pub struct ImageFiles {
    files: BTreeMap<Vec<u8>, ImageFile>,
}

/// What one layer says.
#[derive(Default)]
struct Changes {
    /// Paths that are hidden with all below them.
    hidden: Vec<Vec<u8>>,
    /// Directories of which all that was there is hidden.
    opaque: Vec<Vec<u8>>,
    files: BTreeMap<Vec<u8>, ImageFile>,
}

impl ImageFiles {
    /// The files with their paths, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &ImageFile)> {
        self.files
            .iter()
            .map(|(path, file)| (path.as_slice(), file))
    }

    /// Lays a layer upon what there is. `progress` is told how many bytes of it were read.
    ///
    /// # Errors
    /// When the layer is missing or malformed.
    pub fn apply(
        &mut self,
        store: &ContentStore,
        layer: &Descriptor,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), LayerError> {
        let digest = Digest::of(layer).map_err(StoreError::from)?;
        let blob = Counting {
            inner: store.open_blob(&digest)?,
            progress,
        };
        let mut archive = ArchiveReader::new(layer::decompress(blob)?);
        let mut changes = Changes::default();
        while let Some(entry) = archive.next_entry()? {
            self.note(&mut changes, entry, &mut archive)?;
        }
        self.settle(changes);
        Ok(())
    }

    fn note<R: Read>(
        &self,
        changes: &mut Changes,
        entry: Entry,
        data: &mut ArchiveReader<R>,
    ) -> Result<(), LayerError> {
        let path = normal(&entry.path);
        let (parent, name) = split(&path);
        if name == OPAQUE_MARKER {
            changes.opaque.push(parent.to_vec());
            return Ok(());
        }
        if name.starts_with(AUFS_PREFIX) || path.is_empty() {
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT_PREFIX) {
            changes.hidden.push(join(parent, hidden));
            return Ok(());
        }
        let file = match &entry.kind {
            Kind::HardLink(target) => {
                let target = normal(target);
                let found = changes.files.get(&target).or(self.files.get(&target));
                // A link to nothing is refused when the image is unpacked; here it is no file.
                let Some(found) = found else { return Ok(()) };
                found.clone()
            }
            kind => ImageFile {
                kind: kind.clone(),
                mode: entry.mode,
                owner: (entry.uid, entry.gid),
                size_bytes: entry.size_bytes,
                content: match kind {
                    Kind::File => Some(hash(data)?),
                    _ => None,
                },
                xattrs: entry.xattrs,
            },
        };
        changes.files.insert(path, file);
        Ok(())
    }

    /// Hides what the layer hides, and then brings what it brings.
    fn settle(&mut self, changes: Changes) {
        for path in &changes.opaque {
            self.remove_below(path);
        }
        for path in &changes.hidden {
            self.files.remove(path);
            self.remove_below(path);
        }
        for (path, file) in changes.files {
            let known = self.files.get(&path);
            let was_directory = known.is_some_and(|known| known.kind == Kind::Directory);
            if was_directory && file.kind != Kind::Directory {
                self.remove_below(&path);
            }
            self.files.insert(path, file);
        }
    }

    fn remove_below(&mut self, directory: &[u8]) {
        if directory.is_empty() {
            self.files.clear();
            return;
        }
        let first = [directory, b"/"].concat();
        // The byte after the slash, so all that begins with `directory/` lies between.
        let end = [directory, b"0"].concat();
        let range = (Bound::Excluded(first), Bound::Excluded(end));
        let below: Vec<Vec<u8>> = self
            .files
            .range(range)
            .map(|(path, _)| path.clone())
            .collect();
        for path in below {
            self.files.remove(&path);
        }
    }
}

fn hash<R: Read>(data: &mut ArchiveReader<R>) -> Result<Digest, LayerError> {
    let mut hasher = Hasher::default();
    io::copy(data, &mut hasher).map_err(into_archive_error)?;
    Ok(hasher.finish())
}

fn normal(path: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = path
        .split(|byte| *byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
        .collect();
    parts.join(&b'/')
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() {
        name.to_vec()
    } else {
        [parent, b"/", name].concat()
    }
}

struct Counting<'call> {
    inner: File,
    progress: &'call mut dyn FnMut(u64),
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.progress)(count as u64);
        Ok(count)
    }
}
