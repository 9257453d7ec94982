//! One file of an archive.

use std::collections::BTreeMap;

/// What an archive says about one file, without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path as written: relative, without a leading `./` and a trailing `/` when we wrote it.
    pub path: Vec<u8>,
    /// What the file is.
    pub kind: Kind,
    /// Permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When it was last modified, in seconds since 1970.
    pub mtime: i64,
    /// How many bytes of data follow; zero for all but files.
    pub size_bytes: u64,
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The kinds of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// Another name of a file that stands earlier in the archive.
    HardLink(Vec<u8>),
    /// A symbolic link.
    Symlink(Vec<u8>),
    /// A character device.
    CharacterDevice {
        /// The driver.
        major: u32,
        /// The device.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// The driver.
        major: u32,
        /// The device.
        minor: u32,
    },
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
}

impl Entry {
    /// A regular file that belongs to root, with the fixed time that makes archives equal.
    #[must_use]
    pub fn file(path: &str, size_bytes: u64) -> Self {
        Self {
            size_bytes,
            ..Self::new(path, Kind::File, 0o644)
        }
    }

    /// A directory that belongs to root.
    #[must_use]
    pub fn directory(path: &str) -> Self {
        Self::new(path, Kind::Directory, 0o755)
    }

    fn new(path: &str, kind: Kind, mode: u32) -> Self {
        Self {
            path: path.as_bytes().to_vec(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: 0,
            size_bytes: 0,
            xattrs: BTreeMap::new(),
        }
    }

    /// The path for messages.
    #[must_use]
    pub fn display_path(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }
}
