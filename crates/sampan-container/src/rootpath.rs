//! Paths inside a root file system that belongs to somebody else: links are resolved as if it were `/`.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::{Error, Result};

/// An open root file system.
pub(crate) struct Root {
    directory: File,
    path: PathBuf,
}

impl Root {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let directory = File::open(path).map_err(Error::io("open", path))?;
        Ok(Self {
            directory,
            path: path.to_owned(),
        })
    }

    /// Makes a directory and those above it where they do not exist.
    pub(crate) fn make_directories(&self, path: &Path) -> Result<()> {
        let failed = |error| Error::io("create", self.path.join(relative(path)))(error);
        let mut reached = PathBuf::from(".");
        for part in relative(path).components() {
            let parent = self.resolve(&reached).map_err(failed)?;
            reached.push(part);
            match self.resolve(&reached) {
                Ok(_) => {}
                Err(Errno::ENOENT) => {
                    let mode = Mode::from_bits_truncate(0o755);
                    mkdirat(parent.as_fd(), part.as_os_str(), mode).map_err(failed)?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// The parts of a path that do not exist, the topmost first, relative to the root.
    pub(crate) fn missing(&self, path: &Path) -> Vec<PathBuf> {
        let mut reached = PathBuf::new();
        let mut missing = Vec::new();
        for part in relative(path).components() {
            reached.push(part);
            if self
                .resolve(&reached)
                .is_err_and(|error| error == Errno::ENOENT)
            {
                missing.push(reached.clone());
            }
        }
        missing
    }

    /// Removes an empty file or directory, if that is what is there. No link is followed: by now the path may
    /// lead anywhere.
    pub(crate) fn remove_if_empty(&self, path: &Path) -> Result<()> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(());
        };
        let parent = Path::new(".").join(parent);
        let resolve = ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_BENEATH;
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_DIRECTORY;
        let how = OpenHow::new().flags(flags).resolve(resolve);
        let Ok(parent) = openat2(self.directory.as_fd(), &parent, how) else {
            return Ok(());
        };
        let Ok(found) = fstatat(&parent, name, AtFlags::AT_SYMLINK_NOFOLLOW) else {
            return Ok(());
        };
        let removal = match found.st_mode & nix::libc::S_IFMT {
            nix::libc::S_IFDIR => UnlinkatFlags::RemoveDir,
            nix::libc::S_IFREG if found.st_size == 0 => UnlinkatFlags::NoRemoveDir,
            _ => return Ok(()),
        };
        match unlinkat(&parent, name, removal) {
            Ok(()) | Err(Errno::ENOENT | Errno::ENOTEMPTY) => Ok(()),
            Err(error) => Err(Error::io("remove", self.path.join(path))(error)),
        }
    }

    fn resolve(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT);
        openat2(self.directory.as_fd(), path, how)
    }
}

/// The ordinary parts of a path.
fn relative(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}
