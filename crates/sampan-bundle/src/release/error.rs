//! What can go wrong with releases.

use sampan_model::{Hint, ReleaseName};
use sampan_oci::Digest;
use sampan_oci::layer::LayerError;
use sampan_oci::store::StoreError;

/// Why a release cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A release of this name has other content.
    #[error("release `{name}` exists with other content, as `{existing}`")]
    Exists {
        /// The name.
        name: ReleaseName,
        /// What has it.
        existing: Digest,
    },
    /// There is no release of this name.
    #[error("there is no release `{name}`")]
    NotFound {
        /// The name.
        name: ReleaseName,
        /// The releases of the same app.
        known: Vec<ReleaseName>,
    },
    /// The content is not a release.
    #[error("`{digest}` is not a release")]
    Malformed {
        /// What was looked at.
        digest: String,
    },
    /// The app names a chart that is not in the release.
    #[error("release `{name}` does not hold the chart `{path}`")]
    NoChart {
        /// The release.
        name: ReleaseName,
        /// The chart's path in the source tree.
        path: String,
    },
    /// The manifest files cannot be stored or read.
    #[error("cannot process the manifest files of `{name}`")]
    Files {
        /// The release.
        name: ReleaseName,
        /// Why.
        #[source]
        source: Box<LayerError>,
    },
}

impl Hint for ReleaseError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(source) => source.hint(),
            Self::Exists { .. } => Some(
                "releases never change: give `version` in sampan.yaml a new value".to_owned(),
            ),
            Self::NotFound { known, .. } if known.is_empty() => Some(
                "make it with `sampan release create`, or load a bundle; `sampan release ls` lists what there is".to_owned(),
            ),
            Self::NotFound { known, .. } => {
                let known: Vec<_> = known.iter().map(ToString::to_string).collect();
                Some(format!("there are: {}", known.join(", ")))
            }
            Self::Malformed { .. } | Self::NoChart { .. } => {
                Some("it was made by another program or another version of this one".to_owned())
            }
            Self::Files { source, .. } => source.hint(),
        }
    }
}
