//! Images of containers, from the content store only: nothing is ever pulled.

use std::path::PathBuf;

use sampan_oci::reference::ReferenceError;
use sampan_oci::snapshot::SnapshotError;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Image, Reference, Snapshots};

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// Its name is not one.
    #[error("Failed to apply default image tag \"{name}\"")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: ReferenceError,
    },
    /// It is not here.
    #[error(
        "image \"{0}\" is not in the content store; bring it with `sampan pull`, `sampan load BUNDLE` or `sampan image import`"
    )]
    Absent(String),
    /// The content store failed.
    #[error("cannot read image \"{name}\"")]
    Store {
        /// The image.
        name: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// Its layers cannot be unpacked.
    #[error("cannot unpack image \"{name}\"")]
    Unpack {
        /// The image.
        name: String,
        /// Why not.
        #[source]
        source: SnapshotError,
    },
}

/// An image that is ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// Its manifest and configuration.
    pub(crate) image: Image,
    /// Its layers on disk, topmost first.
    pub(crate) layers: Vec<PathBuf>,
    /// Its name by digest, as statuses show it.
    pub(crate) id: String,
}

/// Finds an image by its name and unpacks it if that was not done before; blocks.
pub(crate) fn prepare(
    content: &ContentStore,
    snapshots: &Snapshots,
    name: &str,
) -> Result<Ready, ImageError> {
    let reference: Reference = name.parse().map_err(|source| ImageError::Name {
        name: name.to_owned(),
        source,
    })?;
    let store = |source| ImageError::Store {
        name: name.to_owned(),
        source,
    };
    let descriptor = content
        .resolve(&reference)
        .map_err(store)?
        .ok_or_else(|| ImageError::Absent(name.to_owned()))?;
    let image = content.image(&descriptor).map_err(store)?;
    let layers = snapshots
        .prepare(content, &image)
        .map_err(|source| ImageError::Unpack {
            name: name.to_owned(),
            source,
        })?;
    let id = format!(
        "{}/{}@{}",
        reference.registry(),
        reference.repository(),
        image.descriptor.digest()
    );
    Ok(Ready { image, layers, id })
}
