//! How large a chart may be: what it may make a machine read, keep and walk.

use super::Error;
use crate::compatibility::Compatibility;
use crate::value::quote::quote;

/// What is left of a chart's allowance, shared by it and all charts in it.
#[derive(Debug)]
pub(crate) struct Limits {
    bytes: u64,
    entries: usize,
    level: usize,
}

impl Limits {
    /// The largest file, in bytes; Helm's bound.
    pub(crate) const FILE_BYTES: u64 = 5 * 1024 * 1024;

    /// The largest archive once unpacked, in bytes; Helm's bound.
    pub(crate) const ARCHIVE_BYTES: u64 = 100 * 1024 * 1024;

    /// The largest chart with all charts in it, in bytes. Helm has no such bound: archives in archives multiply.
    const CHART_BYTES: u64 = 256 * 1024 * 1024;

    /// The number of files and folders of a chart with all charts in it.
    pub(crate) const ENTRIES: usize = 50_000;

    /// The depth of folders in folders, and of charts in charts.
    pub(crate) const LEVELS: usize = 64;

    pub(crate) fn new() -> Self {
        Self {
            bytes: Self::CHART_BYTES,
            entries: Self::ENTRIES,
            level: 0,
        }
    }

    /// Counts a file or folder.
    pub(crate) fn entry(&mut self) -> Result<(), Error> {
        self.entries = self.entries.checked_sub(1).ok_or(Error::TooMany)?;
        Ok(())
    }

    /// Counts the content of a file.
    pub(crate) fn bytes(&mut self, bytes: u64) -> Result<(), Error> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or_else(|| {
            Error::TooLarge(format!(
                "chart with all charts in it is larger than {} bytes",
                Self::CHART_BYTES
            ))
        })?;
        Ok(())
    }

    /// Goes into a folder or chart; [`Limits::leave`] goes out of it.
    pub(crate) fn enter(&mut self) -> Result<(), Error> {
        self.level += 1;
        if self.level > Self::LEVELS {
            Err(Error::TooDeep)
        } else {
            Ok(())
        }
    }

    pub(crate) fn leave(&mut self) {
        self.level -= 1;
    }

    pub(crate) fn large_file(name: &str) -> Error {
        let name = quote(name.as_bytes());
        let limit = Self::FILE_BYTES;
        Error::TooLarge(format!(
            "chart file {name} is larger than the maximum file size {limit}"
        ))
    }

    pub(crate) fn large_unpacked_file(name: &str) -> Error {
        let name = quote(name.as_bytes());
        let limit = Self::FILE_BYTES;
        Error::TooLarge(format!(
            "decompressed chart file {name} is larger than the maximum file size {limit}"
        ))
    }

    pub(crate) fn large_archive(compatibility: Compatibility) -> Error {
        let what = match compatibility {
            Compatibility::Helm3 => "file size",
            Compatibility::Helm4 => "size",
        };
        let limit = Self::ARCHIVE_BYTES;
        Error::TooLarge(format!(
            "decompressed chart is larger than the maximum {what} {limit}"
        ))
    }
}
