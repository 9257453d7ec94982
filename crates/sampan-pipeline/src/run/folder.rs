//! Folders and names of files of a run.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::RunError;

/// Where in the folder of a stage the copies lie that images are built from.
pub(super) const CONTEXTS: &str = "contexts";

/// How many characters of a name are kept in the name of its file.
const LIMIT_NAME: usize = 60;

/// The name of a file for a stage or a step: readable, and another for each.
pub(super) fn name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let kept: String = text
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(LIMIT_NAME)
        .collect();
    if kept == text && !kept.is_empty() && !kept.starts_with('.') {
        return kept;
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept = kept.trim_start_matches('.');
    format!("{kept}-{:08x}", hash & 0xffff_ffff)
}

/// The folder of a run, which says by a lock that the run goes on.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Begins a run in this folder.
    pub(super) fn begin(path: &Path) -> Result<Self, RunError> {
        std::fs::create_dir_all(path).map_err(RunError::io("make", path))?;
        // First comes the lock: what is there without one is taken away by others as left by a run that was killed.
        let mut lock = lock_file(path)?;
        lock.lock().map_err(RunError::io("lock", path))?;
        lock.set_len(0)
            .map_err(RunError::io("write", path.join("lock")))?;
        write!(lock, "{}", std::process::id()).map_err(RunError::io("write", path.join("lock")))?;
        for folder in [path.join("logs"), path.join("stages"), network(path)] {
            std::fs::create_dir_all(&folder).map_err(RunError::io("make", &folder))?;
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Takes note that the run has left nothing.
    pub(super) fn end(&self) -> Result<(), RunError> {
        let network = network(&self.path);
        std::fs::remove_dir(&network).map_err(RunError::io("remove", network))
    }
}

/// Where the networks of a run are pinned; it is there until the run has left nothing.
pub(super) fn network(run: &Path) -> PathBuf {
    run.join("net")
}

/// Whether a run was killed: it goes on no more and has not said that it left nothing.
pub(super) fn is_abandoned(run: &Path) -> Result<Option<File>, RunError> {
    if !network(run).exists() {
        return Ok(None);
    }
    let lock = lock_file(run)?;
    match lock.try_lock() {
        Ok(()) => {
            // Whoever sees the lock held must not take the process that was killed for its holder: the number may be
            // that of somebody else by now.
            lock.set_len(0)
                .map_err(RunError::io("write", run.join("lock")))?;
            Ok(Some(lock))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(RunError::io("lock", run)(error)),
    }
}

/// The process that goes on with a run; `None` when nobody does.
pub(super) fn process(run: &Path) -> Result<Option<u32>, RunError> {
    let path = run.join("lock");
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RunError::io("open", path)(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(RunError::io("lock", path)(error)),
    }
    let text = std::fs::read_to_string(&path).map_err(RunError::io("read", path))?;
    Ok(text.parse().ok())
}

fn lock_file(run: &Path) -> Result<File, RunError> {
    let path = run.join("lock");
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(RunError::io("open", path))
}

/// Removes a folder and what is in it, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), RunError> {
    clear(path).map_err(RunError::io("remove", path))
}

/// The same, with the plain error.
pub(super) fn clear(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_of_files_are_readable_and_differ() {
        assert_eq!(name("build"), "build");
        assert_eq!(name("test-1.2_x"), "test-1.2_x");
        for hostile in [
            "",
            ".",
            "..",
            "a/b",
            "../x",
            ".hidden",
            "a b",
            &"x".repeat(500),
        ] {
            let found = name(hostile);
            assert!(!found.contains('/') && !found.starts_with('.'), "{found}");
            assert!(found.len() < 80, "{found}");
        }
        assert_ne!(name("a/b"), name("a b"));
    }
}
