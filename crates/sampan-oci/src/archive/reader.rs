//! Reading an archive.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::entry::{Entry, Kind};
use super::header::{BLOCK_BYTES, Block, Header, padding, until_nul};
use super::{ArchiveError, pax};

/// Long names and extended attributes: more than any file system allows for one file.
/// Counted for all extensions of one entry together, and for those of all entries.
const EXTENSION_LIMIT_BYTES: u64 = 1024 * 1024;

/// Reads entries one after another; between them it is a reader of the entry's data.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    inner: R,
    offset: u64,
    /// Bytes of data and of padding that the current entry still has.
    data_left: u64,
    padding_left: u64,
    global: pax::Records,
    /// Bytes of extensions since the last entry.
    extension_bytes: u64,
    ended: bool,
}

#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: pax::Records,
}

impl<R: Read> ArchiveReader<R> {
    /// An archive that comes from `inner`.
    pub fn new(inner: R) -> Self {
        let global = pax::Records::new();
        Self {
            inner,
            offset: 0,
            data_left: 0,
            padding_left: 0,
            global,
            extension_bytes: 0,
            ended: false,
        }
    }

    /// How many bytes were read so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Skips what is left of the current entry and gives the next one.
    ///
    /// # Errors
    /// When the archive is malformed or cannot be read.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        self.extension_bytes = 0;
        let mut extensions = Extensions {
            records: self.global.clone(),
            ..Extensions::default()
        };
        while let Some((header, at)) = self.next_header()? {
            match header.type_flag {
                b'x' => {
                    let records = self.read_records(&header, at)?;
                    extensions.records.extend(records);
                }
                b'g' => {
                    let records = self.read_records(&header, at)?;
                    self.global.extend(records.clone());
                    self.check_global(at)?;
                    extensions.records.extend(records);
                }
                b'L' => extensions.path = Some(self.read_name(&header, at)?),
                b'K' => extensions.link = Some(self.read_name(&header, at)?),
                _ => {
                    let entry = assemble(header, extensions, at)?;
                    self.expect_data(entry.size_bytes);
                    return Ok(Some(entry));
                }
            }
        }
        Ok(None)
    }

    /// Reads on behind the end of the archive, where only zeros may stand, and gives the reader
    /// back.
    ///
    /// # Errors
    /// When it cannot be read or other bytes follow.
    pub fn finish(mut self) -> Result<R, ArchiveError> {
        let mut buffer = [0; 8192];
        loop {
            let count = self.read_inner(&mut buffer)?;
            if count == 0 {
                return Ok(self.inner);
            }
            if buffer[..count].iter().any(|byte| *byte != 0) {
                return Err(ArchiveError::Header {
                    field: "end",
                    offset: self.offset,
                });
            }
        }
    }

    fn expect_data(&mut self, size_bytes: u64) {
        self.data_left = size_bytes;
        self.padding_left = padding(size_bytes) as u64;
    }

    fn next_header(&mut self) -> Result<Option<(Header, u64)>, ArchiveError> {
        self.skip_rest()?;
        if self.ended {
            return Ok(None);
        }
        let at = self.offset;
        let mut block: Block = [0; BLOCK_BYTES];
        let count = self.fill(&mut block)?;
        // Some writers leave the closing blocks out.
        if count == 0 || (count == BLOCK_BYTES && block == [0; BLOCK_BYTES]) {
            self.ended = true;
            return Ok(None);
        }
        if count < BLOCK_BYTES {
            return Err(ArchiveError::Truncated {
                offset: self.offset,
            });
        }
        let header = Header::decode(&block, at)?;
        Ok(Some((header, at)))
    }

    fn read_extension(&mut self, header: &Header, at: u64) -> Result<Vec<u8>, ArchiveError> {
        self.extension_bytes = self.extension_bytes.saturating_add(header.size_bytes);
        check_size(self.extension_bytes, at)?;
        self.expect_data(header.size_bytes);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(into_archive_error)?;
        Ok(bytes)
    }

    /// What holds for all entries is copied for each of them.
    fn check_global(&self, at: u64) -> Result<(), ArchiveError> {
        let records = self.global.iter();
        let bytes: usize = records.map(|(key, value)| key.len() + value.len()).sum();
        check_size(bytes as u64, at)
    }

    fn read_records(&mut self, header: &Header, at: u64) -> Result<pax::Records, ArchiveError> {
        let bytes = self.read_extension(header, at)?;
        pax::decode(&bytes).ok_or(ArchiveError::Header {
            field: "extended header",
            offset: at,
        })
    }

    fn read_name(&mut self, header: &Header, at: u64) -> Result<Vec<u8>, ArchiveError> {
        let bytes = self.read_extension(header, at)?;
        Ok(until_nul(&bytes).to_vec())
    }

    fn skip_rest(&mut self) -> Result<(), ArchiveError> {
        let mut left = self.data_left + self.padding_left;
        let mut buffer = [0; 8192];
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = self.read_inner(&mut buffer[..want])?;
            if count == 0 {
                return Err(ArchiveError::Truncated {
                    offset: self.offset,
                });
            }
            left -= count as u64;
        }
        self.expect_data(0);
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_inner(&mut buffer[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    fn read_inner(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        loop {
            match self.inner.read(buffer) {
                Ok(count) => {
                    self.offset += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ArchiveError::Io(error)),
            }
        }
    }
}

/// Reads the data of the current entry.
impl<R: Read> Read for ArchiveReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.data_left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if want == 0 {
            return Ok(0);
        }
        let count = self
            .read_inner(&mut buffer[..want])
            .map_err(io::Error::other)?;
        if count == 0 {
            let error = ArchiveError::Truncated {
                offset: self.offset,
            };
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
        }
        self.data_left -= count as u64;
        Ok(count)
    }
}

/// Takes an error of ours out again of the one that [`Read`] demanded.
pub(crate) fn into_archive_error(error: io::Error) -> ArchiveError {
    match error.downcast::<ArchiveError>() {
        Ok(error) => error,
        Err(error) => ArchiveError::Io(error),
    }
}

fn check_size(size_bytes: u64, offset: u64) -> Result<(), ArchiveError> {
    if size_bytes > EXTENSION_LIMIT_BYTES {
        return Err(ArchiveError::Oversized { size_bytes, offset });
    }
    Ok(())
}

fn assemble(header: Header, extensions: Extensions, at: u64) -> Result<Entry, ArchiveError> {
    let Extensions {
        path,
        link,
        mut records,
    } = extensions;
    let malformed = |field| ArchiveError::Header { field, offset: at };
    if records.keys().any(|key| key.starts_with(pax::SPARSE)) {
        return Err(ArchiveError::Unsupported {
            type_flag: 'S',
            offset: at,
        });
    }
    let number = |key: &[u8], default: i64, field| match records.get(key) {
        Some(value) => pax::number(value).ok_or(malformed(field)),
        None => Ok(default),
    };
    let signed = |value: u64, field| i64::try_from(value).map_err(|_| malformed(field));
    let uid = number(pax::UID, signed(header.uid, "owner")?, "owner")?;
    let gid = number(pax::GID, signed(header.gid, "group")?, "group")?;
    let size = number(pax::SIZE, signed(header.size_bytes, "size")?, "size")?;
    let mtime = number(pax::MTIME, header.mtime, "time")?;
    let path = records.remove(pax::PATH).or(path).unwrap_or(header.path);
    let link = records.remove(pax::LINK).or(link).unwrap_or(header.link);
    let directory = path.ends_with(b"/");
    let kind = match header.type_flag {
        b'0' | 0 | b'7' if directory => Kind::Directory,
        b'0' | 0 | b'7' => Kind::File,
        b'1' => Kind::HardLink(link),
        b'2' => Kind::Symlink(link),
        b'3' => Kind::CharacterDevice {
            major: header.major,
            minor: header.minor,
        },
        b'4' => Kind::BlockDevice {
            major: header.major,
            minor: header.minor,
        },
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        other => {
            return Err(ArchiveError::Unsupported {
                type_flag: char::from(other),
                offset: at,
            });
        }
    };
    // Only files have data; what others claim (as for hard links in old archives) is not there.
    let size = if kind == Kind::File { size } else { 0 };
    Ok(Entry {
        path,
        kind,
        mode: header.mode,
        uid: u32::try_from(uid).map_err(|_| malformed("owner"))?,
        gid: u32::try_from(gid).map_err(|_| malformed("group"))?,
        mtime,
        size_bytes: u64::try_from(size).map_err(|_| malformed("size"))?,
        xattrs: xattrs_of(records),
    })
}

fn xattrs_of(records: pax::Records) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let named = records.into_iter().filter_map(|(key, value)| {
        let name = key.strip_prefix(pax::XATTR)?;
        Some((name.to_vec(), value))
    });
    named.collect()
}
