//! Where the source tree of a run is put.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use crate::built_in::files::{Root, child, split};

/// A folder of a workspace, to be filled with the source tree.
///
/// Steps may have left links there, and may go on to write there meanwhile. So each folder is opened from the one that it
/// lies in, links and files that are in the way are replaced, and nothing is written anywhere else.
#[derive(Debug)]
pub struct SourceTarget {
    folder: OwnedFd,
}

impl SourceTarget {
    /// Opens a folder of a workspace and makes it where it is not there; links on the way to it stay within the workspace.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(workspace: &Path, inside: &Path) -> io::Result<Self> {
        let folder = Root::open(workspace)?.make_folder(inside.as_os_str().as_bytes())?;
        Ok(Self { folder })
    }

    /// Makes a folder and those on the way to it.
    ///
    /// # Errors
    /// When it cannot be made, or the path leads out of this one.
    pub fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.at(path.as_os_str().as_bytes()).map(drop)
    }

    /// Copies a regular file with its mode and time; gives false when it is no regular file.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn copy(&self, from: &Path, path: &Path) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut from = File::from(rustix::fs::open(from, flags, Mode::empty())?);
        let stat = rustix::fs::fstat(&from)?;
        if !from.metadata()?.is_file() {
            return Ok(false);
        }
        let mut to = self.create(path)?;
        io::copy(&mut from, &mut to)?;
        rustix::fs::fchmod(&to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: stat.st_mtime,
                tv_nsec: stat.st_mtime_nsec.cast_signed(),
            },
        };
        rustix::fs::futimens(&to, &times)?;
        Ok(true)
    }

    /// Writes a file that everyone may read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = self.create(path)?;
        io::Write::write_all(&mut file, content)?;
        Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?)
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn link(&self, target: &Path, path: &Path) -> io::Result<()> {
        let (folder, name) = self.parent(path)?;
        clear(&folder, name)?;
        Ok(rustix::fs::symlinkat(target, &folder, name)?)
    }

    /// A new file in place of what is there.
    fn create(&self, path: &Path) -> io::Result<File> {
        let (folder, name) = self.parent(path)?;
        clear(&folder, name)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(File::from(file))
    }

    /// The open folder in which something is to lie, and its name there.
    fn parent<'p>(&self, path: &'p Path) -> io::Result<(OwnedFd, &'p [u8])> {
        let (folder, name) = split(path.as_os_str().as_bytes());
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno::INVAL.into());
        }
        Ok((self.at(folder)?, name))
    }

    /// A folder below this one.
    fn at(&self, path: &[u8]) -> io::Result<OwnedFd> {
        let mut folder = self.folder.try_clone()?;
        for part in path.split(|byte| *byte == b'/') {
            folder = match part {
                b"" | b"." => continue,
                b".." => return Err(Errno::INVAL.into()),
                part => into(&folder, part)?,
            };
        }
        Ok(folder)
    }
}

/// A folder in an open one; it takes the place of a link or file.
fn into(folder: &OwnedFd, name: &[u8]) -> io::Result<OwnedFd> {
    let in_the_way = [Errno::LOOP, Errno::NOTDIR].map(Errno::raw_os_error);
    match child(folder, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error)
            if error
                .raw_os_error()
                .is_some_and(|code| in_the_way.contains(&code)) =>
        {
            clear(folder, name)?;
        }
        other => return other,
    }
    match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => child(folder, name),
        Err(error) => Err(error.into()),
    }
}

/// Removes a file or link that is in the way; a folder stays, and is an error to whoever wants its name.
fn clear(folder: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
