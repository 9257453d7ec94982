//! Header blocks: pairs of names and values, all blocks of one direction compressed as one text.

use std::collections::BTreeMap;
use std::io;

use bytes::{Buf, Bytes};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::dictionary::DICTIONARY;
use super::malformed;

/// What a block may have, uncompressed.
const MOST_BYTES: usize = 256 * 1024;

/// Reads the blocks of the client.
pub(super) struct Decompressor {
    zlib: Decompress,
}

impl Default for Decompressor {
    fn default() -> Self {
        Self {
            zlib: Decompress::new(true),
        }
    }
}

impl Decompressor {
    /// The pairs of a block; names are in lower case.
    pub(super) fn decompress(&mut self, block: &[u8]) -> io::Result<BTreeMap<String, String>> {
        pairs(self.inflate(block)?.into()).ok_or_else(|| malformed("a header block is malformed"))
    }

    fn inflate(&mut self, mut block: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::with_capacity(1024);
        loop {
            let (read, written) = (self.zlib.total_in(), self.zlib.total_out());
            let result = self
                .zlib
                .decompress_vec(block, &mut text, FlushDecompress::Sync);
            let consumed = usize::try_from(self.zlib.total_in() - read).unwrap_or(block.len());
            block = &block[consumed..];
            match result {
                Ok(Status::StreamEnd) => return Ok(text),
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    let set = self.zlib.set_dictionary(&DICTIONARY);
                    set.map_err(|_| malformed("a header block is made with another dictionary"))?;
                    continue;
                }
                Err(_) => return Err(malformed("a header block cannot be decompressed")),
            }
            let stalled = consumed == 0 && self.zlib.total_out() == written;
            if block.is_empty() && text.len() < text.capacity()
                || stalled && text.len() < text.capacity()
            {
                return Ok(text);
            }
            if text.len() > MOST_BYTES {
                return Err(malformed("a header block is too large"));
            }
            text.reserve(1024);
        }
    }
}

fn pairs(mut text: Bytes) -> Option<BTreeMap<String, String>> {
    let count = text.try_get_u32().ok()?;
    let mut pairs = BTreeMap::new();
    for _ in 0..count {
        let name = string(&mut text)?;
        let value = string(&mut text)?;
        pairs.insert(name.to_lowercase(), value);
    }
    Some(pairs)
}

fn string(text: &mut Bytes) -> Option<String> {
    let length = usize::try_from(text.try_get_u32().ok()?).ok()?;
    if length > text.len() {
        return None;
    }
    String::from_utf8(text.split_to(length).to_vec()).ok()
}

/// Writes blocks for the client.
pub(super) struct Compressor {
    zlib: Compress,
}

impl Compressor {
    pub(super) fn new() -> io::Result<Self> {
        let mut zlib = Compress::new(Compression::best(), true);
        zlib.set_dictionary(&DICTIONARY).map_err(io::Error::other)?;
        Ok(Self { zlib })
    }

    /// A block of these pairs.
    pub(super) fn compress(&mut self, pairs: &BTreeMap<String, String>) -> io::Result<Bytes> {
        let mut text = Vec::new();
        let mut put = |length: usize, bytes: &[u8]| {
            text.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
            text.extend_from_slice(bytes);
        };
        put(pairs.len(), &[]);
        for (name, value) in pairs {
            put(name.len(), name.as_bytes());
            put(value.len(), value.as_bytes());
        }
        let mut block = Vec::with_capacity(text.len() + 64);
        let mut rest = &text[..];
        loop {
            let read = self.zlib.total_in();
            self.zlib
                .compress_vec(rest, &mut block, FlushCompress::Sync)
                .map_err(io::Error::other)?;
            let consumed = usize::try_from(self.zlib.total_in() - read).unwrap_or(rest.len());
            rest = &rest[consumed..];
            if rest.is_empty() && block.len() < block.capacity() {
                return Ok(block.into());
            }
            block.reserve(256);
        }
    }
}
