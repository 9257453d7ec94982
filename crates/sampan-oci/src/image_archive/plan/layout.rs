//! An archive of an OCI image layout, with docker's `manifest.json` beside the index as docker
//! itself writes it: podman reads several images from an archive by that only.

use std::collections::{BTreeSet, HashSet};

use oci_spec::image::{Descriptor, ImageIndexBuilder, MediaType};

use super::{Content, Part, SavedImage};
use crate::archive::Entry;
use crate::digest::Digest;
use crate::image::NAME_ANNOTATION;
use crate::image_archive::docker::Item;
use crate::image_archive::member::blob_path;
use crate::image_archive::{
    DOCKER_FILE, FULL_NAME_ANNOTATION, INDEX_FILE, ImageArchiveError, LAYOUT_FILE,
};
use crate::reference::Reference;
use crate::store::{ContentStore, StoreError};

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

pub(super) fn plan(
    store: &ContentStore,
    images: &[SavedImage],
) -> Result<Vec<Part>, ImageArchiveError> {
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    let mut directories = BTreeSet::new();
    let mut blobs = Vec::new();
    for image in images {
        entries.extend(named(image));
        for part in store.reachable(&image.descriptor)? {
            let digest = Digest::of(&part)?;
            if !seen.insert(digest) {
                continue;
            }
            directories.insert(format!("blobs/{}", digest.algorithm().name()));
            blobs.push(Part {
                entry: Entry::file(&blob_path(&digest), part.size()),
                content: Content::Blob(digest),
            });
        }
    }
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(entries)
        .build()
        .expect("all required fields are given");
    let mut parts = vec![
        Part::bytes(LAYOUT_FILE, LAYOUT.to_vec()),
        Part::json(INDEX_FILE, &index)?,
    ];
    let items = docker_items(store, images)?;
    if !items.is_empty() {
        parts.push(Part::json(DOCKER_FILE, &items)?);
    }
    parts.push(Part::directory("blobs"));
    parts.extend(directories.iter().map(|path| Part::directory(path)));
    parts.extend(blobs);
    Ok(parts)
}

/// An entry of the index for each name, or one for an image without names.
fn named(image: &SavedImage) -> Vec<Descriptor> {
    let entry = |name: Option<String>| {
        let mut entry = image.descriptor.clone();
        let mut annotations = entry.annotations().clone().unwrap_or_default();
        if let Some(name) = name {
            annotations.insert(FULL_NAME_ANNOTATION.to_owned(), name.clone());
            annotations.insert(NAME_ANNOTATION.to_owned(), name);
        }
        entry.set_annotations(Some(annotations).filter(|annotations| !annotations.is_empty()));
        entry
    };
    if image.names.is_empty() {
        return vec![entry(None)];
    }
    let names = image.names.iter();
    names.map(|name| entry(Some(name.to_string()))).collect()
}

/// What docker's manifest says of those that are images for this machine.
fn docker_items(
    store: &ContentStore,
    images: &[SavedImage],
) -> Result<Vec<Item>, ImageArchiveError> {
    let mut items = Vec::new();
    for saved in images {
        let image = match store.image(&saved.descriptor) {
            Ok(image) => image,
            Err(StoreError::NotAnImage { .. } | StoreError::Platform { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let layers = image.manifest.layers().iter();
        let layers = layers.map(|layer| Digest::of(layer).map(|digest| blob_path(&digest)));
        items.push(Item {
            config: blob_path(&Digest::of(image.manifest.config())?),
            repo_tags: Some(saved.names.iter().map(Reference::to_string).collect()),
            layers: Some(layers.collect::<Result<_, _>>()?),
        });
    }
    Ok(items)
}
