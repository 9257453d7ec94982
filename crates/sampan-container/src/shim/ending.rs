//! What is done once a container has ended.

use crate::cgroup::Cgroup;
use crate::directory::{Directory, Record, optional};
use crate::network::Bridge;
use crate::rootpath::Root;
use crate::{Error, Exit, Network, Result, runtime};

/// Writes how the container ended and takes away what it used. Problems are logged and left to the next
/// command that looks: nobody is here to be told.
pub(super) fn finish(directory: &Directory, mut exit: Exit) -> Exit {
    let record = directory.record();
    if let Ok(record) = &record {
        exit.oom_killed = Cgroup::of(&record.id).oom_killed();
    }
    if let Err(error) = directory.write_exit(&exit) {
        tracing::warn!(%error, "cannot record the end of the container");
    }
    clear(directory);
    if let Ok(record) = record
        && record.spec.auto_remove
        && let Err(error) = runtime::delete(directory)
    {
        tracing::warn!(%error, "cannot remove the container");
    }
    exit
}

/// Takes away what the container used outside of its directory.
pub(crate) fn clear(directory: &Directory) {
    if let Err(error) = try_clear(directory) {
        tracing::warn!(%error, "cannot clear up after the container");
    }
}

/// Does all that can be done, and then says what went wrong first. A record that is damaged says nothing, which
/// must not keep the rest.
fn try_clear(directory: &Directory) -> Result<()> {
    let record = optional(directory.record())?;
    let Some(id) = directory.id() else {
        return Ok(());
    };
    let emptied = Cgroup::of(&id).remove();
    let network = record.as_ref().map(|record| &record.spec.network);
    let released = match network {
        None | Some(Network::Bridge { .. }) => {
            Bridge::release_in(directory.data(), id.as_str()).map_err(Error::from)
        }
        Some(_) => Ok(()),
    };
    let removed = record.map_or(Ok(()), |record| remove_stubs(directory, &record));
    emptied.and(released).and(removed)
}

/// Removes the empty files and directories that were made in the image only to be mounted over.
fn remove_stubs(directory: &Directory, record: &Record) -> Result<()> {
    let Some(created) = optional(directory.created())? else {
        return Ok(());
    };
    let (upper, _) = directory.upper(&record.spec);
    let upper = Root::open(&upper)?;
    for stub in created.stubs.iter().rev() {
        upper.remove_if_empty(stub)?;
    }
    Ok(())
}
