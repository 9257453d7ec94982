//! Owner, mode, extended attributes and times.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::Errno;

use crate::archive::{Entry, Kind};

const OPAQUE: &str = "trusted.overlay.opaque";
/// Attributes that no layer may set: they would tell the overlay to look elsewhere.
const OVERLAY_MARKS: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// Sets all but the time on an open file or directory.
///
/// The order matters: a change of owner clears the set-user-id bit and the capabilities.
pub(super) fn set(file: BorrowedFd<'_>, entry: &Entry) -> io::Result<()> {
    if (entry.uid, entry.gid) != (0, 0) {
        let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
        rustix::fs::fchown(file, Some(uid), Some(gid))?;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(entry.mode))?;
    for (name, value) in &entry.xattrs {
        if OVERLAY_MARKS.iter().any(|mark| name.starts_with(mark)) {
            continue;
        }
        match rustix::fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
            // Not every file system keeps attributes of users.
            Err(Errno::NOTSUP) if name.starts_with(b"user.") => {}
            other => other?,
        }
    }
    Ok(())
}

/// Sets owner, mode and time of a file that cannot be opened.
pub(super) fn set_at(parent: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(parent, name, Some(uid), Some(gid), flags)?;
    if !matches!(entry.kind, Kind::Symlink(_)) {
        // The file was just made in a directory that only we can reach, so it is no link.
        rustix::fs::chmodat(
            parent,
            name,
            Mode::from_raw_mode(entry.mode),
            AtFlags::empty(),
        )?;
    }
    rustix::fs::utimensat(parent, name, &times(entry.mtime), flags)?;
    Ok(())
}

/// Sets the time of an open file or directory.
pub(super) fn set_mtime(file: BorrowedFd<'_>, mtime: i64) -> io::Result<()> {
    Ok(rustix::fs::futimens(file, &times(mtime))?)
}

/// Marks a directory: what lies below it in other layers is hidden.
pub(super) fn set_opaque(directory: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(
        directory,
        OPAQUE,
        b"y",
        XattrFlags::empty(),
    )?)
}

/// Copies owner and mode from another directory.
pub(super) fn inherit(directory: BorrowedFd<'_>, from: BorrowedFd<'_>) -> io::Result<()> {
    let stat = rustix::fs::fstat(from)?;
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::fchown(directory, Some(uid), Some(gid))?;
    rustix::fs::fchmod(directory, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    // Capabilities are for files; of the rest, only access lists of directories would matter, and
    // layers do not carry them.
    set_mtime(directory, stat.st_mtime)
}

fn times(mtime: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime,
            tv_nsec: 0,
        },
    }
}
