//! Removes containers, and clears up after those who were killed while they did so.

use std::io;
use std::path::Path;

use sampan_supervise::clock;

use super::creation::{UNFINISHED, free_name};
use crate::directory::{Directory, Record};
use crate::{Error, Exit, Result, shim};

/// Directories that are being removed start so.
const DOOMED: &str = ".old-";

/// Removes the directory of an ended container and gives its name back, after what whoever was killed in the
/// container's last moments may have left outside of it.
pub(crate) fn delete(directory: &Directory) -> Result<()> {
    let path = directory.path();
    let (Some(containers), Some(id)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    shim::clear(directory);
    if let Ok(record) = directory.record()
        && let Some(name) = &record.spec.name
    {
        free_name(containers, name, &record.id)?;
    }
    // Under another name first: what is half removed is no container any more.
    let doomed = containers.join(format!("{DOOMED}{}", id.to_string_lossy()));
    match std::fs::rename(path, &doomed) {
        Ok(()) => remove_all(&doomed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("remove", path)(error)),
    }
}

/// Writes the end of a container whose shim was killed, and takes away what the shim would have taken away. The
/// kernel has killed the first process with the shim.
pub(super) fn repair(directory: &Directory, record: &Record) -> Result<Exit> {
    let lock = directory.lock_file()?;
    lock.lock().map_err(Error::io("lock", directory.path()))?;
    if let Some(exit) = directory.exit()? {
        return Ok(exit);
    }
    shim::clear(directory);
    let exit = Exit {
        code: 137,
        signal: Some(nix::libc::SIGKILL),
        oom_killed: false,
        finished_at: clock::now(),
        reason: Some("its supervisor was killed, or the machine was restarted".to_owned()),
    };
    if let Err(error) = directory.write_exit(&exit) {
        // On a full disk the container can still be looked at, and removed to make room.
        tracing::warn!(%error, "cannot record the end of the container");
    }
    drop(lock);
    if record.spec.auto_remove {
        delete(directory)?;
    }
    Ok(exit)
}

/// Removes what commands that were killed have left half made or half removed.
pub(super) fn sweep(containers: &Path) -> Result<()> {
    for entry in std::fs::read_dir(containers).map_err(Error::io("list", containers))? {
        let entry = entry.map_err(Error::io("list", containers))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        if name.starts_with(DOOMED) || (name.starts_with(UNFINISHED) && is_abandoned(&path)) {
            remove_all(&path)?;
        }
    }
    Ok(())
}

/// Whether nobody is making this directory. One without a lock file has just been made, or was left in the
/// moment before: its age tells.
fn is_abandoned(path: &Path) -> bool {
    const MOMENT: std::time::Duration = std::time::Duration::from_mins(1);
    if path.join("lock").exists() {
        return Directory::at(path)
            .is_supervised()
            .is_ok_and(|supervised| !supervised);
    }
    let age = std::fs::metadata(path)
        .and_then(|found| found.modified())
        .map(|time| time.elapsed());
    matches!(age, Ok(Ok(age)) if age > MOMENT)
}

pub(super) fn remove_all(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
