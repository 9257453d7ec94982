//! Writing an archive.

use std::io::{self, Read, Write};

use super::entry::{Entry, Kind};
use super::header::{BLOCK_BYTES, Encoded, Header, padding};
use super::{ArchiveError, pax};

const ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// Writes entries one after another, the same entry always as the same bytes.
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    inner: W,
    buffer: Vec<u8>,
}

impl<W: Write> ArchiveWriter<W> {
    /// An archive that goes to `inner`.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            buffer: vec![0; 128 * 1024],
        }
    }

    /// Appends an entry whose data comes from `data`.
    ///
    /// # Errors
    /// When writing fails or `data` has not exactly `entry.size_bytes` bytes.
    pub fn append(&mut self, entry: &Entry, data: &mut dyn Read) -> Result<(), ArchiveError> {
        self.inner
            .write_all(&header_bytes(entry))
            .map_err(ArchiveError::Io)?;
        let mut left = entry.size_bytes;
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let count = read_some(data, &mut self.buffer[..want])?;
            if count == 0 {
                return Err(ArchiveError::Size {
                    path: entry.display_path(),
                });
            }
            self.inner
                .write_all(&self.buffer[..count])
                .map_err(ArchiveError::Io)?;
            left -= count as u64;
        }
        if read_some(data, &mut self.buffer[..1])? > 0 {
            return Err(ArchiveError::Size {
                path: entry.display_path(),
            });
        }
        self.inner
            .write_all(&ZEROS[..padding(entry.size_bytes)])
            .map_err(ArchiveError::Io)
    }

    /// Appends an entry without data.
    ///
    /// # Errors
    /// When writing fails.
    pub fn append_empty(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        self.append(entry, &mut io::empty())
    }

    /// Ends the archive and gives back what it went to.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        self.inner.write_all(&ZEROS).map_err(ArchiveError::Io)?;
        self.inner.write_all(&ZEROS).map_err(ArchiveError::Io)?;
        Ok(self.inner)
    }
}

fn read_some(data: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
    loop {
        match data.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map_err(ArchiveError::Io),
        }
    }
}

/// All bytes that stand before the data of `entry`: what a reader can expect of an archive that
/// was written here.
#[must_use]
pub fn header_bytes(entry: &Entry) -> Vec<u8> {
    let Encoded { block, mut records } = header_of(entry).encode();
    for (name, value) in &entry.xattrs {
        records.insert([pax::XATTR, name].concat(), value.clone());
    }
    let mut bytes = Vec::with_capacity(BLOCK_BYTES);
    if !records.is_empty() {
        let data = pax::encode(&records);
        let header = Header {
            path: b"PaxHeaders/extended".to_vec(),
            mode: 0o644,
            size_bytes: data.len() as u64,
            type_flag: b'x',
            ..Header::default()
        };
        bytes.extend_from_slice(&header.encode().block);
        bytes.extend_from_slice(&data);
        bytes.resize(bytes.len() + padding(data.len() as u64), 0);
    }
    bytes.extend_from_slice(&block);
    bytes
}

fn header_of(entry: &Entry) -> Header {
    let mut header = Header {
        path: entry.path.clone(),
        mode: entry.mode,
        uid: u64::from(entry.uid),
        gid: u64::from(entry.gid),
        size_bytes: entry.size_bytes,
        mtime: entry.mtime,
        ..Header::default()
    };
    match &entry.kind {
        Kind::File => header.type_flag = b'0',
        Kind::HardLink(target) => {
            header.type_flag = b'1';
            header.link.clone_from(target);
        }
        Kind::Symlink(target) => {
            header.type_flag = b'2';
            header.link.clone_from(target);
        }
        Kind::CharacterDevice { major, minor } => {
            header.type_flag = b'3';
            (header.major, header.minor) = (*major, *minor);
        }
        Kind::BlockDevice { major, minor } => {
            header.type_flag = b'4';
            (header.major, header.minor) = (*major, *minor);
        }
        Kind::Directory => {
            header.type_flag = b'5';
            header.path.push(b'/');
        }
        Kind::Fifo => header.type_flag = b'6',
    }
    header
}
