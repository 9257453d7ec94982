//! From an archive to a directory that an overlay can use as a layer.

mod attributes;
mod place;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, Dev, FileType, Mode, OFlags};
use rustix::io::Errno;

use self::place::{Place, components, join};
use super::UnpackError;
use super::root::{self, Root};
use crate::archive::{ArchiveError, ArchiveReader, Entry, Kind, into_archive_error};
use crate::layer::{OPAQUE_MARKER, WHITEOUT_PREFIX};

/// Names that begin so are the old AUFS's own bookkeeping.
const AUFS_PREFIX: &[u8] = b".wh..wh.";

/// Unpacks the archive in `source` into the empty directory `target`, which will lie upon the
/// directories `lower`, topmost first. Reads `source` to its end.
pub(super) fn unpack(
    source: &mut dyn Read,
    target: &Path,
    lower: &[PathBuf],
) -> Result<(), UnpackError> {
    let open = |path: &Path| {
        Root::open(path).map_err(|source| failure("open", &path.to_string_lossy(), source))
    };
    let lower = lower
        .iter()
        .map(PathBuf::as_path)
        .map(open)
        .collect::<Result<_, _>>()?;
    let mut unpacker = Unpacker {
        place: Place::new(open(target)?, lower),
        directories: Vec::new(),
        buffer: vec![0; 128 * 1024],
    };
    let mut archive = ArchiveReader::new(source);
    while let Some(entry) = archive.next_entry()? {
        unpacker.unpack_entry(&entry, &mut archive)?;
    }
    unpacker.settle_directories()?;
    archive.finish()?;
    Ok(())
}

/// The error of an operation on `path` within the layer.
fn failure(action: &'static str, path: &str, source: impl Into<io::Error>) -> UnpackError {
    UnpackError::File {
        action,
        path: path.to_owned(),
        source: source.into(),
    }
}

/// The error of unpacking `entry`, unless the archive itself is to blame.
fn unpacking(entry: &Entry) -> impl Fn(io::Error) -> UnpackError + '_ {
    |source| {
        if let Kind::HardLink(target) = &entry.kind
            && source.kind() == io::ErrorKind::NotFound
        {
            let target = String::from_utf8_lossy(target).into_owned();
            return UnpackError::Link {
                path: entry.display_path(),
                target,
            };
        }
        if source
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<ArchiveError>)
        {
            return UnpackError::Archive(into_archive_error(source));
        }
        failure("make", &entry.display_path(), source)
    }
}

struct Unpacker {
    place: Place,
    /// Directories with their times, which are set last: making a file in one changes it.
    directories: Vec<(Vec<u8>, i64)>,
    buffer: Vec<u8>,
}

impl Unpacker {
    fn unpack_entry(&mut self, entry: &Entry, data: &mut dyn Read) -> Result<(), UnpackError> {
        let path = components(&entry.path)?;
        let Some((name, parents)) = path.split_last() else {
            return self.unpack_root(entry);
        };
        let parent = self.place.parent(parents)?;
        if name.starts_with(WHITEOUT_PREFIX) {
            return hide(entry, &parent, name);
        }
        if entry.kind == Kind::Directory {
            self.directories.push((join(&path), entry.mtime));
        }
        match self.make(entry, &parent, name, data) {
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map_err(unpacking(entry)),
        }
        self.replace(entry, &parent, name, data)
            .map_err(unpacking(entry))
    }

    /// The archive's own root says how the image's root directory looks.
    fn unpack_root(&mut self, entry: &Entry) -> Result<(), UnpackError> {
        if entry.kind != Kind::Directory {
            return Err(UnpackError::Path {
                path: entry.display_path(),
            });
        }
        let root = self.place.parent(&[])?;
        self.directories.push((Vec::new(), entry.mtime));
        attributes::set(root.as_fd(), entry).map_err(unpacking(entry))
    }

    /// Makes a file where there is one already: from an earlier entry of the same archive.
    fn replace(
        &mut self,
        entry: &Entry,
        parent: &OwnedFd,
        name: &[u8],
        data: &mut dyn Read,
    ) -> io::Result<()> {
        let existing = root::kind(parent.as_fd(), name)?;
        let directory = entry.kind == Kind::Directory;
        if directory && existing == root::Existing::Directory {
            return attributes::set(root::child(parent.as_fd(), name)?.as_fd(), entry);
        }
        root::remove(parent.as_fd(), name)?;
        self.place.forget();
        self.make(entry, parent, name, data)?;
        if directory && existing == root::Existing::Whiteout {
            attributes::set_opaque(root::child(parent.as_fd(), name)?.as_fd())?;
        }
        Ok(())
    }

    /// Makes the file; fails with `AlreadyExists` before any data is read.
    fn make(
        &mut self,
        entry: &Entry,
        parent: &OwnedFd,
        name: &[u8],
        data: &mut dyn Read,
    ) -> io::Result<()> {
        match &entry.kind {
            Kind::File => self.make_file(entry, parent, name, data),
            Kind::Directory => {
                rustix::fs::mkdirat(parent, name, Mode::RWXU)?;
                attributes::set(root::child(parent.as_fd(), name)?.as_fd(), entry)
            }
            Kind::Symlink(target) => {
                rustix::fs::symlinkat(target.as_slice(), parent, name)?;
                attributes::set_at(parent.as_fd(), name, entry)
            }
            Kind::HardLink(target) => {
                self.make_link(&components(target).map_err(io::Error::other)?, parent, name)
            }
            Kind::CharacterDevice { major, minor } => {
                let device = rustix::fs::makedev(*major, *minor);
                make_node(entry, parent, name, (FileType::CharacterDevice, device))
            }
            Kind::BlockDevice { major, minor } => {
                let device = rustix::fs::makedev(*major, *minor);
                make_node(entry, parent, name, (FileType::BlockDevice, device))
            }
            Kind::Fifo => make_node(entry, parent, name, (FileType::Fifo, 0)),
        }
    }

    fn make_file(
        &mut self,
        entry: &Entry,
        parent: &OwnedFd,
        name: &[u8],
        data: &mut dyn Read,
    ) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(file);
        loop {
            let count = data.read(&mut self.buffer)?;
            if count == 0 {
                break;
            }
            file.write_all(&self.buffer[..count])?;
        }
        attributes::set(file.as_fd(), entry)?;
        attributes::set_mtime(file.as_fd(), entry.mtime)
    }

    fn make_link(&mut self, target: &[&[u8]], parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
        let Some((target_name, parents)) = target.split_last() else {
            return Err(Errno::ISDIR.into());
        };
        let directory: Rc<OwnedFd> = self.place.existing(parents)?;
        rustix::fs::linkat(&directory, *target_name, parent, name, AtFlags::empty())?;
        Ok(())
    }

    /// Sets the times of directories.
    fn settle_directories(&mut self) -> Result<(), UnpackError> {
        for (path, mtime) in self.directories.drain(..) {
            let set = || {
                let directory = self.place.root().directory(&path)?;
                attributes::set_mtime(directory.as_fd(), mtime)
            };
            match set() {
                // A later entry may have taken its place.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) => {}
                other => other
                    .map_err(|source| failure("finish", &String::from_utf8_lossy(&path), source))?,
            }
        }
        Ok(())
    }
}

fn make_node(
    entry: &Entry,
    parent: &OwnedFd,
    name: &[u8],
    (kind, device): (FileType, Dev),
) -> io::Result<()> {
    rustix::fs::mknodat(parent, name, kind, Mode::from_raw_mode(entry.mode), device)?;
    attributes::set_at(parent.as_fd(), name, entry)
}

/// Turns a layer's mark of a hidden file into the overlay's.
fn hide(entry: &Entry, parent: &OwnedFd, name: &[u8]) -> Result<(), UnpackError> {
    if name == OPAQUE_MARKER {
        return attributes::set_opaque(parent.as_fd()).map_err(unpacking(entry));
    }
    if name.starts_with(AUFS_PREFIX) {
        return Ok(());
    }
    let hidden = name.strip_prefix(WHITEOUT_PREFIX).unwrap_or_default();
    if matches!(hidden, b"" | b"." | b"..") {
        return Err(UnpackError::Path {
            path: entry.display_path(),
        });
    }
    let mode = Mode::empty();
    match rustix::fs::mknodat(parent, hidden, FileType::CharacterDevice, mode, 0) {
        Err(Errno::EXIST) => keep_but_hide_below(parent, hidden).map_err(unpacking(entry)),
        other => other.map_err(|source| unpacking(entry)(source.into())),
    }
}

/// The layer brings a new file and hides the old one of the same name: a directory must not be
/// merged with the old one, any other file hides it anyway.
fn keep_but_hide_below(parent: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match root::kind(parent.as_fd(), name)? {
        root::Existing::Directory => {
            attributes::set_opaque(root::child(parent.as_fd(), name)?.as_fd())
        }
        root::Existing::Whiteout | root::Existing::Other => Ok(()),
    }
}
