//! Images on their way from an archive into the store.

use std::io::Read;
use std::path::Path;

use oci_spec::image::Descriptor;

use super::contents::Contents;
use super::error::NO_INDEX;
use super::{DOCKER_FILE, INDEX_FILE, ImageArchiveError, docker, layout};
use crate::layer::Compression;
use crate::reference::Reference;
use crate::store::{ContentStore, Staged};

/// Images that were read and verified, of which nothing is visible yet.
///
/// Dropped, it leaves nothing.
pub struct Loading {
    contents: Contents,
    images: Vec<LoadedImage>,
    blobs: Vec<Staged>,
}

/// An image of an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedImage {
    /// Points to its manifest or index.
    pub descriptor: Descriptor,
    /// The names that the archive gives it.
    pub names: Vec<Reference>,
    /// What the archive gives as names but are none.
    pub misnomers: Vec<String>,
}

/// What has become visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Landed {
    /// How many blobs were new.
    pub new_blobs: usize,
    /// The size of the new blobs in bytes.
    pub new_bytes: u64,
}

impl LoadedImage {
    pub(super) fn new(descriptor: Descriptor, names: impl IntoIterator<Item = String>) -> Self {
        let mut image = Self {
            descriptor,
            names: Vec::new(),
            misnomers: Vec::new(),
        };
        image.add_names(names);
        image
    }

    pub(super) fn add_names(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            match name.parse::<Reference>() {
                Ok(name) if name.digest().is_none() => {
                    if !self.names.contains(&name) {
                        self.names.push(name);
                    }
                }
                _ => self.misnomers.push(name),
            }
        }
    }
}

impl Loading {
    /// Reads an archive of `docker save` or of an OCI image layout, compressed or not, to its end.
    /// Layers that it holds plain are compressed by `compression`; those of layouts stay as they
    /// are.
    ///
    /// # Errors
    /// When the archive is malformed, incomplete or altered, holds no images or does not fit on the
    /// disk.
    pub fn from_archive(
        store: &ContentStore,
        source: &mut dyn Read,
        compression: Compression,
    ) -> Result<Self, ImageArchiveError> {
        let contents = Contents::of_archive(store, source, compression)?;
        Self::read(contents)
    }

    /// Reads the OCI image layout in `folder`.
    ///
    /// # Errors
    /// As [`Self::from_archive`].
    pub fn from_folder(store: &ContentStore, folder: &Path) -> Result<Self, ImageArchiveError> {
        Self::read(Contents::of_folder(store, folder)?)
    }

    fn read(mut contents: Contents) -> Result<Self, ImageArchiveError> {
        let index = contents.document(INDEX_FILE)?;
        let saved = contents.document(DOCKER_FILE)?;
        let (images, blobs) = match (index, saved) {
            (Some(index), None) => layout::read(&mut contents, &index)?,
            // Docker writes both, and names platforms in the index that it did not save.
            (Some(index), Some(saved)) => match layout::read(&mut contents, &index) {
                Err(ImageArchiveError::Missing { .. }) => docker::read(&mut contents, &saved)?,
                other => other?,
            },
            (None, Some(saved)) => docker::read(&mut contents, &saved)?,
            (None, None) => return Err(ImageArchiveError::NoImages { found: NO_INDEX }),
        };
        if images.is_empty() {
            return Err(ImageArchiveError::NoImages {
                found: "its index is empty",
            });
        }
        for (number, image) in images.iter().enumerate() {
            let others = &images[number + 1..];
            let shared = |name: &&Reference| others.iter().any(|other| other.names.contains(name));
            if let Some(name) = image.names.iter().find(shared) {
                return Err(ImageArchiveError::SharedName {
                    name: Box::new(name.clone()),
                });
            }
        }
        Ok(Self {
            contents,
            images,
            blobs,
        })
    }

    /// What was read.
    #[must_use]
    pub fn images(&self) -> &[LoadedImage] {
        &self.images
    }

    /// Makes all content visible, and then gives the names, all in one step.
    ///
    /// # Errors
    /// When the store refuses; then no name was given.
    pub fn commit(
        self,
        store: &ContentStore,
        names: &[(Reference, Descriptor)],
    ) -> Result<Landed, ImageArchiveError> {
        let (new_blobs, new_bytes) = self.contents.staging.publish(&self.blobs)?;
        if !names.is_empty() {
            store.tag_all(names)?;
        }
        Ok(Landed {
            new_blobs,
            new_bytes,
        })
    }
}
