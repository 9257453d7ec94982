//! What the superuser of a container may do.

use oci_spec::runtime::{Capabilities as Set, Capability, LinuxCapabilities};

use crate::{Capabilities, Error, Process, Result};

/// What docker grants as well. `MKNOD` is taken out where device access is not filtered by a cgroup.
const DEFAULT: [Capability; 14] = [
    Capability::AuditWrite,
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Mknod,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];

/// All capabilities in the order of their numbers (`linux/capability.h`).
const ALL: [Capability; 41] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::DacReadSearch,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setpcap,
    Capability::LinuxImmutable,
    Capability::NetBindService,
    Capability::NetBroadcast,
    Capability::NetAdmin,
    Capability::NetRaw,
    Capability::IpcLock,
    Capability::IpcOwner,
    Capability::SysModule,
    Capability::SysRawio,
    Capability::SysChroot,
    Capability::SysPtrace,
    Capability::SysPacct,
    Capability::SysAdmin,
    Capability::SysBoot,
    Capability::SysNice,
    Capability::SysResource,
    Capability::SysTime,
    Capability::SysTtyConfig,
    Capability::Mknod,
    Capability::Lease,
    Capability::AuditWrite,
    Capability::AuditControl,
    Capability::Setfcap,
    Capability::MacOverride,
    Capability::MacAdmin,
    Capability::Syslog,
    Capability::WakeAlarm,
    Capability::BlockSuspend,
    Capability::AuditRead,
    Capability::Perfmon,
    Capability::Bpf,
    Capability::CheckpointRestore,
];

/// Refuses names that are not capabilities.
pub(crate) fn check(changes: &Capabilities) -> Result<()> {
    for name in changes.add.iter().chain(&changes.drop) {
        parse(name)?;
    }
    Ok(())
}

/// The sets for a process, as far as this machine can grant them. The effective set of a process that is not
/// root is empty: the kernel fills it from the files that it executes.
pub(crate) fn of(process: &Process, devices_filtered: bool) -> Result<LinuxCapabilities> {
    let mut granted: Set = if process.privileged {
        ALL.into_iter().collect()
    } else {
        DEFAULT
            .into_iter()
            .filter(|capability| devices_filtered || *capability != Capability::Mknod)
            .collect()
    };
    for name in &process.capabilities.drop {
        let dropped = parse(name)?;
        granted.retain(|capability| !dropped.contains(capability));
    }
    for name in &process.capabilities.add {
        granted.extend(parse(name)?);
    }
    let available = available();
    granted.retain(|capability| available.is_none_or(|mask| mask & bit(*capability) != 0));
    let own = if process.user.uid == 0 {
        granted.clone()
    } else {
        Set::new()
    };
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(granted))
        .set_permitted(Some(own.clone()))
        .set_effective(Some(own))
        .set_inheritable(None)
        .set_ambient(None);
    Ok(sets)
}

/// The capabilities of one name.
fn parse(name: &str) -> Result<Vec<Capability>> {
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if short == "ALL" {
        return Ok(ALL.to_vec());
    }
    ALL.into_iter()
        .find(|capability| capability.to_string().trim_start_matches("CAP_") == short)
        .map(|capability| vec![capability])
        .ok_or_else(|| Error::UnknownCapability(name.to_owned()))
}

/// What this process may hand on at most: granting more is refused by the kernel.
fn available() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapPrm:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// The place of a capability in the kernel's bit masks.
fn bit(capability: Capability) -> u64 {
    ALL.iter()
        .position(|known| *known == capability)
        .map_or(0, |position| 1 << position)
}
