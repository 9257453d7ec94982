//! Files on their way into the store, and the removal of those whose writer died.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::StoreError;

static COUNTER: AtomicU64 = AtomicU64::new(0);

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

fn remove_if_stale(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    match file.try_lock() {
        Ok(()) if file.metadata()?.is_dir() => fs::remove_dir_all(path).map(|()| true),
        Ok(()) => fs::remove_file(path).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(source),
    }
}
