//! One pass from files to a layer: archive, hash, compress, hash, write.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use oci_spec::image::Descriptor;

use super::compression::{Compression, Encoder};
use super::error::LayerError;
use crate::archive::{ArchiveError, ArchiveWriter, Entry};
use crate::digest::{Digest, Hasher};
use crate::store::{BlobWriter, ContentStore};

/// How a layer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LayerOptions {
    /// How its bytes are compressed.
    pub compression: Compression,
    /// Files that are younger get this time, in seconds since 1970, so that the same input makes
    /// the same layer.
    pub epoch: Option<i64>,
}

/// A layer that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Points to the compressed bytes.
    pub descriptor: Descriptor,
    /// The digest of the uncompressed bytes.
    pub diff_id: Digest,
}

/// Writes a layer into a content store, entry by entry.
pub struct LayerWriter {
    archive: ArchiveWriter<Tee>,
    options: LayerOptions,
    directory: PathBuf,
}

struct Tee {
    diff: Hasher,
    encoder: Encoder<BlobWriter>,
}

impl LayerWriter {
    /// Starts a layer in `store`.
    ///
    /// # Errors
    /// When the store has no place for it.
    pub fn new(store: &ContentStore, options: LayerOptions) -> Result<Self, LayerError> {
        let directory = store.path().to_owned();
        let encoder = Encoder::new(options.compression, store.writer()?)
            .map_err(|source| LayerError::write(&directory, source))?;
        let archive = ArchiveWriter::new(Tee {
            diff: Hasher::default(),
            encoder,
        });
        Ok(Self {
            archive,
            options,
            directory,
        })
    }

    /// Appends an entry, whose time is clamped to the epoch, with data from `data`.
    ///
    /// # Errors
    /// When `data` cannot be read, has another size than the entry says, or the store is full.
    pub fn append(&mut self, mut entry: Entry, data: &mut dyn Read) -> Result<(), LayerError> {
        entry.mtime = self.clamp(entry.mtime);
        self.archive
            .append(&entry, data)
            .map_err(|error| written(&self.directory, error))
    }

    /// Appends an entry without data.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_empty(&mut self, entry: Entry) -> Result<(), LayerError> {
        self.append(entry, &mut io::empty())
    }

    /// Ends the layer and makes it visible under its digest.
    ///
    /// # Errors
    /// When the store is full.
    pub fn finish(self) -> Result<Layer, LayerError> {
        let Self {
            archive,
            options,
            directory,
        } = self;
        let tee = archive
            .finish()
            .map_err(|error| written(&directory, error))?;
        let blob = tee
            .encoder
            .finish()
            .map_err(|source| LayerError::write(&directory, source))?;
        let (digest, size) = blob.commit(None)?;
        let descriptor = Descriptor::new(options.compression.media_type(), size, digest);
        Ok(Layer {
            descriptor,
            diff_id: tee.diff.finish(),
        })
    }

    pub(super) fn clamp(&self, mtime: i64) -> i64 {
        self.options.epoch.map_or(mtime, |epoch| mtime.min(epoch))
    }
}

fn written(directory: &Path, error: ArchiveError) -> LayerError {
    match error {
        ArchiveError::Io(source) => LayerError::write(directory, source),
        other => LayerError::Archive(other),
    }
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.diff.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}
