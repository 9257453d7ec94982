//! Caches of RUN: folders that outlive builds, and who may use one at which time.
//!
//! Beside each folder stands a file that builds lock while a command uses the folder: together when
//! all of them share it, alone otherwise. Who need not wait for a folder that others hold takes the
//! next one of the same cache: `HEX`, `HEX-1`, `HEX-2`.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::dockerfile::mount::Sharing;
use crate::error::{IoError, StepError};
use crate::interrupt::Interrupt;

/// How often a lock is tried that another build holds.
const RETRY: Duration = Duration::from_millis(50);

/// A cache that a mount names.
#[derive(Debug)]
pub(super) struct CacheFolder {
    /// Its first folder.
    pub(super) path: PathBuf,
    pub(super) sharing: Sharing,
    /// The permissions and owner of a new folder.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The folders that a command may use, for as long as this lives.
#[derive(Debug, Default)]
pub(in crate::stage) struct Claims {
    /// By the target of the mount.
    paths: BTreeMap<PathBuf, PathBuf>,
    /// By folder.
    locks: BTreeMap<PathBuf, File>,
}

impl Claims {
    /// Claims the caches of one command, given with the targets of their mounts. `waiting` is told
    /// the target when another build has to finish first.
    pub(super) fn take<'a>(
        folders: impl Iterator<Item = (&'a Path, &'a CacheFolder)>,
        interrupt: &Interrupt,
        waiting: &mut dyn FnMut(&Path),
    ) -> Result<Self, StepError> {
        let mut folders: Vec<_> = folders.collect();
        // Two builds that wait for the same caches do so in the same order, and never for each other.
        folders.sort_by_key(|(_, folder)| (folder.sharing != Sharing::Locked, &folder.path));
        let mut claims = Self::default();
        for (target, folder) in folders {
            let path = claims.claim(folder, interrupt, &mut || waiting(target))?;
            claims.paths.insert(target.to_owned(), path);
        }
        Ok(claims)
    }

    /// The folder to mount at `target`.
    pub(super) fn path(&self, target: &Path) -> Option<&Path> {
        self.paths.get(target).map(PathBuf::as_path)
    }

    fn claim(
        &mut self,
        folder: &CacheFolder,
        interrupt: &Interrupt,
        waiting: &mut dyn FnMut(),
    ) -> Result<PathBuf, StepError> {
        let first = &folder.path;
        // One command may mount the same cache twice.
        if folder.sharing != Sharing::Private && self.locks.contains_key(first) {
            return Ok(first.clone());
        }
        let mut number = 0_usize;
        let mut has_waited = false;
        loop {
            let path = numbered(first, number);
            if let Some(lock) = try_lock(&path, folder.sharing)? {
                self.locks.insert(path.clone(), lock);
                return Ok(path);
            }
            if folder.sharing != Sharing::Locked {
                number += 1;
                continue;
            }
            if !has_waited {
                waiting();
                has_waited = true;
            }
            if interrupt.is_triggered() {
                return Err(StepError::Interrupted);
            }
            thread::sleep(RETRY);
        }
    }
}

impl CacheFolder {
    /// Makes the folder at `path` unless it is there.
    pub(super) fn make(&self, path: &Path) -> Result<(), IoError> {
        if path.is_dir() {
            return Ok(());
        }
        let make = || {
            fs::create_dir_all(path)?;
            chown(path, Some(self.uid), Some(self.gid))?;
            fs::set_permissions(path, fs::Permissions::from_mode(self.mode))
        };
        make().map_err(IoError::new("create", path))
    }
}

fn numbered(first: &Path, number: usize) -> PathBuf {
    if number == 0 {
        return first.to_owned();
    }
    let mut name = first.as_os_str().to_owned();
    name.push(format!("-{number}"));
    name.into()
}

/// The lock of a folder; `None` while another build has it.
fn try_lock(folder: &Path, sharing: Sharing) -> Result<Option<File>, IoError> {
    let path = folder.with_extension("lock");
    let open = || {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
    };
    let file = open().map_err(IoError::new("create", &path))?;
    let locked = match sharing {
        Sharing::Shared => file.try_lock_shared(),
        Sharing::Private | Sharing::Locked => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(IoError::new::<io::Error>("lock", &path)(error)),
    }
}
