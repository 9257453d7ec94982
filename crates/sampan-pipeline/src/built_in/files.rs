//! Files of a workspace, which steps write that nobody here trusts: no path leads out of it, whatever links there are.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// File systems in which the kernel speaks (`statfs(2)`): proc, sysfs, both of control groups, debugfs, tracefs,
/// securityfs, bpf, efivarfs, devpts and mqueue. What lies there is no file of anybody, and a container may do less with it
/// than this program.
const OF_THE_KERNEL: [u64; 11] = [
    0x9fa0,
    0x6265_6572,
    0x27_e0eb,
    0x6367_7270,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0xde5e_81e4,
    0x1cd1,
    0x1980_0202,
];

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A folder that is `/` to all that is opened in it.
#[derive(Debug)]
pub(crate) struct Root {
    fd: OwnedFd,
}

/// What lies in a folder.
pub(crate) struct Found {
    pub(super) name: Vec<u8>,
    pub(super) stat: Stat,
}

impl Found {
    pub(super) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

impl Root {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { fd })
    }

    /// The root of a container, as that sees it.
    pub(crate) fn of_container(root: BorrowedFd<'_>) -> io::Result<Self> {
        let fd = root.try_clone_to_owned()?;
        Ok(Self { fd })
    }

    fn open_at(&self, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
        let path = if path.is_empty() {
            b".".as_slice()
        } else {
            path
        };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match rustix::fs::openat2(
                &self.fd,
                path,
                flags | OFlags::CLOEXEC,
                Mode::empty(),
                resolve,
            ) {
                // The kernel asks for this when something was renamed meanwhile.
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return outside_of_the_kernel(other?),
            }
        }
    }

    /// A folder; links stay within the root.
    pub(crate) fn folder(&self, path: &[u8]) -> io::Result<OwnedFd> {
        self.open_at(path, FOLDER)
    }

    /// A regular file for reading; links are followed within the root.
    pub(crate) fn file(&self, path: &[u8]) -> io::Result<File> {
        let fd = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let stat = rustix::fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        Ok(File::from(fd))
    }

    /// What a path leads to, links followed within the root; `None` when there is nothing.
    pub(crate) fn stat(&self, path: &[u8]) -> io::Result<Option<Stat>> {
        match self.open_at(path, OFlags::PATH) {
            Ok(fd) => Ok(Some(rustix::fs::fstat(fd)?)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What lies in a folder, in the order of the names.
    pub(crate) fn list(&self, path: &[u8]) -> io::Result<Vec<Found>> {
        list(&self.folder(path)?)
    }

    /// Makes a folder and those on the way to it.
    pub(crate) fn make_folder(&self, path: &[u8]) -> io::Result<OwnedFd> {
        match self.folder(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let (parent, name) = split(path);
        let parent = self.make_folder(parent)?;
        match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => self.folder(path),
            Err(error) => Err(error.into()),
        }
    }
}

/// The folder and the name of a path.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// What lies in an open folder, in the order of the names.
pub(super) fn list(folder: &OwnedFd) -> io::Result<Vec<Found>> {
    let mut names: Vec<CString> = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    names.sort_unstable();
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        match rustix::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => found.push(Found {
                name: name.into_bytes(),
                stat,
            }),
            // It was removed in this moment.
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Opens a folder in an open folder, without following a link.
pub(crate) fn child(folder: &impl AsFd, name: &[u8]) -> io::Result<OwnedFd> {
    outside_of_the_kernel(rustix::fs::openat(
        folder,
        name,
        FOLDER | OFlags::NOFOLLOW,
        Mode::empty(),
    )?)
}

/// What is open, unless it lies in a file system of the kernel's own.
fn outside_of_the_kernel(fd: OwnedFd) -> io::Result<OwnedFd> {
    let kind = rustix::fs::fstatfs(&fd)?.f_type;
    let is_of_the_kernel = u64::try_from(kind).is_ok_and(|kind| OF_THE_KERNEL.contains(&kind));
    if is_of_the_kernel {
        return Err(Errno::XDEV.into());
    }
    Ok(fd)
}

/// Whether something was not opened because it lies in a file system of the kernel's own.
pub(super) fn is_of_the_kernel(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::XDEV.raw_os_error())
}

pub(crate) fn is_absent(error: &io::Error) -> bool {
    let absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::XDEV];
    absent
        .iter()
        .any(|absent| error.raw_os_error() == Some(absent.raw_os_error()))
}

/// The way of a path without `.`, `..` and doubled slashes, from a folder on; both begin with a slash.
pub(crate) fn normal(from: &str, path: &str) -> String {
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{from}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{normal, split};

    #[test]
    fn paths_are_normal() {
        for (path, expected) in [
            ("a", "/base/src/a"),
            ("./a//b/", "/base/src/a/b"),
            ("../a", "/base/a"),
            ("/x/../../y", "/y"),
            (".", "/base/src"),
        ] {
            assert_eq!(normal("/base/src", path), expected);
        }
        assert_eq!(split(b"a/b/c"), (b"a/b".as_slice(), b"c".as_slice()));
        assert_eq!(split(b"a"), (b"".as_slice(), b"a".as_slice()));
    }
}
