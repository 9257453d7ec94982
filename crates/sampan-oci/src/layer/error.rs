//! What can go wrong with layers.

use std::io;
use std::path::{Path, PathBuf};

use sampan_model::Hint;

use crate::archive::ArchiveError;
use crate::store::StoreError;

/// Why a layer cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive cannot be read or written.
    #[error("cannot process the layer's archive")]
    Archive(#[from] ArchiveError),
    /// The bytes beneath cannot be read.
    #[error("cannot read the layer")]
    Read(#[source] io::Error),
    /// A compression that this program does not know.
    #[error("compression `{name}` is not supported")]
    Compression {
        /// Its name.
        name: String,
    },
    /// A file cannot be read for the layer.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The overlay was mounted with a feature whose marks no layer can express.
    #[error("`{}` is marked `{mark}`, which a layer cannot express", path.display())]
    OverlayFeature {
        /// The directory or file.
        path: PathBuf,
        /// The extended attribute.
        mark: String,
    },
}

impl LayerError {
    pub(super) fn file(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// The error of writing layer bytes into the store below `directory`.
    pub(super) fn write(directory: &Path, source: io::Error) -> Self {
        Self::Store(StoreError::io("write a layer below", directory, source))
    }
}

impl Hint for LayerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(source) => source.hint(),
            Self::Archive(source) => source.hint(),
            Self::Compression { name } => match name.as_str() {
                "xz" | "bzip2" => Some(format!("decompress it first, with `{name} -d`")),
                _ => Some("use `zstd`, `gzip` or `none`".to_owned()),
            },
            Self::OverlayFeature { .. } => {
                Some("mount the overlay with `redirect_dir=off,metacopy=off`".to_owned())
            }
            Self::Read(_) => {
                Some("bring the image again, or look whether the disk fails".to_owned())
            }
            Self::File { .. } => None,
        }
    }
}
