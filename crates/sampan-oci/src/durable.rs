//! Writing so that a power cut leaves either the old state or the new one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

mod folder;

pub use folder::{PartialFolder, partial_folder_path};

/// Where a file is written that is to appear at `path` when it is whole.
#[must_use]
pub fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

/// Makes the file at [`partial_path`] of `path`, or empties what a killed writer has left of it.
///
/// It is locked until it is closed, so that two writers do not mix. Nothing that somebody else has laid there is used:
/// no link, no file of another user, none that has another name as well.
///
/// # Errors
/// When another writer has it, when it is not ours, or the file system refuses.
pub fn create_partial(path: &Path) -> io::Result<File> {
    let partial = partial_path(path);
    loop {
        let file = match File::create_new(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match left(&partial) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                left => left?,
            },
            made => made?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("another one writes `{}` just now", partial.display());
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
            }
            Err(TryLockError::Error(error)) => {
                tracing::debug!(path = %partial.display(), %error, "this file system has no locks");
            }
        }
        // Another writer may have renamed it between its opening and its locking.
        let there = fs::symlink_metadata(&partial).map(|there| there.ino()).ok();
        if there == Some(file.metadata()?.ino()) {
            file.set_len(0)?;
            return Ok(file);
        }
    }
}

/// What a killed writer of this user has left.
fn left(partial: &Path) -> io::Result<File> {
    let file = File::options()
        .write(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(partial)?;
    let metadata = file.metadata()?;
    let owner = rustix::process::geteuid().as_raw();
    if metadata.is_file() && metadata.uid() == owner && metadata.nlink() == 1 {
        return Ok(file);
    }
    let text = format!("`{}` is not ours", partial.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// The directory in which `path` lies.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Makes the entries of the directory `path` survive a power cut.
///
/// # Errors
/// When the directory cannot be opened or synced.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes the file `path` as a whole, in place of an old one, durably and by way of [`partial_path`].
///
/// # Errors
/// When another one writes it, or the file system refuses; the old file is there then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_partial(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(partial_path(path), path));
    if let Err(error) = written {
        // What cannot be removed is emptied by the next writer.
        let _ = fs::remove_file(partial_path(path));
        return Err(error);
    }
    sync_directory(directory_of(path))
}

/// Replaces the file `path` by `bytes`, atomically and durably, by way of `temporary` on the same
/// file system.
///
/// Two processes must not do this at the same time with the same `temporary`; callers hold a lock.
pub(crate) fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}
