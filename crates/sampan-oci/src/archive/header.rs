//! The 512 bytes before each entry.
//!
//! Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".

use super::ArchiveError;
use super::pax::{self, Records};

/// Headers and data come in blocks of this size.
pub const BLOCK_BYTES: usize = 512;

pub(super) type Block = [u8; BLOCK_BYTES];

const NAME: Field = Field {
    at: 0,
    length: 100,
    name: "name",
};
const MODE: Field = Field {
    at: 100,
    length: 8,
    name: "mode",
};
const UID: Field = Field {
    at: 108,
    length: 8,
    name: "owner",
};
const GID: Field = Field {
    at: 116,
    length: 8,
    name: "group",
};
const SIZE: Field = Field {
    at: 124,
    length: 12,
    name: "size",
};
const MTIME: Field = Field {
    at: 136,
    length: 12,
    name: "time",
};
const CHECKSUM: Field = Field {
    at: 148,
    length: 8,
    name: "checksum",
};
const TYPE_FLAG: usize = 156;
const LINK: Field = Field {
    at: 157,
    length: 100,
    name: "link name",
};
const MAGIC: Field = Field {
    at: 257,
    length: 8,
    name: "magic",
};
const MAJOR: Field = Field {
    at: 329,
    length: 8,
    name: "device number",
};
const MINOR: Field = Field {
    at: 337,
    length: 8,
    name: "device number",
};
const PREFIX: Field = Field {
    at: 345,
    length: 155,
    name: "prefix",
};

struct Field {
    at: usize,
    length: usize,
    name: &'static str,
}

impl Field {
    fn of<'block>(&self, block: &'block Block) -> &'block [u8] {
        &block[self.at..self.at + self.length]
    }

    fn put(&self, block: &mut Block, bytes: &[u8]) {
        block[self.at..self.at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_octal(&self, block: &mut Block, value: u64) {
        let digits = self.length - 1;
        self.put(block, format!("{value:0digits$o}").as_bytes());
    }

    /// The largest value that fits, plus one.
    fn octal_end(&self) -> u64 {
        1 << (3 * (self.length - 1))
    }

    fn text(&self, block: &Block) -> Vec<u8> {
        until_nul(self.of(block)).to_vec()
    }

    /// Octal digits, or the GNU form: a set top bit and then a big-endian number.
    fn number(&self, block: &Block, offset: u64) -> Result<i64, ArchiveError> {
        let bytes = self.of(block);
        let value = if bytes[0] & 0x80 != 0 {
            base256(bytes)
        } else {
            octal(bytes)
        };
        value.ok_or(ArchiveError::Header {
            field: self.name,
            offset,
        })
    }
}

fn octal(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(until_nul(bytes))
        .ok()?
        .trim_matches(' ');
    if text.is_empty() {
        Some(0)
    } else {
        i64::from_str_radix(text, 8).ok()
    }
}

fn base256(bytes: &[u8]) -> Option<i64> {
    let negative = bytes[0] == 0xff;
    let mut value: i128 = if negative {
        -1
    } else {
        i128::from(bytes[0] & 0x7f)
    };
    for byte in &bytes[1..] {
        value = value.checked_mul(256)?.checked_add(i128::from(*byte))?;
    }
    i64::try_from(value).ok()
}

pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    &bytes[..end]
}

/// How many zero bytes follow data of `size_bytes` to fill its last block.
#[must_use]
pub fn padding(size_bytes: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from(size_bytes.wrapping_neg() % block).unwrap_or_default()
}

/// The fields of a header, without what extended headers add.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) size_bytes: u64,
    pub(super) mtime: i64,
    pub(super) type_flag: u8,
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// A header as bytes, and as records the fields that had no room in it.
pub(super) struct Encoded {
    pub(super) block: Block,
    pub(super) records: Records,
}

impl Header {
    pub(super) fn encode(&self) -> Encoded {
        let mut block = [0; BLOCK_BYTES];
        let mut records = Records::new();
        if !put_path(&mut block, &self.path) {
            records.insert(pax::PATH.to_vec(), self.path.clone());
        }
        LINK.put(&mut block, cut(&self.link, LINK.length));
        if self.link.len() > LINK.length || !self.link.is_ascii() {
            records.insert(pax::LINK.to_vec(), self.link.clone());
        }
        let mtime = u64::try_from(self.mtime).unwrap_or(u64::MAX);
        let numbers = [
            (&UID, pax::UID, self.uid, self.uid.to_string()),
            (&GID, pax::GID, self.gid, self.gid.to_string()),
            (
                &SIZE,
                pax::SIZE,
                self.size_bytes,
                self.size_bytes.to_string(),
            ),
            (&MTIME, pax::MTIME, mtime, self.mtime.to_string()),
        ];
        for (field, key, value, text) in numbers {
            if !put_number(&mut block, field, value) {
                records.insert(key.to_vec(), text.into_bytes());
            }
        }
        MODE.put_octal(&mut block, u64::from(self.mode & 0o7777));
        block[TYPE_FLAG] = self.type_flag;
        MAGIC.put(&mut block, b"ustar\x0000");
        MAJOR.put_octal(&mut block, u64::from(self.major));
        MINOR.put_octal(&mut block, u64::from(self.minor));
        let sum = checksum(&block);
        CHECKSUM.put(&mut block, format!("{sum:06o}\0 ").as_bytes());
        Encoded { block, records }
    }

    pub(super) fn decode(block: &Block, offset: u64) -> Result<Self, ArchiveError> {
        let sum = CHECKSUM.number(block, offset)?;
        if sum != i64::from(checksum(block)) {
            return Err(ArchiveError::Header {
                field: CHECKSUM.name,
                offset,
            });
        }
        let unsigned = |field: &Field| {
            u64::try_from(field.number(block, offset)?).map_err(|_| ArchiveError::Header {
                field: field.name,
                offset,
            })
        };
        let small = |field: &Field| {
            u32::try_from(unsigned(field)?).map_err(|_| ArchiveError::Header {
                field: field.name,
                offset,
            })
        };
        let mut path = NAME.text(block);
        // The GNU format keeps other things where ustar keeps the prefix.
        if MAGIC.of(block).starts_with(b"ustar\0") && PREFIX.of(block)[0] != 0 {
            path = [&PREFIX.text(block), b"/".as_slice(), &path].concat();
        }
        let type_flag = block[TYPE_FLAG];
        let device = matches!(type_flag, b'3' | b'4');
        Ok(Self {
            path,
            link: LINK.text(block),
            mode: small(&MODE)? & 0o7777,
            uid: unsigned(&UID)?,
            gid: unsigned(&GID)?,
            size_bytes: unsigned(&SIZE)?,
            mtime: MTIME.number(block, offset)?,
            type_flag,
            major: if device { small(&MAJOR)? } else { 0 },
            minor: if device { small(&MINOR)? } else { 0 },
        })
    }
}

/// Writes the value, or zero when it has no room; says whether it had.
fn put_number(block: &mut Block, field: &Field, value: u64) -> bool {
    let fits = value < field.octal_end();
    field.put_octal(block, if fits { value } else { 0 });
    fits
}

/// Writes the path, split at a slash when it is long; says whether all of it fitted.
fn put_path(block: &mut Block, path: &[u8]) -> bool {
    if !path.is_ascii() {
        NAME.put(block, cut(path, NAME.length));
        return false;
    }
    if path.len() <= NAME.length {
        NAME.put(block, path);
        return true;
    }
    let split = (0..path.len()).rev().find(|at| {
        path[*at] == b'/'
            && (1..=PREFIX.length).contains(at)
            && (1..=NAME.length).contains(&(path.len() - at - 1))
    });
    let Some(at) = split else {
        NAME.put(block, cut(path, NAME.length));
        return false;
    };
    PREFIX.put(block, &path[..at]);
    NAME.put(block, &path[at + 1..]);
    true
}

fn cut(bytes: &[u8], length: usize) -> &[u8] {
    &bytes[..bytes.len().min(length)]
}

/// The sum of all bytes, those of the checksum itself counted as spaces.
fn checksum(block: &Block) -> u32 {
    let field = CHECKSUM.at..CHECKSUM.at + CHECKSUM.length;
    let all: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = block[field].iter().map(|byte| u32::from(*byte)).sum();
    all - own + 8 * u32::from(b' ')
}
