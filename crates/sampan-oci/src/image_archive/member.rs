//! The files of an archive of images.

use crate::archive::Kind;
use crate::digest::{Algorithm, Digest};
use crate::image_archive::ImageArchiveError;
use crate::store::Staged;

/// Longer than any path in an archive of images.
const PATH_LIMIT_BYTES: usize = 1024;

/// One file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    /// A file whose bytes are staged.
    File {
        /// The digest of the bytes that stood in the archive.
        raw: Digest,
        /// The bytes: these or, of a layer, these compressed.
        staged: Staged,
    },
    /// A file whose bytes the store holds already.
    Held { digest: Digest, size_bytes: u64 },
    /// Another name of the file with this path.
    Link(Vec<u8>),
}

impl Member {
    /// The digest of the bytes that stood in the archive; a link has none.
    pub(super) fn raw(&self) -> Option<Digest> {
        match self {
            Self::File { raw, .. } => Some(*raw),
            Self::Held { digest, .. } => Some(*digest),
            Self::Link(_) => None,
        }
    }

    /// How many bytes are stored.
    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Self::File { staged, .. } => staged.size_bytes,
            Self::Held { size_bytes, .. } => *size_bytes,
            Self::Link(_) => 0,
        }
    }

    /// Whether both have the same bytes or are links to the same file.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link(one), Self::Link(another)) => one == another,
            _ => self.raw().is_some() && self.raw() == other.raw(),
        }
    }
}

/// The path without slashes around and dots within it.
pub(super) fn normal(path: &[u8]) -> Result<Vec<u8>, ImageArchiveError> {
    let outside = || ImageArchiveError::Outside {
        path: display(path),
    };
    if path.len() > PATH_LIMIT_BYTES {
        return Err(ImageArchiveError::Strange {
            path: display(&path[..PATH_LIMIT_BYTES]),
            what: "a longer path than any image needs",
        });
    }
    if path.starts_with(b"/") {
        return Err(outside());
    }
    below(Vec::new(), path).ok_or_else(outside)
}

/// Where the link `path` of an archive leads to; `None` when that is no link.
pub(super) fn target(path: &[u8], kind: &Kind) -> Result<Option<Vec<u8>>, ImageArchiveError> {
    match kind {
        Kind::HardLink(target) => normal(target).map(Some),
        Kind::Symlink(target) => {
            let mut parent: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
            parent.pop();
            let outside = ImageArchiveError::Outside {
                path: display(path),
            };
            if target.starts_with(b"/") || target.len() > PATH_LIMIT_BYTES {
                return Err(outside);
            }
            below(parent, target).ok_or(outside).map(Some)
        }
        _ => Ok(None),
    }
}

/// The path `path` as seen from the directory `parts`; `None` when it leads out of the root.
fn below<'path>(mut parts: Vec<&'path [u8]>, path: &'path [u8]) -> Option<Vec<u8>> {
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

/// The digest that the path of a blob in a layout says.
pub(super) fn blob_digest(path: &[u8]) -> Option<Digest> {
    let path = std::str::from_utf8(path).ok()?.strip_prefix("blobs/")?;
    let (algorithm, hex) = path.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// Where a layout has the blob.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}

/// The digest that the name of a file is, as docker names configurations: `HEX.json`.
pub(super) fn named_digest(path: &[u8]) -> Option<Digest> {
    if let Some(digest) = blob_digest(path) {
        return Some(digest);
    }
    let text = std::str::from_utf8(path).ok()?;
    let hex = text.strip_suffix(".json")?;
    format!("{}:{hex}", Algorithm::Sha256.name()).parse().ok()
}

/// The path for messages.
pub(super) fn display(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
