//! Takes away what runs that were killed have left.

use std::path::Path;

use sampan_container::network::Bridge;

use super::{Executor, LABEL, RunError, folder, network};

/// Cleans up behind all runs of an installation that were killed.
pub(super) fn all(executor: &Executor) -> Result<(), RunError> {
    let runs = executor.data.join("ci").join("runs");
    let entries = match std::fs::read_dir(&runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RunError::io("list", runs)(error)),
    };
    for entry in entries {
        let run = entry.map_err(RunError::io("list", &runs))?.path();
        if let Some(_lock) = folder::is_abandoned(&run)? {
            one(executor, &run)?;
        }
    }
    Ok(())
}

/// Removes the containers, networks and passing folders of a run that nobody goes on with.
fn one(executor: &Executor, run: &Path) -> Result<(), RunError> {
    let refused = |operation| move |source| RunError::Container { operation, source };
    let label = run.display().to_string();
    let containers = executor
        .runtime
        .list()
        .map_err(refused("list containers"))?;
    for container in containers {
        if container.labels.get(LABEL) == Some(&label) {
            match executor.runtime.remove(&container.id, true) {
                Ok(()) | Err(sampan_container::Error::NoContainer(_)) => {}
                Err(error) => return Err(refused("remove a container")(error)),
            }
        }
    }
    let bridge = Bridge::ensure(&executor.data).map_err(|source| RunError::Network { source })?;
    network::clean(&bridge, run)?;
    passing(run)?;
    folder::remove(&folder::network(run))
}

/// Removes the folders that steps had for the time that they ran.
pub(super) fn passing(run: &Path) -> Result<(), RunError> {
    let stages = run.join("stages");
    let entries = match std::fs::read_dir(&stages) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RunError::io("list", stages)(error)),
    };
    for entry in entries {
        let stage = entry.map_err(RunError::io("list", &stages))?.path();
        folder::remove(&stage.join("steps"))?;
    }
    Ok(())
}
