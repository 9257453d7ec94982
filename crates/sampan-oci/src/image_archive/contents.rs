//! What an archive or a folder holds, hashed and staged.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::error::{BUNDLE, NO_ARCHIVE, ROOT_FILE_SYSTEM};
use super::folder::{self, file_error};
use super::member::{Member, blob_digest, blob_path, display, normal, target};
use super::{BUNDLE_FILE, ImageArchiveError};
use crate::archive::{ArchiveError, ArchiveReader, BLOCK_BYTES, Entry, Kind, into_archive_error};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::image::DOCUMENT_LIMIT_BYTES;
use crate::layer::{self, Compression, Encoder, LayerError};
use crate::store::{ContentStore, Staging, StoreError};

/// More files than a hundred images with a hundred layers have.
const MEMBER_LIMIT: usize = 32 * 1024;
/// Each file may have a folder of its own, and stand there twice.
const ENTRY_LIMIT: usize = 4 * MEMBER_LIMIT;
/// An archive has at least one block, in bytes.
const SMALLEST: u64 = BLOCK_BYTES as u64;
const LINK_LIMIT: usize = 16;
const CHUNK_BYTES: usize = 128 * 1024;

/// The files of an archive, or a folder that is read when something of it is wanted.
pub(super) struct Contents {
    store: ContentStore,
    pub(super) staging: Staging,
    origin: Origin,
    buffer: Vec<u8>,
}

enum Origin {
    Archive {
        members: HashMap<Vec<u8>, Member>,
        /// How plain layers are stored.
        compression: Compression,
    },
    Folder(PathBuf),
}

impl Contents {
    /// The files of a tar archive, which is read to its end.
    pub(super) fn of_archive(
        store: &ContentStore,
        source: &mut dyn Read,
        compression: Compression,
    ) -> Result<Self, ImageArchiveError> {
        let members = HashMap::new();
        let mut contents = Self::new(
            store,
            Origin::Archive {
                members,
                compression,
            },
        )?;
        let plain = layer::decompress(source).map_err(|error| match error {
            LayerError::Read(source) => ImageArchiveError::Archive(ArchiveError::Io(source)),
            other => ImageArchiveError::Layer(other),
        })?;
        let mut archive = ArchiveReader::new(plain);
        let mut count = 0;
        while let Some(entry) = next_entry(&mut archive).map_err(|error| at_all(error, count))? {
            count += 1;
            if count > ENTRY_LIMIT {
                return Err(ImageArchiveError::TooMany { limit: ENTRY_LIMIT });
            }
            contents.take(&entry, &mut archive)?;
        }
        let offset = archive.offset();
        archive.finish().map_err(|error| ended(error, offset))?;
        Ok(contents)
    }

    pub(super) fn of_folder(
        store: &ContentStore,
        folder: &Path,
    ) -> Result<Self, ImageArchiveError> {
        Self::new(store, Origin::Folder(folder.to_owned()))
    }

    fn new(store: &ContentStore, origin: Origin) -> Result<Self, ImageArchiveError> {
        Ok(Self {
            store: store.clone(),
            staging: Staging::new(store)?,
            origin,
            buffer: vec![0; CHUNK_BYTES],
        })
    }

    fn take<R: Read>(
        &mut self,
        entry: &Entry,
        data: &mut ArchiveReader<R>,
    ) -> Result<(), ImageArchiveError> {
        let path = normal(&entry.path)?;
        refuse_others(&path)?;
        let member = match &entry.kind {
            Kind::Directory => return Ok(()),
            Kind::File => self.stage(&path, entry, data)?,
            kind => match target(&path, kind)? {
                Some(target) => Member::Link(target),
                None => {
                    return Err(ImageArchiveError::Strange {
                        path: display(&path),
                        what: "neither a file nor a link",
                    });
                }
            },
        };
        let Origin::Archive { members, .. } = &mut self.origin else {
            return Ok(());
        };
        match members.get(&path) {
            Some(known) if !known.is_same(&member) => Err(ImageArchiveError::Twice {
                path: display(&path),
            }),
            Some(_) => Ok(()),
            None if members.len() == MEMBER_LIMIT => Err(ImageArchiveError::TooMany {
                limit: MEMBER_LIMIT,
            }),
            None => {
                members.insert(path, member);
                Ok(())
            }
        }
    }

    fn stage<R: Read>(
        &mut self,
        path: &[u8],
        entry: &Entry,
        data: &mut ArchiveReader<R>,
    ) -> Result<Member, ImageArchiveError> {
        let named = blob_digest(path);
        let size_bytes = entry.size_bytes;
        let member = match named {
            Some(digest) if self.store.keep(&digest)? == Some(size_bytes) => {
                let mut hasher = Hasher::new(digest.algorithm());
                self.copy(0, data, &mut hasher)?;
                let digest = hasher.finish();
                Member::Held { digest, size_bytes }
            }
            _ => {
                self.check_space(path, size_bytes)?;
                self.stage_new(path, named, data)?
            }
        };
        match (named, member.raw()) {
            (Some(expected), Some(raw)) if expected != raw => Err(altered(path, expected, raw)),
            _ => Ok(member),
        }
    }

    fn stage_new<R: Read>(
        &mut self,
        path: &[u8],
        named: Option<Digest>,
        data: &mut ArchiveReader<R>,
    ) -> Result<Member, ImageArchiveError> {
        let filled = self.fill(data)?;
        let is_layer = named.is_none() && path.ends_with(b".tar");
        let compression = match (&self.origin, Compression::of(&self.buffer[..filled])) {
            (Origin::Archive { compression, .. }, Compression::Uncompressed) if is_layer => {
                *compression
            }
            _ => Compression::Uncompressed,
        };
        let algorithm = named.map_or(Algorithm::Sha256, |digest| digest.algorithm());
        let writer = self.staging.writer(algorithm)?;
        let directory = self.store.path().to_owned();
        let failed = |source| StoreError::io("write below", &directory, source);
        let mut tee = Tee {
            hasher: Hasher::new(algorithm),
            encoder: Encoder::new(compression, writer).map_err(failed)?,
        };
        self.copy(filled, data, &mut tee)?;
        let staged = tee.encoder.finish().map_err(failed)?.finish();
        let raw = tee.hasher.finish();
        Ok(Member::File { raw, staged })
    }

    /// Reads the beginning of `data` into the buffer and says how much that is.
    fn fill<R: Read>(&mut self, data: &mut ArchiveReader<R>) -> Result<usize, ImageArchiveError> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            match read(data, &mut self.buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    /// Writes the first `filled` bytes of the buffer and then all of `data`.
    fn copy<R: Read>(
        &mut self,
        mut filled: usize,
        data: &mut ArchiveReader<R>,
        sink: &mut dyn Write,
    ) -> Result<(), ImageArchiveError> {
        loop {
            sink.write_all(&self.buffer[..filled])
                .map_err(|source| StoreError::io("write below", self.store.path(), source))?;
            filled = read(data, &mut self.buffer)?;
            if filled == 0 {
                return Ok(());
            }
        }
    }

    /// Refuses at once what cannot fit, whatever the archive claims it to be.
    fn check_space(&self, path: &[u8], needed_bytes: u64) -> Result<(), ImageArchiveError> {
        let free_bytes = self.store.free_bytes()?;
        if needed_bytes <= free_bytes {
            return Ok(());
        }
        Err(ImageArchiveError::Space {
            path: display(path),
            needed_bytes,
            free_bytes,
        })
    }

    /// The document `path`, if there is one.
    pub(super) fn document(&self, path: &str) -> Result<Option<Vec<u8>>, ImageArchiveError> {
        match &self.origin {
            Origin::Archive { .. } => match self.member(path.as_bytes())? {
                Some(member) => self.read(path, &member).map(Some),
                None => Ok(None),
            },
            Origin::Folder(folder) => folder::read(&folder.join(path), path),
        }
    }

    /// The file `path`, whatever links lead there.
    pub(super) fn member(&self, path: &[u8]) -> Result<Option<Member>, ImageArchiveError> {
        let Origin::Archive { members, .. } = &self.origin else {
            return Ok(None);
        };
        let mut at = normal(path)?;
        for _ in 0..LINK_LIMIT {
            match members.get(&at) {
                Some(Member::Link(target)) => at.clone_from(target),
                other => return Ok(other.cloned()),
            }
        }
        Err(ImageArchiveError::Loop {
            path: display(path),
        })
    }

    /// The blob with this digest, from a layout or, where that lacks it, from the store.
    pub(super) fn blob(
        &mut self,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<Option<Member>, ImageArchiveError> {
        let path = blob_path(digest);
        let member = self.member(path.as_bytes())?;
        if let Some(member) = member {
            // A link may have led to another file.
            return match member.raw() {
                Some(raw) if raw != *digest => Err(altered(path.as_bytes(), *digest, raw)),
                _ => Ok(Some(member)),
            };
        }
        if let Some(held) = self.store.keep(digest)?.filter(|held| *held == size_bytes) {
            return Ok(Some(Member::Held {
                digest: *digest,
                size_bytes: held,
            }));
        }
        match &self.origin {
            Origin::Archive { .. } => Ok(None),
            Origin::Folder(folder) => {
                let file = folder.join(&path);
                self.stage_file(&file, digest, size_bytes)
            }
        }
    }

    fn stage_file(
        &mut self,
        file: &Path,
        digest: &Digest,
        size_bytes: u64,
    ) -> Result<Option<Member>, ImageArchiveError> {
        let Some(source) = folder::open(file)? else {
            return Ok(None);
        };
        let path = blob_path(digest);
        self.check_space(path.as_bytes(), size_bytes)?;
        let mut writer = self.staging.writer(digest.algorithm())?;
        let mut source = source.take(size_bytes.saturating_add(1));
        loop {
            let count = source
                .read(&mut self.buffer)
                .map_err(|source| file_error("read", file, source))?;
            if count == 0 {
                break;
            }
            writer
                .write_all(&self.buffer[..count])
                .map_err(|source| StoreError::io("write below", self.store.path(), source))?;
        }
        let staged = writer.finish();
        if staged.digest != *digest {
            return Err(altered(path.as_bytes(), *digest, staged.digest));
        }
        let raw = staged.digest;
        Ok(Some(Member::File { raw, staged }))
    }

    /// Opens the bytes of a file as they are stored.
    pub(super) fn open(&self, member: &Member) -> Result<File, ImageArchiveError> {
        Ok(match member {
            Member::File { staged, .. } => staged.open()?,
            Member::Held { digest, .. } => self.store.open_blob(digest)?,
            Member::Link(target) => {
                return Err(ImageArchiveError::Missing {
                    path: display(target),
                });
            }
        })
    }

    /// Reads a document.
    pub(super) fn read(&self, path: &str, member: &Member) -> Result<Vec<u8>, ImageArchiveError> {
        let limit = DOCUMENT_LIMIT_BYTES;
        let outcome = match member {
            Member::File { staged, .. } => staged.read(limit),
            Member::Held { digest, .. } => self.store.read(digest, limit),
            Member::Link(target) => {
                return Err(ImageArchiveError::Missing {
                    path: display(target),
                });
            }
        };
        outcome.map_err(|error| match error {
            StoreError::TooLarge { limit, .. } => ImageArchiveError::TooLarge {
                path: path.to_owned(),
                limit,
            },
            other => other.into(),
        })
    }
}

/// Archives of something else are told by their first files, before all of them are copied.
fn refuse_others(path: &[u8]) -> Result<(), ImageArchiveError> {
    if path == BUNDLE_FILE.as_bytes() {
        return Err(ImageArchiveError::NoImages { found: BUNDLE });
    }
    match path.split(|byte| *byte == b'/').next().unwrap_or_default() {
        b"bin" | b"dev" | b"etc" | b"lib" | b"usr" | b"var" => Err(ImageArchiveError::NoImages {
            found: ROOT_FILE_SYSTEM,
        }),
        _ => Ok(()),
    }
}

fn next_entry<R: Read>(archive: &mut ArchiveReader<R>) -> Result<Option<Entry>, ImageArchiveError> {
    let offset = archive.offset();
    archive.next_entry().map_err(|error| ended(error, offset))
}

fn read<R: Read>(
    archive: &mut ArchiveReader<R>,
    buffer: &mut [u8],
) -> Result<usize, ImageArchiveError> {
    let offset = archive.offset();
    archive
        .read(buffer)
        .map_err(|error| ended(into_archive_error(error), offset))
}

/// What decompresses says in its own way that its input ends early.
/// What cannot be read from its first byte on is something else.
fn at_all(error: ImageArchiveError, entries: usize) -> ImageArchiveError {
    match error {
        ImageArchiveError::Archive(
            ArchiveError::Header { offset: 0, .. } | ArchiveError::Truncated { offset: ..SMALLEST },
        ) if entries == 0 => ImageArchiveError::NoImages { found: NO_ARCHIVE },
        error => error,
    }
}

fn ended(error: ArchiveError, offset: u64) -> ImageArchiveError {
    match error {
        ArchiveError::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            ArchiveError::Truncated { offset }.into()
        }
        other => other.into(),
    }
}

pub(super) fn altered(path: &[u8], expected: Digest, actual: Digest) -> ImageArchiveError {
    ImageArchiveError::Altered {
        path: display(path),
        expected: Box::new(expected),
        actual: Box::new(actual),
    }
}

/// Hashes what it compresses.
struct Tee {
    hasher: Hasher,
    encoder: Encoder<crate::store::StagedWriter>,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}
