//! What can be wrong with an archive of images.

use std::io;
use std::path::PathBuf;

use sampan_model::Hint;

use crate::archive::ArchiveError;
use crate::digest::{Digest, DigestError};
use crate::layer::LayerError;
use crate::reference::Reference;
use crate::store::StoreError;

/// Why images cannot be read from an archive or written into one.
#[derive(Debug, thiserror::Error)]
pub enum ImageArchiveError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tar archive is malformed, or cannot be read or written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive or a layer is compressed in an unknown way, or cannot be decompressed.
    #[error(transparent)]
    Layer(LayerError),
    /// A document carries a digest that this program does not understand.
    #[error("the archive refers to content in an unknown way")]
    Digest(#[from] DigestError),
    /// A path or the target of a link leads out of the archive.
    #[error("`{path}` leads out of the archive")]
    Outside {
        /// The path.
        path: String,
    },
    /// A file that no archive of images has.
    #[error("the archive holds `{path}`, which is {what}")]
    Strange {
        /// The path.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Links that lead to each other.
    #[error("the link `{path}` leads to itself")]
    Loop {
        /// One of them.
        path: String,
    },
    /// A path with two contents.
    #[error("the archive holds `{path}` twice, with different content")]
    Twice {
        /// The path.
        path: String,
    },
    /// A file that a document names is not there.
    #[error("the archive is incomplete: it lacks `{path}`")]
    Missing {
        /// The path.
        path: String,
    },
    /// Content is not what its digest says.
    #[error("`{path}` has digest `{actual}`, but `{expected}` was expected")]
    Altered {
        /// The path.
        path: String,
        /// What it should have been.
        expected: Box<Digest>,
        /// What it is.
        actual: Box<Digest>,
    },
    /// Content has another size than the document that names it says.
    #[error("`{path}` has {actual} bytes, but {expected} were expected")]
    Size {
        /// The path.
        path: String,
        /// What it should have been.
        expected: u64,
        /// What it is.
        actual: u64,
    },
    /// A document is larger than any real one.
    #[error("`{path}` of the archive is larger than {limit} bytes")]
    TooLarge {
        /// The path.
        path: String,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// More files than any real archive has.
    #[error("the archive has more than {limit} files")]
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
    /// A document is not well-formed.
    #[error("`{path}` of the archive is not a well-formed document")]
    Document {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest and the configuration disagree.
    #[error("image `{image}` has {layers} layers, but its configuration speaks of {diff_ids}")]
    LayerCount {
        /// The image's configuration or name.
        image: String,
        /// How many layers it has.
        layers: usize,
        /// How many layers the configuration has.
        diff_ids: usize,
    },
    /// The archive gives one name to two images.
    #[error("the archive gives the name `{}` to two images", name.familiar())]
    SharedName {
        /// The name.
        name: Box<Reference>,
    },
    /// The archive holds something else.
    #[error("there are no images in it: {found}")]
    NoImages {
        /// What there is instead.
        found: &'static str,
    },
    /// There is not enough room.
    #[error("`{path}` needs {needed_bytes} bytes, but only {free_bytes} are free")]
    Space {
        /// What needs them.
        path: String,
        /// What it needs.
        needed_bytes: u64,
        /// What there is.
        free_bytes: u64,
    },
    /// A file outside of the store cannot be used.
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
}

impl ImageArchiveError {
    /// Whether content is damaged, incomplete or made to do harm.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Store(error) => matches!(
                error,
                StoreError::Missing { .. }
                    | StoreError::Incomplete { .. }
                    | StoreError::Altered { .. }
                    | StoreError::Parse { .. }
                    | StoreError::Nested { .. }
                    | StoreError::TooLarge { .. }
            ),
            Self::Archive(error) => !matches!(error, ArchiveError::Io(_)),
            Self::Layer(error) => matches!(error, LayerError::Read(_)),
            Self::NoImages { .. } | Self::Space { .. } | Self::File { .. } => false,
            _ => true,
        }
    }
}

impl Hint for ImageArchiveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(source) => source.hint(),
            Self::Archive(source) => source.hint(),
            Self::Layer(source) => source.hint(),
            Self::Digest(source) => source.hint(),
            Self::Missing { .. }
            | Self::Altered { .. }
            | Self::Size { .. }
            | Self::Document { .. }
            | Self::LayerCount { .. } => {
                Some("copy or save the archive again; nothing of it was taken".to_owned())
            }
            Self::Outside { .. }
            | Self::Strange { .. }
            | Self::Loop { .. }
            | Self::Twice { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. } => Some(
                "no tool writes such archives; do not trust where it comes from".to_owned(),
            ),
            Self::SharedName { .. } => Some("save the images into an archive each".to_owned()),
            Self::NoImages { found } => Some(match *found {
                BUNDLE => "load a bundle with `sampan load FILE`".to_owned(),
                _ => "give what `docker save`, `podman save`, `skopeo copy` or `sampan image save` wrote; a root file \
                      system is read by `sampan image import`"
                    .to_owned(),
            }),
            Self::Space { needed_bytes, free_bytes, .. } => Some(format!(
                "free at least {} more bytes, or check that the archive is what it should be",
                needed_bytes.saturating_sub(*free_bytes)
            )),
            Self::File { .. } => None,
        }
    }
}

/// What an archive is that holds a release.
pub(super) const BUNDLE: &str = "it is a bundle of releases";
/// What an archive is that holds the directories of a system.
pub(super) const ROOT_FILE_SYSTEM: &str = "it is a root file system";
/// What a file is that cannot be read as an archive from its beginning on.
pub(super) const NO_ARCHIVE: &str = "it is no tar archive";
/// What an archive is that holds neither kind of index.
pub(super) const NO_INDEX: &str = "it has neither `manifest.json` nor `index.json`";
