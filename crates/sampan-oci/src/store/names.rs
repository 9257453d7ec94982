//! The names in `index.json`.
//!
//! Most have a tag. A name by digest (see [`ContentStore::pin`]) stands for what was taken of that content.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use oci_spec::image::{Descriptor, ImageIndex, ImageIndexBuilder, ImageManifest, MediaType};

use super::{ContentStore, StoreError, graph};
use crate::digest::Digest;
use crate::image::{DOCUMENT_LIMIT_BYTES, DocumentKind, NAME_ANNOTATION};
use crate::json;
use crate::reference::Reference;

type Names = Vec<(Reference, Descriptor)>;

/// Makes an empty index and then the layout file, which says that the layout is ready.
pub(super) fn create(store: &ContentStore, layout: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let _lock = lock(store)?;
    if read_index(store)?.is_none() {
        write_index(store, Vec::new())?;
    }
    store.replace(layout, bytes)
}

pub(super) fn references(store: &ContentStore) -> Result<Names, StoreError> {
    let mut names: Names = entries(store)?
        .into_iter()
        .filter_map(|entry| Some((name_of(&entry)?, bare(entry))))
        .collect();
    names.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(names)
}

pub(super) fn resolve(
    store: &ContentStore,
    reference: &Reference,
) -> Result<Option<Descriptor>, StoreError> {
    let names = |entry: &Descriptor| match (name_of(entry), reference.digest()) {
        (Some(name), None) => name == *reference,
        (Some(name), digest) => name.digest() == digest,
        (None, _) => false,
    };
    if let Some(entry) = entries(store)?.into_iter().find(names) {
        return Ok(Some(bare(entry)));
    }
    match reference.digest() {
        Some(digest) => resolve_digest(store, digest),
        None => Ok(None),
    }
}

/// Content that was given by digest is found when all of it is there.
fn resolve_digest(store: &ContentStore, digest: &Digest) -> Result<Option<Descriptor>, StoreError> {
    let Some(size) = store.size(digest)? else {
        return Ok(None);
    };
    if size > DOCUMENT_LIMIT_BYTES {
        return Ok(None);
    }
    let bytes = store.read(digest, DOCUMENT_LIMIT_BYTES)?;
    let Some(media_type) = media_type_of(&bytes) else {
        return Ok(None);
    };
    let descriptor = Descriptor::new(media_type, size, *digest);
    let complete = graph::missing(store, &descriptor)?.is_empty();
    Ok(complete.then_some(descriptor))
}

/// Documents of the OCI may leave their media type out; then their fields tell.
fn media_type_of(bytes: &[u8]) -> Option<MediaType> {
    if let Ok(manifest) = serde_json::from_slice::<ImageManifest>(bytes) {
        return Some(
            manifest
                .media_type()
                .clone()
                .unwrap_or(MediaType::ImageManifest),
        );
    }
    let index: ImageIndex = serde_json::from_slice(bytes).ok()?;
    Some(index.media_type().clone().unwrap_or(MediaType::ImageIndex))
        .filter(|media_type| DocumentKind::of(media_type) == DocumentKind::Index)
}

pub(super) fn tag_all(
    store: &ContentStore,
    names: &[(Reference, Descriptor)],
) -> Result<(), StoreError> {
    // Under the lock: what is complete now must not be collected before it has its name.
    let _lock = lock(store)?;
    check_complete(store, names)?;
    let mut entries = entries(store)?;
    for (reference, descriptor) in names {
        give(&mut entries, &without_digest(reference), descriptor);
    }
    write_index(store, entries)
}

pub(super) fn pin(
    store: &ContentStore,
    reference: &Reference,
    descriptor: &Descriptor,
) -> Result<(), StoreError> {
    let _lock = lock(store)?;
    check_complete(store, &[(reference.clone(), descriptor.clone())])?;
    let mut entries = entries(store)?;
    if reference.tag().is_some() {
        give(&mut entries, &without_digest(reference), descriptor);
    }
    if let Some(by_digest) = reference.by_digest() {
        give(&mut entries, &by_digest, descriptor);
    }
    write_index(store, entries)
}

fn give(entries: &mut Vec<Descriptor>, name: &Reference, descriptor: &Descriptor) {
    entries.retain(|entry| name_of(entry).as_ref() != Some(name));
    entries.push(named(name, descriptor));
}

pub(super) fn tag_new(
    store: &ContentStore,
    names: &[(Reference, Descriptor)],
) -> Result<Option<(Reference, Descriptor)>, StoreError> {
    let _lock = lock(store)?;
    check_complete(store, names)?;
    let mut entries = entries(store)?;
    for (reference, descriptor) in names {
        let reference = without_digest(reference);
        let holder = entries
            .iter()
            .find(|entry| name_of(entry).as_ref() == Some(&reference));
        match holder {
            Some(holder) if holder.digest() == descriptor.digest() => {}
            Some(holder) => return Ok(Some((reference, bare(holder.clone())))),
            None => entries.push(named(&reference, descriptor)),
        }
    }
    write_index(store, entries)?;
    Ok(None)
}

pub(super) fn untag(store: &ContentStore, reference: &Reference) -> Result<bool, StoreError> {
    let _lock = lock(store)?;
    let mut entries = entries(store)?;
    let before = entries.len();
    entries.retain(|entry| name_of(entry).as_ref() != Some(reference));
    if entries.len() == before {
        return Ok(false);
    }
    write_index(store, entries)?;
    Ok(true)
}

fn check_complete(
    store: &ContentStore,
    names: &[(Reference, Descriptor)],
) -> Result<(), StoreError> {
    for (reference, descriptor) in names {
        let missing = graph::missing(store, descriptor)?;
        if !missing.is_empty() {
            return Err(StoreError::Incomplete {
                reference: Box::new(reference.clone()),
                missing,
            });
        }
    }
    Ok(())
}

/// A name in the index stands for itself: what it points to already says the digest.
fn without_digest(reference: &Reference) -> Reference {
    let tag = reference.tag().unwrap_or("latest");
    reference
        .with_tag(tag)
        .expect("the tag comes from a reference")
}

fn name_of(entry: &Descriptor) -> Option<Reference> {
    entry
        .annotations()
        .as_ref()?
        .get(NAME_ANNOTATION)?
        .parse()
        .ok()
}

fn named(reference: &Reference, descriptor: &Descriptor) -> Descriptor {
    let mut entry = descriptor.clone();
    let mut annotations = entry.annotations().clone().unwrap_or_default();
    annotations.insert(NAME_ANNOTATION.to_owned(), reference.familiar());
    entry.set_annotations(Some(annotations));
    entry
}

fn bare(mut entry: Descriptor) -> Descriptor {
    let mut annotations: HashMap<_, _> = entry.annotations().clone().unwrap_or_default();
    annotations.remove(NAME_ANNOTATION);
    entry.set_annotations(Some(annotations).filter(|annotations| !annotations.is_empty()));
    entry
}

/// Held while the index is read and replaced; the kernel gives it back when the process dies.
pub(super) fn lock(store: &ContentStore) -> Result<File, StoreError> {
    let path = store.root.join("index.lock");
    let open = || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|source| StoreError::io("lock", &path, source))
}

pub(super) fn entries(store: &ContentStore) -> Result<Vec<Descriptor>, StoreError> {
    Ok(read_index(store)?
        .map(|index| index.manifests().clone())
        .unwrap_or_default())
}

fn read_index(store: &ContentStore) -> Result<Option<ImageIndex>, StoreError> {
    let path = store.root.join("index.json");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StoreError::io("read", &path, source)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| StoreError::Index { path, source })
}

fn write_index(store: &ContentStore, entries: Vec<Descriptor>) -> Result<(), StoreError> {
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(entries)
        .build()
        .expect("all required fields are given");
    let bytes = json::canonical(&index).map_err(|source| StoreError::Serialize { source })?;
    store.replace(&store.root.join("index.json"), &bytes)
}
