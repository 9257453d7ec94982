//! The file of a bundle while it is read: every byte is compared or hashed.

use std::io::{self, Read, Write};

use sampan_oci::archive::{ArchiveReader, BLOCK_BYTES, Kind, header_bytes, padding};

use super::contents::{
    BlobEntry, CONTENTS_NAME, Contents, INDEX_NAME, LAYOUT, LAYOUT_NAME, file_entry,
};
use super::{BundleError, Progress};

/// A list of contents that is larger than this would be one of millions of blobs.
const CONTENTS_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

const CHUNK_BYTES: usize = 256 * 1024;
const FIRST_HEADER: &str = "the first header";

pub(super) struct Source<'source> {
    inner: &'source mut dyn Read,
    progress: &'source mut dyn FnMut(Progress),
    offset: u64,
    expected: u64,
}

impl<'source> Source<'source> {
    pub(super) fn new(
        inner: &'source mut dyn Read,
        progress: &'source mut dyn FnMut(Progress),
    ) -> Self {
        let expected = BLOCK_BYTES as u64;
        Self {
            inner,
            progress,
            offset: 0,
            expected,
        }
    }

    /// Reads all that stands before the blobs.
    pub(super) fn contents(&mut self) -> Result<Contents, BundleError> {
        let bytes = self.first_file()?;
        let contents = Contents::parse(&bytes)?;
        let front = contents.front()?;
        if front.contents != bytes {
            return Err(altered(CONTENTS_NAME, BLOCK_BYTES as u64));
        }
        self.expected = contents.file_bytes(&front);
        self.expect_file(LAYOUT_NAME, LAYOUT)?;
        self.expect_file(INDEX_NAME, &front.index)?;
        Ok(contents)
    }

    /// Reads one blob and hands its bytes to `sink`.
    pub(super) fn blob(
        &mut self,
        blob: &BlobEntry,
        sink: &mut dyn Write,
        failed: &dyn Fn(io::Error) -> BundleError,
    ) -> Result<(), BundleError> {
        let entry = blob.entry();
        self.expect(
            &header_bytes(&entry),
            &format!("the header of blob `{}`", blob.digest),
        )?;
        let mut left = blob.size;
        let mut buffer = vec![0; CHUNK_BYTES];
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            self.fill(&mut buffer[..want])?;
            sink.write_all(&buffer[..want]).map_err(failed)?;
            left -= want as u64;
        }
        self.expect_padding(blob.size)
    }

    /// Reads the end, after which nothing may follow.
    pub(super) fn finish(&mut self) -> Result<(), BundleError> {
        self.expect(&[0; 2 * BLOCK_BYTES], "the end")?;
        let at = self.offset;
        match self.fill(&mut [0]) {
            Err(BundleError::Truncated { .. }) => Ok(()),
            Ok(()) => Err(altered("what follows the end", at)),
            Err(error) => Err(error),
        }
    }

    /// Where the reading stands, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads `sampan-bundle.json`, of which nothing is known but its name.
    fn first_file(&mut self) -> Result<Vec<u8>, BundleError> {
        let mut block = [0; BLOCK_BYTES];
        self.fill(&mut block).map_err(|error| match error {
            BundleError::Truncated { .. } if !is_start(&block, self.offset) => not_a_bundle(&block),
            other => other,
        })?;
        let size = first_size(&block)?;
        self.expected = self.offset + size;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size {
            let filled = bytes.len();
            let left = usize::try_from(size).unwrap_or(usize::MAX) - filled;
            bytes.resize(filled + left.min(CHUNK_BYTES), 0);
            self.fill(&mut bytes[filled..])?;
        }
        self.expect_padding(size)?;
        Ok(bytes)
    }

    fn expect_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
        let entry = file_entry(name, bytes.len() as u64);
        self.expect(&header_bytes(&entry), &format!("the header of `{name}`"))?;
        self.expect(bytes, &format!("`{name}`"))?;
        self.expect_padding(entry.size_bytes)
    }

    fn expect_padding(&mut self, size_bytes: u64) -> Result<(), BundleError> {
        self.expect(&[0; BLOCK_BYTES][..padding(size_bytes)], "padding")
    }

    fn expect(&mut self, bytes: &[u8], what: &str) -> Result<(), BundleError> {
        let at = self.offset;
        let mut found = vec![0; bytes.len()];
        self.fill(&mut found)?;
        if found == bytes {
            Ok(())
        } else {
            Err(altered(what, at))
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), BundleError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let count = match self.inner.read(&mut buffer[filled..]) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(BundleError::Read(error)),
            };
            if count == 0 {
                return Err(BundleError::Truncated {
                    offset: self.offset,
                    expected: self.expected,
                });
            }
            filled += count;
            self.offset += count as u64;
        }
        (self.progress)(Progress {
            done_bytes: self.offset,
            total_bytes: self.expected,
        });
        Ok(())
    }
}

/// The size of `sampan-bundle.json`, whose header allows nothing but that to vary.
fn first_size(block: &[u8; BLOCK_BYTES]) -> Result<u64, BundleError> {
    let entry = ArchiveReader::new(block.as_slice()).next_entry();
    let Ok(Some(entry)) = entry else {
        let ours = block.starts_with(CONTENTS_NAME.as_bytes());
        return Err(if ours {
            altered(FIRST_HEADER, 0)
        } else {
            not_a_bundle(block)
        });
    };
    if entry.path != CONTENTS_NAME.as_bytes() || entry.kind != Kind::File {
        return Err(not_a_bundle(block));
    }
    let header = header_bytes(&file_entry(CONTENTS_NAME, entry.size_bytes));
    if header != block || entry.size_bytes > CONTENTS_LIMIT_BYTES {
        return Err(altered(FIRST_HEADER, 0));
    }
    Ok(entry.size_bytes)
}

fn altered(what: &str, offset: u64) -> BundleError {
    BundleError::Altered {
        what: what.to_owned(),
        offset,
    }
}

/// Whether the first `length` bytes of `block` could begin a bundle.
fn is_start(block: &[u8], length: u64) -> bool {
    let name = CONTENTS_NAME.as_bytes();
    let length = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(name.len());
    length > 0 && block[..length] == name[..length]
}

fn not_a_bundle(block: &[u8]) -> BundleError {
    let is_tar = block.get(257..262) == Some(b"ustar");
    let found = match block {
        [0x1f, 0x8b, ..] => "it is compressed with gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "it is compressed with zstd",
        _ if is_tar => "it is some other tar archive",
        _ if block.iter().all(|byte| *byte == 0) => "it is empty or begins with zeros",
        _ => "it does not begin as one",
    };
    BundleError::NotABundle { found }
}
