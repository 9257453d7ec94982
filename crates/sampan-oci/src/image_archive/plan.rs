//! Writing images into an archive: first a plan, then the bytes.

mod docker;
mod layout;

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use oci_spec::image::Descriptor;

use super::ImageArchiveError;
use super::contents::altered;
use super::folder::file_error;
use crate::archive::{
    ArchiveError, ArchiveWriter, BLOCK_BYTES, Entry, Kind, header_bytes, padding,
};
use crate::digest::{Digest, Hasher};
use crate::durable;
use crate::layer::{self, LayerError};
use crate::reference::Reference;
use crate::store::{ContentStore, StoreError};
use crate::stream::{Counting, Hashing};

/// What kind of archive is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// As `docker save` writes it: every tool reads it; layers are not compressed.
    Docker,
    /// An OCI image layout: content as it is, with its digests, and for all platforms.
    Oci,
}

/// An image that goes into an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedImage {
    /// The names that it has there.
    pub names: Vec<Reference>,
    /// Points to it.
    pub descriptor: Descriptor,
}

/// An archive that can be written: all sizes are known.
pub struct ArchivePlan {
    parts: Vec<Part>,
}

struct Part {
    entry: Entry,
    content: Content,
}

enum Content {
    /// These bytes, or none.
    Bytes(Vec<u8>),
    /// A blob as it is.
    Blob(Digest),
    /// A blob of a layer, decompressed.
    Layer { blob: Digest, diff_id: Digest },
}

impl ArchivePlan {
    /// Plans an archive of `images`. For docker's format, this reads all layers; `progress` is told
    /// how many bytes of them.
    ///
    /// # Errors
    /// When an image is incomplete, damaged, or something else than an image.
    pub fn new(
        store: &ContentStore,
        images: &[SavedImage],
        format: ArchiveFormat,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, ImageArchiveError> {
        let parts = match format {
            ArchiveFormat::Docker => docker::plan(store, images, progress)?,
            ArchiveFormat::Oci => layout::plan(store, images)?,
        };
        Ok(Self { parts })
    }

    /// How large the archive will be, in bytes.
    #[must_use]
    pub fn archive_bytes(&self) -> u64 {
        let size = |part: &Part| {
            let size_bytes = part.entry.size_bytes;
            header_bytes(&part.entry).len() as u64 + size_bytes + padding(size_bytes) as u64
        };
        self.parts.iter().map(size).sum::<u64>() + 2 * BLOCK_BYTES as u64
    }

    /// Writes the archive to `path`, which has its old content until the archive is complete.
    /// A pipe or a device is written as it is. `progress` is told how many bytes were written.
    ///
    /// # Errors
    /// When there is no room, or a blob of the store is damaged.
    pub fn write_file(
        &self,
        store: &ContentStore,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ImageArchiveError> {
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            let file = File::options()
                .write(true)
                .open(path)
                .map_err(|source| file_error("open", path, source))?;
            let written = self.write_buffered(store, file, path, progress)?;
            drop(written);
            return Ok(());
        }
        self.check_space(path)?;
        let partial = durable::partial_path(path);
        let file = durable::create_partial(path);
        let file = file.map_err(|source| file_error("make", &partial, source))?;
        let outcome = self.write_partial(store, file, path, progress);
        if outcome.is_err()
            && let Err(error) = fs::remove_file(&partial)
        {
            tracing::debug!(path = %partial.display(), %error, "cannot remove a partial archive");
        }
        outcome
    }

    fn write_partial(
        &self,
        store: &ContentStore,
        file: File,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ImageArchiveError> {
        let file = self.write_buffered(store, file, path, progress)?;
        // It is locked until it is in its place.
        file.sync_all()
            .and_then(|()| fs::rename(durable::partial_path(path), path))
            .and_then(|()| durable::sync_directory(durable::directory_of(path)))
            .map_err(|source| file_error("write", path, source))
    }

    fn write_buffered(
        &self,
        store: &ContentStore,
        file: File,
        path: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<File, ImageArchiveError> {
        let failed = |source| file_error("write", path, source);
        self.write(store, BufWriter::with_capacity(256 * 1024, file), progress)
            .map_err(|error| match error {
                ImageArchiveError::Archive(ArchiveError::Io(source)) => failed(source),
                other => other,
            })?
            .into_inner()
            .map_err(|error| failed(error.into_error()))
    }

    fn check_space(&self, path: &Path) -> Result<(), ImageArchiveError> {
        let directory = durable::directory_of(path);
        let stat = rustix::fs::statvfs(directory)
            .map_err(|source| file_error("write below", directory, source.into()))?;
        let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
        let needed_bytes = self.archive_bytes();
        if needed_bytes <= free_bytes {
            return Ok(());
        }
        Err(ImageArchiveError::Space {
            path: path.display().to_string(),
            needed_bytes,
            free_bytes,
        })
    }

    /// Writes the archive to `sink` and gives it back. `progress` is told how many bytes were
    /// written.
    ///
    /// # Errors
    /// When `sink` cannot be written, or a blob of the store is missing or damaged.
    pub fn write<W: Write>(
        &self,
        store: &ContentStore,
        sink: W,
        progress: &mut dyn FnMut(u64),
    ) -> Result<W, ImageArchiveError> {
        let mut archive = ArchiveWriter::new(Counting::new(sink, progress));
        for part in &self.parts {
            match &part.content {
                Content::Bytes(bytes) => archive.append(&part.entry, &mut bytes.as_slice())?,
                Content::Blob(digest) => {
                    let blob = store.open_blob(digest)?;
                    append(&mut archive, &part.entry, blob, digest)?;
                }
                Content::Layer { blob, diff_id } => {
                    let plain = layer::decompress(store.open_blob(blob)?)
                        .map_err(ImageArchiveError::Layer)?;
                    append(&mut archive, &part.entry, plain, diff_id)?;
                }
            }
        }
        Ok(archive.finish()?.into_inner())
    }
}

/// Appends bytes that must have the digest `expected`.
fn append<W: Write>(
    archive: &mut ArchiveWriter<W>,
    entry: &Entry,
    data: impl Read,
    expected: &Digest,
) -> Result<(), ImageArchiveError> {
    let mut data = Hashing::new(data, expected);
    archive.append(entry, &mut data)?;
    let actual = data.finish();
    if actual == *expected {
        Ok(())
    } else {
        Err(altered(&entry.path, *expected, actual))
    }
}

/// The size and digest of a layer's plain bytes.
fn measure(
    store: &ContentStore,
    blob: &Digest,
    like: &Digest,
    progress: &mut dyn FnMut(u64),
) -> Result<(u64, Digest), ImageArchiveError> {
    let mut plain = layer::decompress(store.open_blob(blob)?).map_err(ImageArchiveError::Layer)?;
    let mut hasher = Hasher::new(like.algorithm());
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match plain.read(&mut buffer) {
            Ok(0) => return Ok((hasher.length(), hasher.finish())),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                progress(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(ImageArchiveError::Layer(LayerError::Read(source))),
        }
    }
}

impl Part {
    fn bytes(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            entry: Entry::file(path, bytes.len() as u64),
            content: Content::Bytes(bytes),
        }
    }

    fn json<T: serde::Serialize>(path: &str, value: &T) -> Result<Self, ImageArchiveError> {
        let bytes =
            crate::json::canonical(value).map_err(|source| StoreError::Serialize { source })?;
        Ok(Self::bytes(path, bytes))
    }

    fn directory(path: &str) -> Self {
        Self {
            entry: Entry::directory(path),
            content: Content::Bytes(Vec::new()),
        }
    }

    fn link(path: &str, target: &str) -> Self {
        let entry = Entry {
            kind: Kind::Symlink(target.as_bytes().to_vec()),
            mode: 0o777,
            ..Entry::file(path, 0)
        };
        Self {
            entry,
            content: Content::Bytes(Vec::new()),
        }
    }
}
