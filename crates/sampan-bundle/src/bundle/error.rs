//! What can go wrong with bundles.

use std::io;
use std::path::PathBuf;

use sampan_model::{Hint, ReleaseName};
use sampan_oci::Digest;
use sampan_oci::archive::ArchiveError;
use sampan_oci::store::StoreError;

use super::contents::{Base, Required};
use crate::release::ReleaseError;

/// Why a bundle cannot be packed or loaded.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A release is not there, malformed or in conflict.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The file cannot be written or read.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The bundle cannot be read.
    #[error("cannot read the bundle")]
    Read(#[source] io::Error),
    /// The bundle cannot be written.
    #[error("cannot write the bundle")]
    Write(#[source] ArchiveError),
    /// There is not enough room.
    #[error(
        "not enough room in `{}`: {} are needed, {} are free",
        path.display(), size(*needed_bytes), size(*free_bytes)
    )]
    Space {
        /// Where.
        path: PathBuf,
        /// How many bytes are needed.
        needed_bytes: u64,
        /// How many bytes are free.
        free_bytes: u64,
    },
    /// The file is something else.
    #[error("this is not a bundle: {found}")]
    NotABundle {
        /// What it looks like instead.
        found: &'static str,
    },
    /// The bundle was written by a later version.
    #[error("the bundle has the unknown format `{format}`")]
    Format {
        /// The format.
        format: String,
    },
    /// The list of contents cannot be read or written.
    #[error("the bundle's list of contents is malformed")]
    Contents {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The list of contents contradicts itself.
    #[error("the bundle's list of contents is inconsistent about `{digest}`")]
    Inconsistent {
        /// The blob.
        digest: Digest,
    },
    /// The bundle ends before its end.
    #[error("the bundle is cut off: it has {offset} of {expected} bytes")]
    Truncated {
        /// How many bytes there are.
        offset: u64,
        /// How many there should be, or a lower bound of it.
        expected: u64,
    },
    /// Bytes are not what they should be.
    #[error("the bundle is damaged: {what} at byte {offset} is not what it should be")]
    Altered {
        /// What was read.
        what: String,
        /// Where it begins.
        offset: u64,
    },
    /// The other side lacks content that a delta builds on.
    #[error("{}", describe_missing(bases, missing))]
    Missing {
        /// The releases that the bundle builds on and that are not here.
        bases: Vec<Base>,
        /// The blobs that are not here.
        missing: Vec<Required>,
    },
    /// A bundle without anything.
    #[error("nothing was given to pack")]
    Empty,
    /// A release was given as its own base.
    #[error("`{name}` cannot be packed since itself")]
    OwnBase {
        /// The release.
        name: ReleaseName,
    },
}

fn describe_missing(bases: &[Base], missing: &[Required]) -> String {
    let total: u64 = missing.iter().map(|blob| blob.size).sum();
    let names: Vec<_> = bases
        .iter()
        .map(|base| format!("`{}`", base.name))
        .collect();
    let what = match names.as_slice() {
        [] => "content that is not here".to_owned(),
        names => format!("{}, not held here", names.join(" and ")),
    };
    let lines = missing.iter().map(|blob| {
        let Required {
            digest,
            size,
            needed_by,
        } = blob;
        format!(
            "\n    {digest} ({}) of {}",
            self::size(*size),
            needed_by.join(", ")
        )
    });
    let count = missing.len();
    let list: String = lines.collect();
    let total = size(total);
    format!("this bundle builds on {what}; missing are {count} blobs with {total}:{list}")
}

/// A number of bytes as people read it, rounded up.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}

impl Hint for BundleError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(source) => source.hint(),
            Self::Release(source) => source.hint(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room there or choose another place for the file".to_owned())
            }
            Self::File { .. } | Self::Read(_) | Self::Write(_) => None,
            Self::Space { needed_bytes, free_bytes, .. } => Some(format!(
                "free at least {} more and run the same command again; nothing is half-done",
                size(needed_bytes.saturating_sub(*free_bytes))
            )),
            Self::NotABundle { .. } => Some(
                "bundles are made by `sampan pack`; archives of images are read by `sampan image load`, root file systems by `sampan image import`"
                    .to_owned(),
            ),
            Self::Format { .. } => Some("load it with a newer version of sampan".to_owned()),
            Self::Contents { .. } | Self::Inconsistent { .. } => {
                Some("copy or pack the bundle again".to_owned())
            }
            Self::Truncated { .. } | Self::Altered { .. } => Some(
                "copy the bundle again and repeat the command; what was verified is kept and not needed twice"
                    .to_owned(),
            ),
            Self::Missing { bases, .. } => Some(missing_hint(bases)),
            Self::Empty => Some("name a release, as in `sampan pack guestbook@1.1.0`".to_owned()),
            Self::OwnBase { .. } => Some("give an earlier release to `--since`".to_owned()),
        }
    }
}

fn missing_hint(bases: &[Base]) -> String {
    match bases {
        [] => "pack a full bundle, without `--since`".to_owned(),
        [base, ..] => format!(
            "load the bundle of `{}` first, or pack a full bundle, without `--since`",
            base.name
        ),
    }
}
