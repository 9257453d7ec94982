//! The control groups of a container: in every mounted hierarchy, `sampan/ID`.
//!
//! libcontainer makes and fills them; here they are read, emptied and removed. Version 1 has one hierarchy per
//! controller below `/sys/fs/cgroup`, version 2 has one for all.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{ContainerId, Error, Result, Stats};

const ROOT: &str = "/sys/fs/cgroup";

/// The control groups of one container.
pub(crate) struct Cgroup {
    id: String,
}

impl Cgroup {
    pub(crate) fn of(id: &ContainerId) -> Self {
        Self { id: id.to_string() }
    }

    /// The path in each hierarchy.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new("/sampan").join(&self.id)
    }

    /// Whether there is one hierarchy for all controllers.
    pub(crate) fn unified() -> bool {
        Path::new(ROOT).join("cgroup.controllers").exists()
    }

    /// Whether the kernel has killed a process of the container for want of memory. A file that is not there
    /// (no memory controller) says no.
    pub(crate) fn oom_killed(&self) -> bool {
        let file = if Self::unified() {
            self.in_hierarchy("").join("memory.events")
        } else {
            self.in_hierarchy("memory").join("memory.oom_control")
        };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        value_of(&text, "oom_kill").is_some_and(|count| count > 0)
    }

    /// What the container uses.
    pub(crate) fn stats(&self) -> Result<Stats> {
        if Self::unified() {
            let group = self.in_hierarchy("");
            let cpu = read(&group.join("cpu.stat"))?;
            Ok(Stats {
                memory_bytes: working_set(&group, "memory.current", "inactive_file")?,
                cpu_nanos: value_of(&cpu, "usage_usec")
                    .unwrap_or(0)
                    .saturating_mul(1000),
            })
        } else {
            let memory = self.in_hierarchy("memory");
            let usage = read(&self.in_hierarchy("cpuacct").join("cpuacct.usage"))?;
            Ok(Stats {
                memory_bytes: working_set(&memory, "memory.usage_in_bytes", "total_inactive_file")?,
                cpu_nanos: usage.trim().parse().unwrap_or(0),
            })
        }
    }

    /// Kills whatever is in the groups and removes them.
    pub(crate) fn remove(&self) -> Result<()> {
        for group in self.groups()? {
            remove_group(&group)?;
        }
        Ok(())
    }

    /// The groups that exist.
    fn groups(&self) -> Result<Vec<PathBuf>> {
        if Self::unified() {
            let group = self.in_hierarchy("");
            return Ok(if group.exists() {
                vec![group]
            } else {
                Vec::new()
            });
        }
        let mut groups = Vec::new();
        for hierarchy in std::fs::read_dir(ROOT).map_err(Error::io("list", ROOT))? {
            let hierarchy = hierarchy.map_err(Error::io("list", ROOT))?;
            let group = hierarchy.path().join("sampan").join(&self.id);
            // Hierarchies with several controllers are reached by several names; one is enough.
            let is_link = hierarchy.file_type().is_ok_and(|kind| kind.is_symlink());
            if !is_link && group.exists() {
                groups.push(group);
            }
        }
        Ok(groups)
    }

    fn in_hierarchy(&self, controller: &str) -> PathBuf {
        Path::new(ROOT)
            .join(controller)
            .join("sampan")
            .join(&self.id)
    }
}

/// Removes one group. A killed process leaves its group a little after it was killed, and nothing tells when.
fn remove_group(group: &Path) -> Result<()> {
    const ATTEMPTS: u32 = 200;
    for attempt in 0..ATTEMPTS {
        match std::fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.raw_os_error() == Some(nix::libc::EBUSY) => {
                kill_members(group)?;
                std::thread::sleep(Duration::from_micros(200) * (attempt + 1).min(50));
            }
            Err(error) => return Err(Error::io("remove", group)(error)),
        }
    }
    let busy = io::Error::from(io::ErrorKind::ResourceBusy);
    Err(Error::io("remove", group)(busy))
}

fn kill_members(group: &Path) -> Result<()> {
    // Groups that the container made for itself below its own go first.
    for entry in std::fs::read_dir(group).map_err(Error::io("list", group))? {
        let entry = entry.map_err(Error::io("list", group))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path())?;
        }
    }
    for pid in read(&group.join("cgroup.procs"))?.lines() {
        let Ok(pid) = pid.parse().map(Pid::from_raw) else {
            continue;
        };
        match kill(pid, Signal::SIGKILL) {
            Ok(()) | Err(nix::Error::ESRCH) => {}
            Err(error) => return Err(Error::system("kill a process of the container")(error)),
        }
    }
    Ok(())
}

/// Memory in use without the part of the page cache that is given up first.
fn working_set(group: &Path, usage: &str, inactive: &str) -> Result<u64> {
    let used = read(&group.join(usage))?.trim().parse().unwrap_or(0_u64);
    let details = read(&group.join("memory.stat"))?;
    Ok(used.saturating_sub(value_of(&details, inactive).unwrap_or(0)))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io("read", path))
}

/// The value of a key in a file of `KEY VALUE` lines.
fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.trim().parse().ok())?
    })
}
