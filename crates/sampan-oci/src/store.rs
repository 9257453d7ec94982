//! The content store: an OCI image layout that many processes share.
//!
//! ```text
//! content/oci-layout          the layout's version
//! content/index.json          names; replaced as a whole, under `index.lock`
//! content/blobs/sha256/…      verified bytes; a file appears here complete or not at all
//! content/uploads/…           bytes on their way in, each locked by its writer; `partial-…` wait for the next one
//! ```

mod collect;
mod error;
mod graph;
mod names;
mod staging;
mod uploads;
mod writer;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, MediaType};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::collect::{Collector, Removed};
pub use self::error::StoreError;
pub(crate) use self::staging::{Staged, StagedWriter, Staging};
pub use self::writer::BlobWriter;

use crate::digest::{Algorithm, Digest, Hasher};
use crate::durable;
use crate::image::{self, DOCUMENT_LIMIT_BYTES, DocumentKind, Image};
use crate::json;
use crate::reference::Reference;

const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const LAYOUT_VERSION: &str = "1.0.0";

/// A handle to the content store of one data directory; cheap to clone.
#[derive(Debug, Clone)]
pub struct ContentStore {
    root: PathBuf,
}

/// Gives the file the present time, of the clock that the file system itself uses.
fn mark_as_used(file: &File) -> io::Result<()> {
    let unset = |nanoseconds| Timespec {
        tv_sec: 0,
        tv_nsec: nanoseconds,
    };
    let times = Timestamps {
        last_access: unset(UTIME_OMIT),
        last_modification: unset(UTIME_NOW),
    };
    Ok(rustix::fs::futimens(file, &times)?)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    image_layout_version: String,
}

impl ContentStore {
    /// Opens the store in `data_dir/content`, making it when there is none, and sweeps away what
    /// killed writers have left.
    ///
    /// # Errors
    /// When the directory cannot be made or read, or holds a layout of another version.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let store = Self {
            root: data_dir.join("content"),
        };
        for algorithm in Algorithm::all() {
            store.make_directory(&store.root.join("blobs").join(algorithm.name()))?;
        }
        store.make_directory(&store.uploads())?;
        store.check_layout()?;
        uploads::sweep(&store.uploads())?;
        Ok(store)
    }

    /// The directory of the layout, which other OCI tools can read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Whether the blob is there.
    ///
    /// # Errors
    /// When the file system refuses to say.
    pub fn has(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.size(digest)?.is_some())
    }

    /// The size of the blob in bytes, if it is there.
    ///
    /// # Errors
    /// When the file system refuses to say.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let path = self.blob_path(digest);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::io("look at", &path, source)),
        }
    }

    /// The size of the blob in bytes, if it is there; who asks is about to refer to it, so it counts as used just now
    /// and no [`Collector`] takes it away under the asker's hands.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let path = self.blob_path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::io("open", &path, source)),
        };
        let keep = || -> io::Result<Option<u64>> {
            mark_as_used(&file)?;
            let marked = file.metadata()?;
            // A collector may have been faster than the mark; then the file is in its place no longer.
            Ok(match fs::metadata(&path) {
                Ok(found) if found.ino() == marked.ino() => Some(found.len()),
                Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(source),
                _ => None,
            })
        };
        keep().map_err(|source| StoreError::io("mark", &path, source))
    }

    /// Whether the blob is there whole, so that it survives a power cut: whoever wrote it may have been killed before the
    /// folder was synced. Otherwise as [`Self::keep`].
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep_durably(&self, digest: &Digest, size_bytes: u64) -> Result<bool, StoreError> {
        let is_whole = self.keep(digest)? == Some(size_bytes);
        if is_whole {
            writer::sync_folder_of(&self.blob_path(digest))?;
        }
        Ok(is_whole)
    }

    /// Someone who takes away what nobody names.
    #[must_use]
    pub fn collector(&self) -> Collector {
        Collector::new(self.clone())
    }

    /// Opens the blob for reading. Its bytes were verified when they came in; who must know that
    /// they still are what they were hashes them again.
    ///
    /// # Errors
    /// When the blob is missing or cannot be opened.
    pub fn open_blob(&self, digest: &Digest) -> Result<File, StoreError> {
        let path = self.blob_path(digest);
        File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => StoreError::Missing { digest: *digest },
            _ => StoreError::io("open", &path, source),
        })
    }

    /// Reads the whole blob, which must not be larger than `limit` bytes, and verifies it.
    ///
    /// # Errors
    /// When the blob is missing, larger than `limit`, altered, or cannot be read.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        let file = self.open_blob(digest)?;
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| StoreError::io("read", &self.blob_path(digest), source))?;
        if bytes.len() as u64 > limit {
            return Err(StoreError::TooLarge {
                digest: *digest,
                limit,
            });
        }
        let mut hasher = Hasher::new(digest.algorithm());
        hasher.update(&bytes);
        let actual = hasher.finish();
        if actual != *digest {
            return Err(StoreError::altered(*digest, actual));
        }
        Ok(bytes)
    }

    /// Starts to write a blob with a SHA-256 digest.
    ///
    /// # Errors
    /// When no file can be made for it.
    pub fn writer(&self) -> Result<BlobWriter, StoreError> {
        BlobWriter::create(self.clone(), Algorithm::Sha256)
    }

    /// Starts to write a blob whose digest is made by `algorithm`.
    ///
    /// # Errors
    /// When no file can be made for it.
    pub fn writer_for(&self, algorithm: Algorithm) -> Result<BlobWriter, StoreError> {
        BlobWriter::create(self.clone(), algorithm)
    }

    /// Starts to write the blob `digest`, or goes on where a writer of the same has stopped or was killed; see
    /// [`BlobWriter::length`]. What it has written stays for a day for the next one, until it is committed.
    ///
    /// Where another one writes the same just now, this one begins anew and leaves nothing.
    ///
    /// # Errors
    /// When no file can be made for it, or what is there cannot be read.
    pub fn resume(&self, digest: &Digest) -> Result<BlobWriter, StoreError> {
        BlobWriter::resume(self.clone(), digest)
    }

    /// Stores `bytes` as a blob.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of_bytes(bytes);
        if self.keep_durably(&digest, bytes.len() as u64)? {
            return Ok(digest);
        }
        let mut writer = self.writer()?;
        writer
            .write_all(bytes)
            .map_err(|source| StoreError::io("write below", &self.uploads(), source))?;
        writer.commit(Some(&digest))?;
        Ok(digest)
    }

    /// Makes a file, whose bytes the caller has hashed and synced, the blob `digest`; the file must lie on the
    /// file system of the store and must not be written to any more.
    ///
    /// A blob that is already there stays, unless its size shows that it was damaged; then the file
    /// is left to the caller, which is what `false` says.
    ///
    /// # Errors
    /// When the bytes cannot be made durable.
    pub fn adopt(&self, path: &Path, digest: &Digest, size_bytes: u64) -> Result<bool, StoreError> {
        if self.keep_durably(digest, size_bytes)? {
            return Ok(false);
        }
        writer::publish(self, path, digest)?;
        Ok(true)
    }

    /// Stores `value` as a blob of canonical JSON (see [`json::canonical`]).
    ///
    /// # Errors
    /// When it has no JSON form or cannot be written.
    pub fn put_json<T: Serialize>(
        &self,
        media_type: MediaType,
        value: &T,
    ) -> Result<Descriptor, StoreError> {
        let bytes = json::canonical(value).map_err(|source| StoreError::Serialize { source })?;
        let digest = self.put_bytes(&bytes)?;
        Ok(Descriptor::new(media_type, bytes.len() as u64, digest))
    }

    /// Reads and verifies a JSON document, such as a manifest.
    ///
    /// # Errors
    /// When it is missing, altered, too large, or not of the form of `T`.
    pub fn read_json<T: DeserializeOwned>(&self, descriptor: &Descriptor) -> Result<T, StoreError> {
        let digest = Digest::of(descriptor)?;
        let bytes = self.read(&digest, DOCUMENT_LIMIT_BYTES)?;
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Parse { digest, source })
    }

    /// Reads the image that `descriptor` points to; from an index, the one for this machine.
    ///
    /// # Errors
    /// When a document is missing or malformed, is not an image, or the index has none for this
    /// machine.
    pub fn image(&self, descriptor: &Descriptor) -> Result<Image, StoreError> {
        match DocumentKind::of(descriptor.media_type()) {
            DocumentKind::Manifest => self.platform_image(descriptor),
            DocumentKind::Index => {
                let index: ImageIndex = self.read_json(descriptor)?;
                let architecture = image::machine_architecture();
                let chosen =
                    image::for_platform(&index, architecture).ok_or(StoreError::Platform {
                        digest: Digest::of(descriptor)?,
                        architecture,
                    })?;
                self.platform_image(chosen)
            }
            DocumentKind::Leaf => Err(self.not_an_image(descriptor)?),
        }
    }

    fn platform_image(&self, descriptor: &Descriptor) -> Result<Image, StoreError> {
        if DocumentKind::of(descriptor.media_type()) != DocumentKind::Manifest {
            return Err(self.not_an_image(descriptor)?);
        }
        let manifest: ImageManifest = self.read_json(descriptor)?;
        if manifest.artifact_type().is_some() {
            return Err(self.not_an_image(descriptor)?);
        }
        let config = self.read_json(manifest.config())?;
        Ok(Image {
            descriptor: descriptor.clone(),
            manifest,
            config,
        })
    }

    #[expect(clippy::unused_self, reason = "reads as a question to the store")]
    fn not_an_image(&self, descriptor: &Descriptor) -> Result<StoreError, StoreError> {
        Ok(StoreError::NotAnImage {
            digest: Digest::of(descriptor)?,
            media_type: descriptor.media_type().to_string(),
        })
    }

    /// Everything that `descriptor` leads to and itself, each digest once, children before parents.
    ///
    /// # Errors
    /// When a document on the way is missing or malformed.
    pub fn reachable(&self, descriptor: &Descriptor) -> Result<Vec<Descriptor>, StoreError> {
        graph::reachable(self, descriptor)
    }

    /// What `descriptor` leads to but the store lacks, so far as that can be known.
    ///
    /// # Errors
    /// When a document on the way is malformed.
    pub fn missing(&self, descriptor: &Descriptor) -> Result<Vec<Digest>, StoreError> {
        graph::missing(self, descriptor)
    }

    /// What `reference` names. One with a digest finds what was pinned to it, or else complete content; either way
    /// whatever its name.
    ///
    /// # Errors
    /// When the index of names cannot be read.
    pub fn resolve(&self, reference: &Reference) -> Result<Option<Descriptor>, StoreError> {
        names::resolve(self, reference)
    }

    /// Gives `descriptor` the name `reference`, taking the name from whatever had it.
    ///
    /// # Errors
    /// When something that `descriptor` leads to is missing, or the index cannot be written.
    pub fn tag(&self, reference: &Reference, descriptor: &Descriptor) -> Result<(), StoreError> {
        names::tag_all(self, &[(reference.clone(), descriptor.clone())])
    }

    /// Gives `descriptor` all that `reference` says: the name with its tag, and the name by its digest.
    ///
    /// A name by digest may stand for one image of the index with that digest. So the caller must have verified that
    /// `descriptor` is that content or belongs to it; all other ways of giving names take names with tags only.
    ///
    /// # Errors
    /// As [`Self::tag`].
    pub fn pin(&self, reference: &Reference, descriptor: &Descriptor) -> Result<(), StoreError> {
        names::pin(self, reference, descriptor)
    }

    /// Gives several names in one step: either all appear or none.
    ///
    /// # Errors
    /// As [`Self::tag`].
    pub fn tag_all(&self, names: &[(Reference, Descriptor)]) -> Result<(), StoreError> {
        names::tag_all(self, names)
    }

    /// Gives several names in one step, unless one of them stands for something else: that one is returned with what
    /// has it, and none is given.
    ///
    /// # Errors
    /// As [`Self::tag`].
    pub fn tag_new(
        &self,
        names: &[(Reference, Descriptor)],
    ) -> Result<Option<(Reference, Descriptor)>, StoreError> {
        names::tag_new(self, names)
    }

    /// Reads the whole blob, whatever its size, and verifies it.
    ///
    /// # Errors
    /// When the blob is missing, altered, or cannot be read.
    pub fn verify(&self, digest: &Digest) -> Result<(), StoreError> {
        let mut hasher = Hasher::new(digest.algorithm());
        io::copy(&mut self.open_blob(digest)?, &mut hasher)
            .map_err(|source| StoreError::io("read", &self.blob_path(digest), source))?;
        let actual = hasher.finish();
        if actual == *digest {
            Ok(())
        } else {
            Err(StoreError::altered(*digest, actual))
        }
    }

    /// Takes a name away and says whether there was one. The bytes stay.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn untag(&self, reference: &Reference) -> Result<bool, StoreError> {
        names::untag(self, reference)
    }

    /// All names with what they name, in order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn references(&self) -> Result<Vec<(Reference, Descriptor)>, StoreError> {
        names::references(self)
    }

    /// The free bytes of the file system that holds the store.
    ///
    /// # Errors
    /// When the file system refuses to say.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        let stat = rustix::fs::statvfs(&self.root)
            .map_err(|source| StoreError::io("look at", &self.root, source.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Where the blob lies or would lie.
    #[must_use]
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root
            .join("blobs")
            .join(digest.algorithm().name())
            .join(digest.hex())
    }

    fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    #[expect(clippy::unused_self, reason = "one of the steps of opening")]
    fn make_directory(&self, path: &Path) -> Result<(), StoreError> {
        fs::create_dir_all(path).map_err(|source| StoreError::io("make", path, source))
    }

    fn check_layout(&self) -> Result<(), StoreError> {
        let path = self.root.join("oci-layout");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return names::create(self, &path, LAYOUT.as_bytes());
            }
            Err(source) => return Err(StoreError::io("read", &path, source)),
        };
        match serde_json::from_slice::<Layout>(&bytes) {
            Ok(layout) if layout.image_layout_version == LAYOUT_VERSION => Ok(()),
            _ => Err(StoreError::Layout { path }),
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        durable::replace(path, &self.root.join(".replacement"), bytes)
            .map_err(|source| StoreError::io("write", path, source))
    }
}
