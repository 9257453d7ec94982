//! Images of a run: asked for once, unpacked once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sampan_oci::snapshot::SnapshotError;
use sampan_oci::store::StoreError;
use sampan_oci::{Descriptor, Image};

use super::health::{Configuration, ImageHealth};
use super::{Executor, ImageRequest, PortError, Ports};

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImageError {
    #[error(transparent)]
    Missing(PortError),
    #[error("cannot read the image `{name}`")]
    Read {
        name: String,
        #[source]
        source: Box<StoreError>,
    },
    #[error("cannot unpack the image `{name}`")]
    Unpack {
        name: String,
        #[source]
        source: Box<SnapshotError>,
    },
}

/// An image that containers can be made from.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) name: String,
    pub(super) image: Image,
    /// Its layers, topmost first.
    pub(super) lower: Vec<PathBuf>,
    /// How it is told whether a container of it is well.
    pub(super) health: Option<ImageHealth>,
}

/// The images of a run by the names that the pipeline has for them.
#[derive(Debug, Default)]
pub(super) struct Images {
    found: Mutex<BTreeMap<String, Descriptor>>,
    unpacked: Mutex<BTreeMap<String, Arc<Unpacked>>>,
}

impl Images {
    /// Asks for an image, unless it was asked for before.
    pub(super) fn find(
        &self,
        ports: &dyn Ports,
        request: &ImageRequest<'_>,
    ) -> Result<Descriptor, PortError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(descriptor) = found.get(request.name) {
            return Ok(descriptor.clone());
        }
        let descriptor = ports.image(request)?;
        found.insert(request.name.to_owned(), descriptor.clone());
        Ok(descriptor)
    }

    /// The image, unpacked.
    pub(super) fn unpack(
        &self,
        executor: &Executor,
        ports: &dyn Ports,
        request: &ImageRequest<'_>,
    ) -> Result<Arc<Unpacked>, ImageError> {
        let lock = || self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unpacked) = lock().get(request.name) {
            return Ok(Arc::clone(unpacked));
        }
        let descriptor = self.find(ports, request).map_err(ImageError::Missing)?;
        let unpacked = Arc::new(unpack(executor, request.name, &descriptor)?);
        lock().insert(request.name.to_owned(), Arc::clone(&unpacked));
        Ok(unpacked)
    }
}

/// Unpacks an image that has no name in the pipeline.
pub(super) fn unpack(
    executor: &Executor,
    name: &str,
    descriptor: &Descriptor,
) -> Result<Unpacked, ImageError> {
    let unreadable = |source| ImageError::Read {
        name: name.to_owned(),
        source: Box::new(source),
    };
    let content = &executor.content;
    let image = content.image(descriptor).map_err(unreadable)?;
    // What Docker has and the specification of images does not.
    let configuration: Configuration = content
        .read_json(image.manifest.config())
        .map_err(unreadable)?;
    let lower = executor
        .snapshots
        .prepare(&executor.content, &image)
        .map_err(|source| ImageError::Unpack {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
    Ok(Unpacked {
        name: name.to_owned(),
        image,
        lower,
        health: configuration.health(),
    })
}
