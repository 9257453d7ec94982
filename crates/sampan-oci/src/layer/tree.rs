//! Walking a directory tree in a fixed order.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::vec;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::LayerError;
use crate::archive::{Entry, Kind};

/// Visits all files below a directory: parents before children, siblings in the order of their
/// names as bytes.
pub(super) struct Tree {
    root: PathBuf,
    /// The directories on the way, each with the names that are still to come.
    levels: Vec<Level>,
    current: Option<(PathBuf, OwnedFd)>,
    links: HashMap<(u64, u64), Vec<u8>>,
}

struct Level {
    relative: PathBuf,
    names: vec::IntoIter<Vec<u8>>,
}

/// A file that the walk has come to.
pub(super) struct Node {
    /// The path below the root.
    pub(super) relative: PathBuf,
    pub(super) stat: Stat,
    pub(super) kind: FileType,
}

const DIRECTORY_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const FILE_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

impl Tree {
    pub(super) fn open(root: &Path) -> Result<Self, LayerError> {
        let mut tree = Self {
            root: root.to_owned(),
            levels: Vec::new(),
            current: None,
            links: HashMap::new(),
        };
        tree.descend(PathBuf::new())?;
        Ok(tree)
    }

    /// The next file; directories are entered after they were given, unless [`Self::skip`] is
    /// called.
    pub(super) fn next_node(&mut self) -> Result<Option<Node>, LayerError> {
        loop {
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            let Some(name) = level.names.next() else {
                self.levels.pop();
                continue;
            };
            let relative = level.relative.join(OsStr::from_bytes(&name));
            let directory = level.relative.clone();
            let stat = self.stat(&directory, &name, &relative)?;
            let kind = FileType::from_raw_mode(stat.st_mode);
            return Ok(Some(Node {
                relative,
                stat,
                kind,
            }));
        }
    }

    /// Goes on below the directory `node`.
    pub(super) fn enter(&mut self, node: &Node) -> Result<(), LayerError> {
        self.descend(node.relative.clone())
    }

    /// Opens the file `node` for reading.
    pub(super) fn file(&mut self, node: &Node) -> Result<OwnedFd, LayerError> {
        let (directory, name) = split(&node.relative);
        let root = self.root.clone();
        let fd = self.directory(&directory)?;
        rustix::fs::openat(fd, name, FILE_FLAGS, Mode::empty())
            .map_err(|source| LayerError::file("open", &root.join(&node.relative), source))
    }

    /// The entry of an archive that says of `node` what the file system says, but for its size
    /// and extended attributes.
    pub(super) fn entry(&mut self, node: &Node) -> Result<Option<Entry>, LayerError> {
        let path = node.relative.as_os_str().as_bytes().to_vec();
        let major = rustix::fs::major(node.stat.st_rdev);
        let minor = rustix::fs::minor(node.stat.st_rdev);
        let kind = match node.kind {
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Symlink(self.link_target(node)?),
            FileType::CharacterDevice => Kind::CharacterDevice { major, minor },
            FileType::BlockDevice => Kind::BlockDevice { major, minor },
            FileType::Fifo => Kind::Fifo,
            FileType::RegularFile => self.file_kind(node, &path),
            // A socket lives only as long as the program that listens on it.
            FileType::Socket | FileType::Unknown => return Ok(None),
        };
        let size_bytes = if kind == Kind::File {
            node.stat.st_size.unsigned_abs()
        } else {
            0
        };
        Ok(Some(Entry {
            path,
            kind,
            mode: node.stat.st_mode & 0o7777,
            uid: node.stat.st_uid,
            gid: node.stat.st_gid,
            mtime: node.stat.st_mtime,
            size_bytes,
            xattrs: std::collections::BTreeMap::new(),
        }))
    }

    /// Gives the file another time of modification.
    pub(super) fn set_mtime(&mut self, node: &Node, seconds: i64) -> Result<(), LayerError> {
        let (directory, name) = split(&node.relative);
        let root = self.root.clone();
        let fd = self.directory(&directory)?;
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: seconds,
                tv_nsec: 0,
            },
        };
        rustix::fs::utimensat(fd, name, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(|source| {
            LayerError::file("set the time of", &root.join(&node.relative), source)
        })
    }

    /// Files with several names are archived once, under the first.
    fn file_kind(&mut self, node: &Node, path: &[u8]) -> Kind {
        if node.stat.st_nlink < 2 {
            return Kind::File;
        }
        let key = (node.stat.st_dev, node.stat.st_ino);
        if let Some(first) = self.links.get(&key) {
            return Kind::HardLink(first.clone());
        }
        self.links.insert(key, path.to_vec());
        Kind::File
    }

    fn link_target(&mut self, node: &Node) -> Result<Vec<u8>, LayerError> {
        let (directory, name) = split(&node.relative);
        let root = self.root.clone();
        let fd = self.directory(&directory)?;
        rustix::fs::readlinkat(fd, name, Vec::new())
            .map(std::ffi::CString::into_bytes)
            .map_err(|source| LayerError::file("read the link", &root.join(&node.relative), source))
    }

    fn stat(&mut self, directory: &Path, name: &[u8], path: &Path) -> Result<Stat, LayerError> {
        let root = self.root.clone();
        let fd = self.directory(directory)?;
        rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|source| LayerError::file("look at", &root.join(path), source))
    }

    fn descend(&mut self, relative: PathBuf) -> Result<(), LayerError> {
        let path = self.root.join(&relative);
        let failed = |source: Errno| LayerError::file("list", &path, source);
        let fd = self.directory(&relative)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(fd).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        self.levels.push(Level {
            relative,
            names: names.into_iter(),
        });
        Ok(())
    }

    /// The open directory `relative`; the last one asked for is kept open.
    fn directory(&mut self, relative: &Path) -> Result<&OwnedFd, LayerError> {
        if self
            .current
            .as_ref()
            .is_none_or(|(path, _)| path != relative)
        {
            let path = self.root.join(relative);
            let fd = rustix::fs::open(&path, DIRECTORY_FLAGS, Mode::empty())
                .map_err(|source| LayerError::file("open", &path, source))?;
            self.current = Some((relative.to_owned(), fd));
        }
        Ok(&self.current.as_ref().expect("opened above").1)
    }
}

fn split(relative: &Path) -> (PathBuf, &OsStr) {
    let directory = relative.parent().map(Path::to_owned).unwrap_or_default();
    (directory, relative.file_name().unwrap_or_default())
}
