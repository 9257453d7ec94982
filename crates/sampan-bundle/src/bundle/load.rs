//! Loading: verify, store, and only at the end give names.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sampan_model::ReleaseName;
use sampan_oci::digest::Hasher;
use sampan_oci::store::{BlobWriter, StoreError};
use sampan_oci::{ContentStore, Digest, Reference};

use super::contents::{Base, BlobEntry, Contents, Required};
use super::source::Source;
use super::{BundleError, Progress};
use crate::release::{self, ReleaseError};

/// What the store needs beside the blobs themselves: room for names and for the file system's own
/// records.
const MARGIN_BYTES: u64 = 1024 * 1024;

/// What loading a bundle has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The releases that are complete now.
    pub releases: Vec<ReleaseName>,
    /// The images beside them that have their names now.
    pub images: Vec<Reference>,
    /// How many blobs were new.
    pub new_blobs: usize,
    /// The size of the new blobs in bytes.
    pub new_bytes: u64,
    /// How many blobs were there already.
    pub held_blobs: usize,
    /// The size of the whole bundle in bytes.
    pub bundle_bytes: u64,
}

/// Reads a bundle from `source` into the store.
///
/// Verified blobs stay when it is interrupted, and the next attempt does not write them again; releases
/// and images get their names when the whole bundle was verified.
///
/// # Errors
/// [`BundleError::Missing`] when the bundle is a delta to something that is not here,
/// [`BundleError::Altered`] and [`BundleError::Truncated`] when it is damaged,
/// [`BundleError::Space`] when the disk is too small.
pub fn load(
    store: &ContentStore,
    source: &mut dyn Read,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, BundleError> {
    let mut source = Source::new(source, progress);
    let contents = source.contents()?;
    check_conflicts(store, &contents)?;
    check_required(store, &contents)?;
    let lacking = lacking(store, &contents)?;
    check_space(store, lacking.iter().map(|blob| blob.size).sum())?;
    for blob in &contents.blobs {
        take(store, &mut source, blob)?;
    }
    source.finish()?;
    let names: Vec<_> = contents
        .releases
        .iter()
        .map(|packed| (release::reference(&packed.name), packed.descriptor()))
        .collect();
    for packed in &contents.releases {
        let found = release::read(store, &packed.descriptor())?;
        if found.name != packed.name {
            return Err(BundleError::Inconsistent {
                digest: packed.digest,
            });
        }
    }
    // Somebody may have taken a name since this load began.
    if store.tag_new(&names)?.is_some() {
        check_conflicts(store, &contents)?;
    }
    // An image's name moves to what was loaded last, as everywhere; what had it is found by its digest, if anybody
    // counts on it.
    for image in &contents.images {
        let pinned = image.name.with_digest(image.digest);
        store.pin(&pinned, &image.descriptor())?;
    }
    Ok(Summary {
        images: contents
            .images
            .iter()
            .map(|image| image.name.clone())
            .collect(),
        releases: contents
            .releases
            .iter()
            .map(|packed| packed.name.clone())
            .collect(),
        new_blobs: lacking.len(),
        new_bytes: lacking.iter().map(|blob| blob.size).sum(),
        held_blobs: contents.blobs.len() - lacking.len(),
        bundle_bytes: source.offset(),
    })
}

/// Reads what the bundle at `path` says of itself.
///
/// # Errors
/// When it cannot be read, or its first part is damaged. The blobs are not verified.
pub fn inspect(path: &Path) -> Result<Contents, BundleError> {
    let mut file = File::open(path).map_err(|source| BundleError::File {
        action: "open",
        path: path.to_owned(),
        source,
    })?;
    let contents = Source::new(&mut file, &mut |_| {}).contents()?;
    Ok(contents)
}

/// Names never move from one release to another.
fn check_conflicts(store: &ContentStore, contents: &Contents) -> Result<(), BundleError> {
    for packed in &contents.releases {
        let Some(holder) = store.resolve(&release::reference(&packed.name))? else {
            continue;
        };
        let existing = Digest::of(&holder).map_err(StoreError::from)?;
        if existing != packed.digest {
            return Err(ReleaseError::Exists {
                name: packed.name.clone(),
                existing,
            }
            .into());
        }
    }
    Ok(())
}

fn check_required(store: &ContentStore, contents: &Contents) -> Result<(), BundleError> {
    let mut missing: Vec<Required> = Vec::new();
    for blob in &contents.requires {
        if store.keep(&blob.digest)? != Some(blob.size) {
            missing.push(blob.clone());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut bases: Vec<Base> = Vec::new();
    for base in &contents.bases {
        let holder = store.resolve(&release::reference(&base.name))?;
        let held = holder.is_some_and(|holder| holder.digest().as_ref() == base.digest.to_string());
        if !held {
            bases.push(base.clone());
        }
    }
    Err(BundleError::Missing { bases, missing })
}

fn lacking<'contents>(
    store: &ContentStore,
    contents: &'contents Contents,
) -> Result<Vec<&'contents BlobEntry>, BundleError> {
    let mut lacking = Vec::new();
    for blob in &contents.blobs {
        if store.keep(&blob.digest)? != Some(blob.size) {
            lacking.push(blob);
        }
    }
    Ok(lacking)
}

fn check_space(store: &ContentStore, new_bytes: u64) -> Result<(), BundleError> {
    if new_bytes == 0 {
        return Ok(());
    }
    let needed_bytes = new_bytes + MARGIN_BYTES;
    let free_bytes = store.free_bytes()?;
    if free_bytes < needed_bytes {
        return Err(BundleError::Space {
            path: store.path().to_owned(),
            needed_bytes,
            free_bytes,
        });
    }
    Ok(())
}

/// Takes one blob in; one that is held already is only verified.
fn take(
    store: &ContentStore,
    source: &mut Source<'_>,
    blob: &BlobEntry,
) -> Result<(), BundleError> {
    let at = source.offset();
    let algorithm = blob.digest.algorithm();
    let mut sink = if store.keep(&blob.digest)? == Some(blob.size) {
        Sink::Verify(Hasher::new(algorithm))
    } else {
        Sink::Store(store.writer_for(algorithm)?)
    };
    let failed = |error| BundleError::Store(StoreError::io("write below", store.path(), error));
    source.blob(blob, &mut sink, &failed)?;
    let altered = || BundleError::Altered {
        what: format!("blob `{}`", blob.digest),
        offset: at,
    };
    match sink {
        Sink::Verify(hasher) if hasher.clone().finish() == blob.digest => Ok(()),
        Sink::Verify(_) => Err(altered()),
        Sink::Store(writer) => match writer.commit(Some(&blob.digest)) {
            Ok(_) => Ok(()),
            Err(StoreError::Altered { .. }) => Err(altered()),
            Err(error) => Err(error.into()),
        },
    }
}

enum Sink {
    Verify(Hasher),
    Store(BlobWriter),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Verify(hasher) => hasher.write(bytes),
            Self::Store(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
