//! Whether a file is still the one that was read.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What changes when a file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    device: u64,
    inode: u64,
    size_bytes: u64,
    changed: (i64, i64),
}

impl FileState {
    /// Nothing when there is no file, which may be so for a moment only. Links are followed: what renews files often turns
    /// a link.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
