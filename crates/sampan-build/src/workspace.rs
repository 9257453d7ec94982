//! Folders for the time of one build, and the removal of what killed builds left behind.
//!
//! ```text
//! DATA/cache/build/work/NAME/         one running build
//! DATA/cache/build/work/NAME/lock     held while it runs
//! DATA/cache/build/work.lock          held while folders appear and disappear
//! ```

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sampan_container::Runtime;

use crate::error::{BuildError, IoError};

/// The label by which a build recognises containers of its own.
pub(crate) const LABEL: &str = "sampan.build";

/// The folders of one build; gone when dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: PathBuf,
    name: String,
    _lock: File,
}

impl Workspace {
    /// Makes a workspace below `cache`, after cleaning up behind builds that were killed.
    pub(crate) fn open(cache: &Path, runtime: &Runtime) -> Result<Self, BuildError> {
        let work = cache.join("work");
        fs::create_dir_all(&work).map_err(IoError::new("create", &work))?;
        let _exclusive = lock(&cache.join("work.lock"))?;
        remove_abandoned(&work, runtime)?;
        let folder = tempfile::Builder::new()
            .prefix("")
            .tempdir_in(&work)
            .map_err(IoError::new("create a folder in", &work))?
            .keep();
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let lock = lock(&folder.join("lock"))?;
        Ok(Self {
            folder,
            name,
            _lock: lock,
        })
    }

    /// The name that marks the containers of this build.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A new folder with an empty `upper` folder, and room beside it.
    pub(crate) fn scratch(&self) -> Result<Scratch, IoError> {
        let folder = tempfile::tempdir_in(&self.folder)
            .map_err(IoError::new("create a folder in", &self.folder))?;
        let scratch = Scratch { folder };
        for path in [scratch.upper(), scratch.work(), scratch.merged()] {
            fs::create_dir(&path).map_err(IoError::new("create", &path))?;
        }
        Ok(scratch)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            // The next build removes it.
            tracing::debug!(%error, path = %self.folder.display(), "cannot remove a workspace");
        }
    }
}

/// Folders for one step; gone when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// The upper folder of an overlay.
    pub(crate) fn upper(&self) -> PathBuf {
        self.folder.path().join("upper")
    }

    /// The work folder of an overlay.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Where to mount the overlay.
    pub(crate) fn merged(&self) -> PathBuf {
        self.folder.path().join("merged")
    }

    /// A path for something else.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn lock(path: &Path) -> Result<File, IoError> {
    let open = || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    };
    open().map_err(IoError::new("lock", path))
}

/// Removes the folders, and before them the containers, of builds that run no more.
fn remove_abandoned(work: &Path, runtime: &Runtime) -> Result<(), BuildError> {
    let entries = fs::read_dir(work).map_err(IoError::new("list", work))?;
    for entry in entries {
        let folder = entry.map_err(IoError::new("list", work))?.path();
        let Ok(held) = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
        else {
            continue;
        };
        if held.try_lock().is_err() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        for container in runtime.list().map_err(BuildError::CleanUp)? {
            if container
                .labels
                .get(LABEL)
                .is_some_and(|label| *label == name)
            {
                runtime
                    .remove(&container.id, true)
                    .map_err(BuildError::CleanUp)?;
            }
        }
        fs::remove_dir_all(&folder).map_err(IoError::new("remove", &folder))?;
    }
    Ok(())
}
