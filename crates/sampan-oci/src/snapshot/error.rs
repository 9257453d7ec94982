//! What can go wrong with snapshots.

use std::io;

use sampan_model::Hint;

use crate::archive::ArchiveError;
use crate::digest::{Digest, DigestError};
use crate::layer::LayerError;
use crate::store::StoreError;

/// Why an image cannot be made ready to run.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The image refers to layers in an unknown way.
    #[error("an image refers to its layers in an unknown way")]
    Digest(#[from] DigestError),
    /// The manifest and the configuration disagree.
    #[error("image `{digest}` has {layers} layers, but its configuration speaks of {diff_ids}")]
    LayerCount {
        /// The manifest.
        digest: Digest,
        /// How many layers it has.
        layers: usize,
        /// How many layers the configuration has.
        diff_ids: usize,
    },
    /// A layer cannot be unpacked.
    #[error("cannot unpack layer `{layer}`")]
    Unpack {
        /// The layer's blob.
        layer: Digest,
        /// Why.
        #[source]
        source: Box<UnpackError>,
    },
}

/// Why a layer cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Its compression is unknown.
    #[error(transparent)]
    Layer(LayerError),
    /// Its archive is malformed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A path that no layer may have.
    #[error("`{path}` is not a path that a layer may have")]
    Path {
        /// The path.
        path: String,
    },
    /// A hard link without the file that it is another name of.
    #[error("`{path}` is a link to `{target}`, which is not in the layer")]
    Link {
        /// The link.
        path: String,
        /// What it should be a name of.
        target: String,
    },
    /// A file cannot be made.
    #[error("cannot {action} `{path}`")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what, within the layer.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Hint for SnapshotError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(source) => source.hint(),
            Self::Digest(source) => source.hint(),
            Self::LayerCount { .. } => Some("build or import the image again".to_owned()),
            Self::Unpack { source, .. } => source.hint(),
        }
    }
}

impl Hint for UnpackError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Layer(source) => source.hint(),
            Self::Archive(source) => source.hint(),
            Self::Path { .. } | Self::Link { .. } => {
                Some("the image is not safe to use; build it again with another tool".to_owned())
            }
            Self::File { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Some("run it as root".to_owned()),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Some("make room on the disk and run it again; nothing is half-done".to_owned())
                }
                _ => None,
            },
        }
    }
}
