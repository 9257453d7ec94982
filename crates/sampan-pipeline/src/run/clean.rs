//! Takes away what runs that were killed have left, and tells which ones go on.

use std::path::{Path, PathBuf};

use sampan_container::network::Bridge;
use sampan_container::{Runtime, mounts};

use super::{LABEL, RunError, folder, network, turn};

/// Removes what runs that were killed have left: their containers, namespaces and mounts. Runs that go on are left alone.
///
/// # Errors
/// [`RunError`] when something cannot be removed.
pub fn clean(runtime: &Runtime) -> Result<(), RunError> {
    for run in runs(runtime.data())? {
        if let Some(_lock) = folder::is_abandoned(&run)? {
            one(runtime, &run)?;
        }
    }
    turn::clean(runtime.data())
}

/// A run that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRun {
    /// Its folder.
    pub folder: PathBuf,
    /// The process that carries it out.
    pub process: u32,
}

/// The runs of a data folder that go on.
///
/// # Errors
/// [`RunError`] when the runs cannot be looked at.
pub fn live(data: &Path) -> Result<Vec<LiveRun>, RunError> {
    let mut live = Vec::new();
    for folder in runs(data)? {
        if let Some(process) = folder::process(&folder)? {
            live.push(LiveRun { folder, process });
        }
    }
    Ok(live)
}

fn runs(data: &Path) -> Result<Vec<PathBuf>, RunError> {
    let runs = data.join("ci").join("runs");
    let entries = match std::fs::read_dir(&runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RunError::io("list", runs)(error)),
    };
    let paths = entries.map(|entry| Ok(entry.map_err(RunError::io("list", &runs))?.path()));
    paths.collect()
}

/// Removes the containers, networks, mounts and passing folders of a run that nobody goes on with.
fn one(runtime: &Runtime, run: &Path) -> Result<(), RunError> {
    let refused = |operation| move |source| RunError::Container { operation, source };
    let label = run.display().to_string();
    for container in runtime.list().map_err(refused("list containers"))? {
        if container.labels.get(LABEL) == Some(&label) {
            match runtime.remove(&container.id, true) {
                Ok(()) | Err(sampan_container::Error::NoContainer(_)) => {}
                Err(error) => return Err(refused("remove a container")(error)),
            }
        }
    }
    let bridge = Bridge::ensure(runtime.data()).map_err(|source| RunError::Network { source })?;
    network::clean(&bridge, run)?;
    mounts::unmount_below(run).map_err(refused("unmount what the run had mounted"))?;
    passing(run)?;
    folder::remove(&folder::network(run))
}

/// Removes the folders that steps had for the time that they ran, and what images were built from meanwhile.
pub(super) fn passing(run: &Path) -> Result<(), RunError> {
    let stages = run.join("stages");
    let entries = match std::fs::read_dir(&stages) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RunError::io("list", stages)(error)),
    };
    for entry in entries {
        let stage = entry.map_err(RunError::io("list", &stages))?.path();
        for name in ["steps", folder::CONTEXTS] {
            folder::remove(&stage.join(name))?;
        }
    }
    Ok(())
}
