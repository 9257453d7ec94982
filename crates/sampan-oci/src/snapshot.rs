//! Unpacked layers, as the lower directories of overlays.
//!
//! ```text
//! snapshots/HEX/fs       the layer with the chain id HEX, with the overlay's own whiteouts
//! snapshots/HEX/boot     in which boot of the machine it was made
//! snapshots/HEX.new/     one that is being made, or whose maker died
//! snapshots/HEX.lock     held by whoever makes it
//! ```
//!
//! A snapshot is a cache of verified content, and writing it through to the disk file by file would
//! take longer than to unpack it. So it is not: a snapshot that was made in another boot may have
//! suffered from a power cut, and is made again at its next use.

mod error;
mod root;
mod unpack;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use self::error::{SnapshotError, UnpackError};

use crate::digest::{Digest, Hasher};
use crate::image::{Image, chain_ids};
use crate::layer;
use crate::store::{ContentStore, StoreError};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A handle to the snapshots of one data directory; cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshots {
    root: PathBuf,
    boot: String,
}

impl Snapshots {
    /// Opens `data_dir/snapshots`, making it when there is none.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub fn open(data_dir: &Path) -> Result<Self, SnapshotError> {
        let root = data_dir.join("snapshots");
        let failed = |source| StoreError::io("make", &root, source);
        fs::create_dir_all(&root).map_err(failed)?;
        // Unpacked files may be set-user-id: nobody else on the machine shall reach them.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        let boot = fs::read_to_string(BOOT_ID)
            .map_err(|source| StoreError::io("read", Path::new(BOOT_ID), source))?;
        Ok(Self { root, boot })
    }

    /// Unpacks those layers of `image` that are not unpacked yet, and gives the directories of all,
    /// topmost first, as an overlay wants them. Other processes that need the same layer wait.
    ///
    /// # Errors
    /// When a layer is missing, malformed or altered, tries to leave its directory, or the disk is
    /// full.
    pub fn prepare(
        &self,
        store: &ContentStore,
        image: &Image,
    ) -> Result<Vec<PathBuf>, SnapshotError> {
        let diff_ids = image.diff_ids()?;
        let layers = image.manifest.layers();
        if diff_ids.len() != layers.len() {
            return Err(SnapshotError::LayerCount {
                digest: image.digest()?,
                layers: layers.len(),
                diff_ids: diff_ids.len(),
            });
        }
        let mut lower: Vec<PathBuf> = Vec::with_capacity(layers.len());
        for ((chain_id, diff_id), layer) in chain_ids(&diff_ids).iter().zip(&diff_ids).zip(layers) {
            if !self.has(chain_id) {
                let blob = Digest::of(layer)?;
                self.make(chain_id, |directory| {
                    unpack_blob(
                        store,
                        &blob,
                        diff_id,
                        &Target {
                            directory,
                            lower: &lower,
                        },
                    )
                })?;
            }
            lower.insert(0, self.path(chain_id));
        }
        Ok(lower)
    }

    /// Whether the layer with this chain id is unpacked.
    #[must_use]
    pub fn has(&self, chain_id: &Digest) -> bool {
        let marker = self.home(chain_id).join("boot");
        fs::read_to_string(marker).is_ok_and(|boot| boot == self.boot)
    }

    /// Where the layer with this chain id is or will be unpacked.
    #[must_use]
    pub fn path(&self, chain_id: &Digest) -> PathBuf {
        self.home(chain_id).join("fs")
    }

    /// Takes over `upper`, the upper directory of an overlay of which a layer was written, as the
    /// snapshot with this chain id. `upper` is gone afterwards, also when there was a snapshot.
    ///
    /// # Errors
    /// When `upper` lies on another file system or cannot be moved.
    pub fn adopt(&self, chain_id: &Digest, upper: &Path) -> Result<PathBuf, SnapshotError> {
        if !self.has(chain_id) {
            self.make(chain_id, |directory| {
                fs::remove_dir(directory)
                    .and_then(|()| fs::rename(upper, directory))
                    .map_err(|source| StoreError::io("adopt", upper, source).into())
            })?;
        }
        remove_tree(upper)?;
        Ok(self.path(chain_id))
    }

    /// Makes a snapshot by `fill`, which gets an empty directory, unless another process has.
    fn make(
        &self,
        chain_id: &Digest,
        fill: impl FnOnce(&Path) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        let _lock = self.lock(chain_id)?;
        if self.has(chain_id) {
            return Ok(());
        }
        let home = self.home(chain_id);
        let new = home.with_extension("new");
        let failed = |source| StoreError::io("make", &new, source);
        remove_tree(&new)?;
        remove_tree(&home)?;
        let directory = new.join("fs");
        fs::create_dir_all(&directory).map_err(failed)?;
        if let Err(error) = fill(&directory) {
            // Room may be what is lacking, so do not keep it until the next attempt.
            if let Err(error) = remove_tree(&new) {
                tracing::warn!(path = %new.display(), %error, "cannot remove a partial snapshot");
            }
            return Err(error);
        }
        fs::write(new.join("boot"), &self.boot).map_err(failed)?;
        fs::rename(&new, &home).map_err(|source| StoreError::io("make", &home, source))?;
        Ok(())
    }

    fn home(&self, chain_id: &Digest) -> PathBuf {
        self.root.join(chain_id.hex())
    }

    fn lock(&self, chain_id: &Digest) -> Result<File, SnapshotError> {
        let path = self.home(chain_id).with_extension("lock");
        let open = || {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(|source| StoreError::io("lock", &path, source).into())
    }
}

fn remove_tree(path: &Path) -> Result<(), SnapshotError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, source).into())
        }
        _ => Ok(()),
    }
}

/// Where a layer goes, and what will lie below it, topmost first.
struct Target<'target> {
    directory: &'target Path,
    lower: &'target [PathBuf],
}

fn unpack_blob(
    store: &ContentStore,
    blob: &Digest,
    diff_id: &Digest,
    target: &Target<'_>,
) -> Result<(), SnapshotError> {
    let failed = |source| SnapshotError::Unpack {
        layer: *blob,
        source: Box::new(source),
    };
    let bytes = layer::decompress(store.open_blob(blob)?)
        .map_err(|source| failed(UnpackError::Layer(source)))?;
    let mut hashing = Hashing {
        inner: bytes,
        hasher: Hasher::new(diff_id.algorithm()),
    };
    unpack::unpack(&mut hashing, target.directory, target.lower).map_err(failed)?;
    let actual = hashing.hasher.finish();
    if actual != *diff_id {
        return Err(StoreError::altered(*diff_id, actual).into());
    }
    Ok(())
}

struct Hashing<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: io::Read> io::Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}
