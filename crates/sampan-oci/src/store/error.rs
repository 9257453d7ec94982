//! What can go wrong with stored content.

use std::io;
use std::path::{Path, PathBuf};

use sampan_model::Hint;

use crate::digest::{Digest, DigestError};
use crate::reference::Reference;

/// Why the content store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file system has no room left.
    #[error("no space left to {action} `{}`", path.display())]
    Full {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's words.
        #[source]
        source: io::Error,
    },
    /// The blob is not in the store.
    #[error("the content store lacks `{digest}`")]
    Missing {
        /// The blob.
        digest: Digest,
    },
    /// A name was to be given to something that is not all there.
    #[error("`{}` is incomplete: {} of its parts missing, `{}` the first", reference.familiar(), missing.len(), missing.first().map_or_else(String::new, Digest::to_string))]
    Incomplete {
        /// The name.
        reference: Box<Reference>,
        /// The missing blobs.
        missing: Vec<Digest>,
    },
    /// The bytes have another digest than they should.
    #[error("content has digest `{actual}`, but `{expected}` was expected")]
    Altered {
        /// What it should have been.
        expected: Box<Digest>,
        /// What it is.
        actual: Box<Digest>,
    },
    /// The blob is larger than the caller can take.
    #[error("`{digest}` is larger than {limit} bytes")]
    TooLarge {
        /// The blob.
        digest: Digest,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// A document is not of the form that its media type promises.
    #[error("`{digest}` is not a well-formed document")]
    Parse {
        /// The document.
        digest: Digest,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The list of names is not well-formed.
    #[error("`{}` is not a well-formed image index", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A value has no JSON form.
    #[error("cannot write a document as JSON")]
    Serialize {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A descriptor carries a digest that this program does not understand.
    #[error("a document refers to content in an unknown way")]
    Digest(#[from] DigestError),
    /// The descriptor leads to something else than an image.
    #[error("`{digest}` is not an image but `{media_type}`")]
    NotAnImage {
        /// What was looked at.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
    /// The index has no image for this machine.
    #[error("`{digest}` has no image for linux/{architecture}")]
    Platform {
        /// The index.
        digest: Digest,
        /// What this machine is.
        architecture: &'static str,
    },
    /// Documents that lead to documents, deeper than any real image.
    #[error("`{digest}` is nested too deeply")]
    Nested {
        /// Where it became too deep.
        digest: Digest,
    },
    /// The directory is no OCI layout of the version that this program knows.
    #[error("`{}` is not an OCI image layout of version 1.0.0", path.display())]
    Layout {
        /// The layout file.
        path: PathBuf,
    },
}

impl StoreError {
    /// The error of bytes with another digest.
    #[must_use]
    pub fn altered(expected: Digest, actual: Digest) -> Self {
        Self::Altered {
            expected: Box::new(expected),
            actual: Box::new(actual),
        }
    }

    /// The error of an operation on `path`.
    #[must_use]
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                action,
                path,
                source,
            },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("run it as root, or choose another directory with `--data`".to_owned())
            }
            Self::Full { path, .. } => Some(format!(
                "make room on the file system of `{}` and run the same command again; nothing is half-done",
                path.display()
            )),
            Self::Missing { .. } | Self::Incomplete { .. } => {
                Some("load the bundle or build the image again".to_owned())
            }
            Self::Altered { expected, .. } => Some(format!(
                "remove the file of `{}` below `blobs/`, then load the bundle or build again",
                expected.short()
            )),
            Self::Platform { .. } => {
                Some("bring an image that was built for this kind of machine".to_owned())
            }
            Self::Layout { .. } => Some("choose another directory with `--data`".to_owned()),
            Self::Digest(source) => source.hint(),
            _ => None,
        }
    }
}
