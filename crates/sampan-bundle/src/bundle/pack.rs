//! Packing: first a plan, then the bytes.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use sampan_model::ReleaseName;
use sampan_oci::archive::{ArchiveError, ArchiveWriter};
use sampan_oci::store::StoreError;
use sampan_oci::stream::{Counting, Hashing};
use sampan_oci::{ContentStore, Descriptor, Digest, Reference, durable};

use super::contents::{
    Base, BlobEntry, CONTENTS_NAME, Contents, FORMAT, Front, INDEX_NAME, LAYOUT, LAYOUT_NAME,
    Packed, PackedImage, Required, file_entry,
};
use super::{BundleError, Progress};
use crate::release::{self, Release};

/// A bundle that can be written: all is decided, nothing is read but documents.
pub struct Bundle {
    contents: Contents,
    front: Front,
}

impl Bundle {
    /// Plans a bundle of `releases`, without what the releases `since` have.
    ///
    /// # Errors
    /// When a release is not there or not complete.
    pub fn plan(
        store: &ContentStore,
        releases: &[ReleaseName],
        since: &[ReleaseName],
    ) -> Result<Self, BundleError> {
        Self::plan_with_images(store, releases, &[], since)
    }

    /// Plans a bundle of `releases` and of `images` that belong to none, without what the releases `since` have. An
    /// image's name needs a tag, under which it is found on the other side.
    ///
    /// # Errors
    /// When a release or an image is not there or not complete.
    pub fn plan_with_images(
        store: &ContentStore,
        releases: &[ReleaseName],
        images: &[(Reference, Descriptor)],
        since: &[ReleaseName],
    ) -> Result<Self, BundleError> {
        if releases.is_empty() && images.is_empty() {
            return Err(BundleError::Empty);
        }
        if let Some(name) = releases.iter().find(|name| since.contains(name)) {
            return Err(BundleError::OwnBase { name: name.clone() });
        }
        let open = |name| release::open(store, name);
        let releases: Vec<Release> = releases.iter().map(open).collect::<Result<_, _>>()?;
        let bases: Vec<Release> = since.iter().map(open).collect::<Result<_, _>>()?;
        let mut held = HashSet::new();
        for base in &bases {
            for part in store.reachable(&base.descriptor)? {
                held.insert(Digest::of(&part).map_err(StoreError::from)?);
            }
        }
        let (blobs, requires) = divide(store, &wholes(&releases, images), &held)?;
        let contents = Contents {
            format: FORMAT.to_owned(),
            releases: releases.iter().map(packed).collect::<Result<_, _>>()?,
            bases: bases
                .iter()
                .map(|base| {
                    Ok(Base {
                        name: base.name.clone(),
                        digest: base.digest()?,
                    })
                })
                .collect::<Result<_, BundleError>>()?,
            blobs,
            requires,
            images: images.iter().map(packed_image).collect::<Result<_, _>>()?,
        };
        contents.check()?;
        let front = contents.front()?;
        Ok(Self { contents, front })
    }

    /// What it will carry.
    #[must_use]
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// How large the file will be, in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.contents.file_bytes(&self.front)
    }

    /// Writes the bundle to `path`, which has its old content until the bundle is complete.
    ///
    /// # Errors
    /// When there is no room, or a blob of the store is damaged.
    pub fn write_file(
        &self,
        store: &ContentStore,
        path: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BundleError> {
        let failed = |action| {
            move |source| BundleError::File {
                action,
                path: path.to_owned(),
                source,
            }
        };
        let partial = durable::partial_path(path);
        self.check_space(path)?;
        let file = durable::create_partial(path).map_err(failed("make"))?;
        let outcome = self
            .write_partial(store, file, path, progress)
            .and_then(|_locked| {
                fs::rename(&partial, path).map_err(failed("make"))?;
                durable::sync_directory(durable::directory_of(path)).map_err(failed("make"))
            });
        if outcome.is_err()
            && let Err(error) = fs::remove_file(&partial)
        {
            tracing::warn!(path = %partial.display(), %error, "cannot remove a partial bundle");
        }
        outcome
    }

    fn write_partial(
        &self,
        store: &ContentStore,
        file: File,
        path: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<File, BundleError> {
        let failed = |source| BundleError::File {
            action: "write",
            path: path.to_owned(),
            source,
        };
        let buffered = BufWriter::with_capacity(256 * 1024, file);
        let buffered = self
            .write(store, buffered, progress)
            .map_err(|error| match error {
                BundleError::Write(ArchiveError::Io(source)) => failed(source),
                other => other,
            })?;
        let file = buffered
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        Ok(file)
    }

    fn check_space(&self, path: &Path) -> Result<(), BundleError> {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = parent.unwrap_or(Path::new("."));
        let stat = rustix::fs::statvfs(directory).map_err(|source| BundleError::File {
            action: "write below",
            path: directory.to_owned(),
            source: source.into(),
        })?;
        let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
        let needed_bytes = self.file_bytes();
        if free_bytes < needed_bytes {
            return Err(BundleError::Space {
                path: directory.to_owned(),
                needed_bytes,
                free_bytes,
            });
        }
        Ok(())
    }

    /// Writes the bundle to `sink` and gives it back.
    ///
    /// # Errors
    /// When `sink` cannot be written, or a blob of the store is missing or damaged.
    pub fn write<W: Write>(
        &self,
        store: &ContentStore,
        sink: W,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<W, BundleError> {
        let total_bytes = self.file_bytes();
        let mut report = |done_bytes| {
            progress(Progress {
                done_bytes,
                total_bytes,
            });
        };
        let mut archive = ArchiveWriter::new(Counting::new(sink, &mut report));
        for (name, bytes) in [
            (CONTENTS_NAME, self.front.contents.as_slice()),
            (LAYOUT_NAME, LAYOUT),
            (INDEX_NAME, self.front.index.as_slice()),
        ] {
            let entry = file_entry(name, bytes.len() as u64);
            archive
                .append(&entry, &mut &*bytes)
                .map_err(BundleError::Write)?;
        }
        for blob in &self.contents.blobs {
            let mut data = Hashing::new(store.open_blob(&blob.digest)?, &blob.digest);
            archive.append(&blob.entry(), &mut data).map_err(|error| {
                match (error, store.verify(&blob.digest)) {
                    (ArchiveError::Size { .. }, Err(damage)) => damage.into(),
                    (error, _) => BundleError::Write(error),
                }
            })?;
            let actual = data.finish();
            if actual != blob.digest {
                return Err(damaged(blob, actual));
            }
        }
        Ok(archive.finish().map_err(BundleError::Write)?.into_inner())
    }
}

fn damaged(blob: &BlobEntry, actual: Digest) -> BundleError {
    StoreError::altered(blob.digest, actual).into()
}

fn packed(release: &Release) -> Result<Packed, BundleError> {
    Ok(Packed {
        name: release.name.clone(),
        digest: release.digest()?,
        size: release.descriptor.size(),
    })
}

fn packed_image((name, image): &(Reference, Descriptor)) -> Result<PackedImage, BundleError> {
    Ok(PackedImage {
        name: name.clone(),
        digest: Digest::of(image).map_err(StoreError::from)?,
        size: image.size(),
        media_type: image.media_type().clone(),
    })
}

/// Something whole that is packed.
struct Whole<'a> {
    name: String,
    descriptor: &'a Descriptor,
    /// The images in it by their names.
    images: &'a [(Reference, Descriptor)],
}

fn wholes<'a>(releases: &'a [Release], images: &'a [(Reference, Descriptor)]) -> Vec<Whole<'a>> {
    let releases = releases.iter().map(|release| Whole {
        name: release.name.to_string(),
        descriptor: &release.descriptor,
        images: &release.images,
    });
    let images = images.iter().map(|image| Whole {
        name: image.0.familiar(),
        descriptor: &image.1,
        images: std::slice::from_ref(image),
    });
    releases.chain(images).collect()
}

/// Divides what is packed into what is carried and what the other side holds.
fn divide(
    store: &ContentStore,
    wholes: &[Whole<'_>],
    held: &HashSet<Digest>,
) -> Result<(Vec<BlobEntry>, Vec<Required>), BundleError> {
    let mut blobs = Vec::new();
    let mut requires = Vec::new();
    let mut seen = HashSet::new();
    let needed_by = needed_by(store, wholes)?;
    for whole in wholes {
        for part in store.reachable(whole.descriptor)? {
            let digest = Digest::of(&part).map_err(StoreError::from)?;
            if !seen.insert(digest) {
                continue;
            }
            let size = part.size();
            if held.contains(&digest) {
                let needed_by = needed_by.get(&digest).cloned();
                let needed_by = needed_by.unwrap_or_else(|| vec![whole.name.clone()]);
                requires.push(Required {
                    digest,
                    size,
                    needed_by,
                });
            } else {
                blobs.push(BlobEntry { digest, size });
            }
        }
    }
    Ok((blobs, requires))
}

/// Which images need which blob.
fn needed_by(
    store: &ContentStore,
    wholes: &[Whole<'_>],
) -> Result<HashMap<Digest, Vec<String>>, BundleError> {
    let mut needed_by: HashMap<Digest, Vec<String>> = HashMap::new();
    for (reference, image) in wholes.iter().flat_map(|whole| whole.images) {
        for part in store.reachable(image)? {
            let digest = Digest::of(&part).map_err(StoreError::from)?;
            let names = needed_by.entry(digest).or_default();
            let name = reference.familiar();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(needed_by)
}
