//! Folders that appear whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::{directory_of, sync_directory};

/// A folder that is filled beside the place where it is to appear; it is removed when it is dropped before.
///
/// A killed writer leaves it behind, and the next one for the same place begins by emptying it.
#[derive(Debug)]
pub struct PartialFolder {
    path: PathBuf,
    /// The folders that must survive a power cut with it.
    folders: BTreeSet<PathBuf>,
    is_published: bool,
    /// Open as long as it is ours: the lock goes with it.
    _lock: File,
}

/// Where the folder is filled that is to appear at `target`.
#[must_use]
pub fn partial_folder_path(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".partial");
    target.with_file_name(name)
}

impl PartialFolder {
    /// Makes the folder at [`partial_folder_path`], or empties what a killed writer has left of it.
    ///
    /// # Errors
    /// When another writer has it, when it is a link or of another user, or the file system refuses.
    pub fn create(target: &Path) -> io::Result<Self> {
        let path = partial_folder_path(target);
        loop {
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made?,
            }
            let Some(lock) = locked(&path)? else {
                continue;
            };
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
            let folders = BTreeSet::from([path.clone()]);
            return Ok(Self {
                path,
                folders,
                is_published: false,
                _lock: lock,
            });
        }
    }

    /// Where it is filled.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file below it, with the folders that it is in.
    ///
    /// # Errors
    /// When the name leads elsewhere, or the file system refuses.
    pub fn write(&mut self, name: &Path, bytes: &[u8]) -> io::Result<()> {
        let is_inside = |part| matches!(part, Component::Normal(_));
        if name.as_os_str().is_empty() || !name.components().all(is_inside) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{}` would lie elsewhere", name.display()),
            ));
        }
        let path = self.path.join(name);
        fs::create_dir_all(directory_of(&path))?;
        for folder in path.ancestors().skip(1) {
            if folder == self.path || !self.folders.insert(folder.to_owned()) {
                break;
            }
        }
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Makes it appear at `target`, where nothing or an empty folder must be.
    ///
    /// # Errors
    /// When something is there, or the file system refuses; nothing has changed at `target` then.
    pub fn publish(mut self, target: &Path) -> io::Result<()> {
        for folder in &self.folders {
            sync_directory(folder)?;
        }
        fs::rename(&self.path, target)?;
        self.is_published = true;
        sync_directory(directory_of(target))
    }
}

impl Drop for PartialFolder {
    fn drop(&mut self) {
        // Once it is published, what is there is of another writer.
        if !self.is_published {
            // What cannot be removed is emptied by the next writer.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The folder, opened and locked; none when another writer has just removed or published it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        there => there?,
    };
    if !there.is_dir() || there.uid() != rustix::process::geteuid().as_raw() {
        let text = format!("`{}` is not ours", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = format!("another one writes `{}` just now", path.display());
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        Err(TryLockError::Error(error)) => {
            tracing::debug!(path = %path.display(), %error, "this file system has no locks");
        }
    }
    let still = fs::symlink_metadata(path).map(|there| there.ino()).ok();
    Ok((still == Some(file.metadata()?.ino())).then_some(file))
}
