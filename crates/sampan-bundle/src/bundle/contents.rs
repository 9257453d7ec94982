//! `sampan-bundle.json` and what follows from it.

use std::collections::HashSet;

use oci_spec::image::{Descriptor, MediaType};
use sampan_model::ReleaseName;
use sampan_oci::archive::{BLOCK_BYTES, Entry, header_bytes, padding};
use sampan_oci::image::{DocumentKind, NAME_ANNOTATION};
use sampan_oci::{Digest, Reference, json};
use serde::{Deserialize, Serialize};

use super::BundleError;
use crate::release;

pub(super) const CONTENTS_NAME: &str = "sampan-bundle.json";
pub(super) const LAYOUT_NAME: &str = "oci-layout";
pub(super) const INDEX_NAME: &str = "index.json";
pub(super) const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
pub(super) const FORMAT: &str = "application/vnd.sampan.bundle.v1";
const CONTENTS_ANNOTATION: &str = "sampan.bundle.contents";

/// What a bundle carries and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contents {
    pub(super) format: String,
    /// The releases that are complete on the other side after loading.
    pub releases: Vec<Packed>,
    /// The releases that the other side is expected to hold.
    pub bases: Vec<Base>,
    /// The carried blobs, in their order in the file.
    pub blobs: Vec<BlobEntry>,
    /// The blobs that the releases need, but that are not carried.
    pub requires: Vec<Required>,
    /// The images that are complete and have their names on the other side after loading, beside those of releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<PackedImage>,
}

/// An image in a bundle that belongs to no release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackedImage {
    /// Its name, with a tag.
    pub name: Reference,
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// The size of that in bytes.
    pub size: u64,
    /// The type of that.
    pub media_type: MediaType,
}

/// A release in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Packed {
    /// Its name.
    pub name: ReleaseName,
    /// The digest of its index.
    pub digest: Digest,
    /// The size of its index in bytes.
    pub size: u64,
}

/// A release that the other side is expected to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Base {
    /// Its name.
    pub name: ReleaseName,
    /// The digest of its index.
    pub digest: Digest,
}

/// A blob that is carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlobEntry {
    /// What it is called.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A blob that is needed, but not carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Required {
    /// What it is called.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The images (or the release) that need it.
    pub needed_by: Vec<String>,
}

/// The small files at the start of a bundle, as bytes.
pub(super) struct Front {
    pub(super) contents: Vec<u8>,
    pub(super) index: Vec<u8>,
}

impl Contents {
    /// The size of all carried blobs in bytes.
    #[must_use]
    pub fn carried_bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).sum()
    }

    /// The size in bytes of all blobs that are needed, but not carried.
    #[must_use]
    pub fn required_bytes(&self) -> u64 {
        self.requires.iter().map(|blob| blob.size).sum()
    }

    /// Whether the bundle can be loaded by a site that holds nothing.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.requires.is_empty()
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let malformed = |source| BundleError::Contents { source };
        let Format { format } = serde_json::from_slice(bytes).map_err(malformed)?;
        if format != FORMAT {
            return Err(BundleError::Format { format });
        }
        let contents: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        contents.check()?;
        Ok(contents)
    }

    /// A blob stands in the file once, and the sizes add up to something.
    pub(super) fn check(&self) -> Result<(), BundleError> {
        let mut seen = HashSet::new();
        let mut total: u64 = 0;
        for (digest, size) in self
            .blobs
            .iter()
            .map(|blob| (blob.digest, blob.size))
            .chain(self.requires.iter().map(|blob| (blob.digest, blob.size)))
        {
            let sum = total.checked_add(size).filter(|sum| *sum < u64::MAX / 2);
            total = sum.ok_or(BundleError::Inconsistent { digest })?;
            if !seen.insert(digest) {
                return Err(BundleError::Inconsistent { digest });
            }
        }
        for release in &self.releases {
            if !seen.contains(&release.digest) {
                return Err(BundleError::Inconsistent {
                    digest: release.digest,
                });
            }
        }
        self.check_images(&seen)
    }

    /// Images are there, have names of their own, and none that belongs to a release.
    fn check_images(&self, there: &HashSet<Digest>) -> Result<(), BundleError> {
        let mut names = HashSet::new();
        for image in &self.images {
            let is_name = image.name.tag().is_some()
                && image.name.digest().is_none()
                && release::release_name(&image.name).is_none()
                && names.insert(&image.name);
            let is_document = DocumentKind::of(&image.media_type) != DocumentKind::Leaf;
            if !is_name || !is_document || !there.contains(&image.digest) {
                return Err(BundleError::Inconsistent {
                    digest: image.digest,
                });
            }
        }
        Ok(())
    }

    pub(super) fn front(&self) -> Result<Front, BundleError> {
        let contents = json::canonical(self).map_err(|source| BundleError::Contents { source })?;
        let index = self.index(&Digest::of_bytes(&contents))?;
        Ok(Front { contents, index })
    }

    /// `index.json`, which names the releases and images for other OCI tools and binds the contents.
    pub(super) fn index(&self, contents: &Digest) -> Result<Vec<u8>, BundleError> {
        let releases = self.releases.iter().map(Packed::entry);
        let images = self.images.iter().map(PackedImage::entry);
        let manifests: Vec<Descriptor> = releases.chain(images).collect();
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MediaType::ImageIndex,
            "manifests": manifests,
            "annotations": {CONTENTS_ANNOTATION: contents},
        });
        json::canonical(&index).map_err(|source| BundleError::Contents { source })
    }

    /// The size of the whole file in bytes.
    pub(super) fn file_bytes(&self, front: &Front) -> u64 {
        let small = [
            file_entry(CONTENTS_NAME, front.contents.len() as u64),
            file_entry(LAYOUT_NAME, LAYOUT.len() as u64),
            file_entry(INDEX_NAME, front.index.len() as u64),
        ];
        let blobs = self.blobs.iter().map(BlobEntry::entry);
        let entries: u64 = small
            .into_iter()
            .chain(blobs)
            .map(|entry| occupied(&entry))
            .sum();
        entries + 2 * BLOCK_BYTES as u64
    }
}

impl Packed {
    pub(super) fn descriptor(&self) -> Descriptor {
        Descriptor::new(MediaType::ImageIndex, self.size, self.digest)
    }

    fn entry(&self) -> Descriptor {
        let mut entry = self.descriptor();
        let name = release::reference(&self.name).familiar();
        entry.set_annotations(Some([(NAME_ANNOTATION.to_owned(), name)].into()));
        entry.set_artifact_type(Some(MediaType::from(release::RELEASE_TYPE)));
        entry
    }
}

impl PackedImage {
    pub(super) fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.size, self.digest)
    }

    fn entry(&self) -> Descriptor {
        let mut entry = self.descriptor();
        let name = self.name.familiar();
        entry.set_annotations(Some([(NAME_ANNOTATION.to_owned(), name)].into()));
        entry
    }
}

impl BlobEntry {
    pub(super) fn entry(&self) -> Entry {
        let path = format!(
            "blobs/{}/{}",
            self.digest.algorithm().name(),
            self.digest.hex()
        );
        file_entry(&path, self.size)
    }
}

pub(super) fn file_entry(path: &str, size_bytes: u64) -> Entry {
    Entry::file(path, size_bytes)
}

fn occupied(entry: &Entry) -> u64 {
    header_bytes(entry).len() as u64 + entry.size_bytes + padding(entry.size_bytes) as u64
}
