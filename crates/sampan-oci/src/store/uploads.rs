//! Files on their way into the store, and the removal of those whose writer died.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::StoreError;
use crate::digest::Digest;

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// What files are called that the next writer of the same blob may go on with.
const PARTIAL: &str = "partial-";

/// How long these wait for it.
const PARTIAL_LIFE: Duration = Duration::from_hours(24);

/// Makes a new file in `directory` and locks it, which tells sweepers that its writer lives.
pub(super) fn create(directory: &Path) -> Result<(File, PathBuf), StoreError> {
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("{}-{number}", process::id()));
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(source) => return Err(StoreError::io("make", &path, source)),
        };
        file.lock()
            .map_err(|source| StoreError::io("lock", &path, source))?;
        let metadata = file
            .metadata()
            .map_err(|source| StoreError::io("look at", &path, source))?;
        // A sweeper may have taken the file away between its making and its locking.
        if metadata.nlink() > 0 {
            return Ok((file, path));
        }
    }
}

/// Makes or opens the file for the blob `digest`, and locks it; `None` when another writer has it.
pub(super) fn resume(
    directory: &Path,
    digest: &Digest,
) -> Result<Option<(File, PathBuf)>, StoreError> {
    let name = format!("{PARTIAL}{}-{}", digest.algorithm().name(), digest.hex());
    let path = directory.join(name);
    let failed = |action| {
        let path = &path;
        move |source| StoreError::io(action, path, source)
    };
    loop {
        let mut options = File::options();
        let file = options.read(true).append(true).create(true).open(&path);
        let file = file.map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        // It may have become a blob, or been swept away, between its opening and its locking.
        let there = fs::symlink_metadata(&path).map(|there| there.ino()).ok();
        let own = file.metadata().map_err(failed("look at"))?.ino();
        if there == Some(own) {
            return Ok(Some((file, path)));
        }
    }
}

/// Makes a new directory in `directory` and locks it, as [`create`] does with a file.
pub(super) fn create_directory(directory: &Path) -> Result<(File, PathBuf), StoreError> {
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("{}-{number}", process::id()));
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(source) => return Err(StoreError::io("make", &path, source)),
        }
        match lock_directory(&path) {
            Ok(file) => return Ok((file, path)),
            // A sweeper may have taken it away between its making and its locking.
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError::io("lock", &path, source)),
        }
    }
}

fn lock_directory(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    file.lock()?;
    // Asked by path, because not all file systems tell of an open directory that it was removed.
    fs::metadata(path)?;
    Ok(file)
}

/// Removes the files and directories whose writers no longer live.
pub(super) fn sweep(directory: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::io("sweep", directory, source);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match remove_if_stale(&path) {
            Ok(true) => tracing::debug!(path = %path.display(), "removed a stale upload"),
            Ok(false) => {}
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError::io("remove", &path, source)),
        }
    }
    Ok(())
}

/// Whether somebody may still go on with it. One that was emptied helps nobody.
fn may_wait(path: &Path, file: &File) -> io::Result<bool> {
    let name = path.file_name().unwrap_or_default();
    if !name.as_encoded_bytes().starts_with(PARTIAL.as_bytes()) {
        return Ok(false);
    }
    let metadata = file.metadata()?;
    let since = metadata.modified()?.elapsed();
    // A time in the future is one of a clock that was put back.
    Ok(metadata.len() > 0 && since.is_ok_and(|since| since < PARTIAL_LIFE))
}

fn remove_if_stale(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) if may_wait(path, &file)? => Ok(false),
        Ok(()) if file.metadata()?.is_dir() => fs::remove_dir_all(path).map(|()| true),
        Ok(()) => fs::remove_file(path).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(source),
    }
}
