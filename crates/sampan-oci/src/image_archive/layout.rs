//! OCI image layouts.

use std::collections::HashSet;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::de::DeserializeOwned;

use super::contents::Contents;
use super::loading::LoadedImage;
use super::member::{Member, blob_path};
use super::{FULL_NAME_ANNOTATION, ImageArchiveError, LAYOUT_FILE};
use crate::digest::Digest;
use crate::image::{DocumentKind, NAME_ANNOTATION};
use crate::store::{Staged, StoreError};

/// An index of an image leads to manifests: three levels of documents.
const DEPTH_LIMIT: usize = 8;
const VERSION: &str = "1.0.0";

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    image_layout_version: String,
}

/// Follows the index of a layout to all that it leads to.
pub(super) fn read(
    contents: &mut Contents,
    index: &[u8],
) -> Result<(Vec<LoadedImage>, Vec<Staged>), ImageArchiveError> {
    if let Some(bytes) = contents.document(LAYOUT_FILE)? {
        let layout: Layout = parse(LAYOUT_FILE, &bytes)?;
        if layout.image_layout_version != VERSION {
            return Err(ImageArchiveError::NoImages {
                found: "its layout has an unknown version",
            });
        }
    }
    let index: ImageIndex = parse(super::INDEX_FILE, index)?;
    let mut walk = Walk {
        contents,
        seen: HashSet::new(),
        blobs: Vec::new(),
    };
    let mut images: Vec<LoadedImage> = Vec::new();
    for entry in index.manifests() {
        walk.visit(entry, 0)?;
        let (name, descriptor) = named(entry);
        let known = images
            .iter_mut()
            .find(|image| image.descriptor.digest() == descriptor.digest());
        match known {
            Some(image) => image.add_names(name),
            None => images.push(LoadedImage::new(descriptor, name)),
        }
    }
    Ok((images, walk.blobs))
}

/// The name that an entry of the index says, and the entry without it.
fn named(entry: &Descriptor) -> (Option<String>, Descriptor) {
    let mut descriptor = entry.clone();
    let mut annotations = entry.annotations().clone().unwrap_or_default();
    let short = annotations.remove(NAME_ANNOTATION);
    let name = annotations.remove(FULL_NAME_ANNOTATION).or(short);
    descriptor.set_annotations(Some(annotations).filter(|annotations| !annotations.is_empty()));
    (name, descriptor)
}

pub(super) fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, ImageArchiveError> {
    serde_json::from_slice(bytes).map_err(|source| ImageArchiveError::Document {
        path: path.to_owned(),
        source,
    })
}

struct Walk<'call> {
    contents: &'call mut Contents,
    seen: HashSet<Digest>,
    blobs: Vec<Staged>,
}

impl Walk<'_> {
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), ImageArchiveError> {
        let digest = Digest::of(descriptor)?;
        if depth > DEPTH_LIMIT {
            return Err(StoreError::Nested { digest }.into());
        }
        let path = blob_path(&digest);
        let Some(member) = self.contents.blob(&digest, descriptor.size())? else {
            return Err(ImageArchiveError::Missing { path });
        };
        if member.size_bytes() != descriptor.size() {
            return Err(ImageArchiveError::Size {
                path,
                expected: descriptor.size(),
                actual: member.size_bytes(),
            });
        }
        if !self.seen.insert(digest) {
            return Ok(());
        }
        match DocumentKind::of(descriptor.media_type()) {
            DocumentKind::Leaf => {}
            DocumentKind::Index => {
                let index: ImageIndex = parse(&path, &self.contents.read(&path, &member)?)?;
                for child in index.manifests() {
                    self.visit(child, depth + 1)?;
                }
            }
            DocumentKind::Manifest => {
                let manifest: ImageManifest = parse(&path, &self.contents.read(&path, &member)?)?;
                for child in manifest.layers() {
                    self.visit(child, depth + 1)?;
                }
                self.visit(manifest.config(), depth + 1)?;
            }
        }
        if let Member::File { staged, .. } = member {
            self.blobs.push(staged);
        }
        Ok(())
    }
}
