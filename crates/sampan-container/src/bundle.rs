//! The OCI runtime description of a container: what libcontainer is told.

use std::collections::HashMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Linux, LinuxBuilder, LinuxCpu, LinuxDeviceCgroup, LinuxDeviceType, LinuxMemory, LinuxNamespace,
    LinuxNamespaceType, LinuxPidsBuilder, LinuxResources, Mount as SpecMount, MountBuilder,
    PosixRlimit, PosixRlimitBuilder, PosixRlimitType, Process as SpecProcess, ProcessBuilder,
    RootBuilder, Spec, SpecBuilder, User as SpecUser, UserBuilder,
};

use crate::cgroup::Cgroup;
use crate::directory::{Directory, Record};
use crate::{
    ContainerSpec, Error, ExecSpec, Mount, MountKind, Network, Process, ProcessLimit, Result, User,
    capabilities,
};

/// Where programs are looked for when the image does not say.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The period of processor quotas in microseconds, the kernel's default.
const CPU_PERIOD_MICROS: u64 = 100_000;

/// What a container must not see of the kernel.
const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// What it must not change.
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The description of a container. `files` are mounted over those of the image.
pub(crate) fn describe(
    directory: &Directory,
    record: &Record,
    files: &[(PathBuf, &'static str)],
) -> Result<Spec> {
    let spec = &record.spec;
    let mut mounts = system_mounts(spec).map_err(|error| malformed(&error))?;
    for (source, target) in files {
        mounts.push(bind(source, Path::new(target), false).map_err(|error| malformed(&error))?);
    }
    for mount in &spec.mounts {
        mounts.push(user_mount(mount).map_err(|error| malformed(&error))?);
    }
    let root = RootBuilder::default()
        .path(directory.rootfs())
        .readonly(spec.rootfs.read_only)
        .build()
        .map_err(|error| malformed(&error))?;
    let process = first_process(&spec.process)?;
    let mut builder = SpecBuilder::default()
        .version("1.2.0")
        .root(root)
        .mounts(mounts)
        .process(process)
        .linux(linux(record).map_err(|error| malformed(&error))?);
    if spec.network != Network::Host || spec.hostname.is_some() {
        builder = builder.hostname(host_name(record));
    }
    let mut described = builder.build().map_err(|error| malformed(&error))?;
    described.set_hooks(None);
    Ok(described)
}

/// The host name of a container.
pub(crate) fn host_name(record: &Record) -> String {
    record
        .spec
        .hostname
        .clone()
        .unwrap_or_else(|| record.id.short().to_owned())
}

/// The description of a command in a running container.
pub(crate) fn describe_command(record: &Record, command: &ExecSpec) -> Result<SpecProcess> {
    let first = &record.spec.process;
    let process = Process {
        args: command.args.clone(),
        env: merge(&first.env, &command.env),
        cwd: command.cwd.clone().unwrap_or_else(|| first.cwd.clone()),
        user: command.user.clone().unwrap_or_else(|| first.user.clone()),
        terminal: command.terminal,
        stdin: command.stdin,
        privileged: first.privileged || command.privileged,
        ..first.clone()
    };
    first_process(&process)
}

/// The environment of `first` changed by `second`.
fn merge(first: &[String], second: &[String]) -> Vec<String> {
    let name = |entry: &str| {
        entry
            .split_once('=')
            .map_or(entry, |(name, _)| name)
            .to_owned()
    };
    let changed: Vec<String> = second.iter().map(|entry| name(entry)).collect();
    let kept = first.iter().filter(|entry| !changed.contains(&name(entry)));
    kept.chain(second).cloned().collect()
}

fn first_process(process: &Process) -> Result<SpecProcess> {
    let mut env = merge(&[], &process.env);
    if !env.iter().any(|entry| entry.starts_with("PATH=")) {
        env.insert(0, DEFAULT_PATH.to_owned());
    }
    if process.terminal && !env.iter().any(|entry| entry.starts_with("TERM=")) {
        env.push("TERM=xterm".to_owned());
    }
    let cwd = if process.cwd.is_empty() {
        "/"
    } else {
        &process.cwd
    };
    let devices_filtered = !Cgroup::unified();
    let mut described = ProcessBuilder::default()
        .terminal(process.terminal)
        .user(user(&process.user).map_err(|error| malformed(&error))?)
        .args(process.args.clone())
        .env(env)
        .cwd(cwd)
        .capabilities(capabilities::of(process, devices_filtered)?)
        .no_new_privileges(process.no_new_privileges)
        .build()
        .map_err(|error| malformed(&error))?;
    let limits: Result<Vec<PosixRlimit>> = process.limits.iter().map(limit).collect();
    described.set_rlimits(Some(limits?).filter(|limits| !limits.is_empty()));
    Ok(described)
}

fn limit(limit: &ProcessLimit) -> Result<PosixRlimit> {
    let upper = limit.name.to_ascii_uppercase();
    let name = upper.strip_prefix("RLIMIT_").unwrap_or(&upper);
    let typ = PosixRlimitType::from_str(&format!("RLIMIT_{name}"))
        .map_err(|_| Error::UnknownLimit(limit.name.clone()))?;
    PosixRlimitBuilder::default()
        .typ(typ)
        .soft(limit.soft)
        .hard(limit.hard)
        .build()
        .map_err(|error| malformed(&error))
}

fn user(user: &User) -> Result<SpecUser, OciSpecError> {
    UserBuilder::default()
        .uid(user.uid)
        .gid(user.gid)
        .additional_gids(user.additional_gids.clone())
        .umask(0o022_u32)
        .build()
}

fn linux(record: &Record) -> Result<Linux, OciSpecError> {
    let spec = &record.spec;
    let mut builder = LinuxBuilder::default()
        .cgroups_path(Cgroup::of(&record.id).path())
        .namespaces(namespaces(spec))
        .resources(resources(spec)?)
        .rootfs_propagation("private");
    let (masked, read_only) = if spec.process.privileged {
        (Vec::new(), Vec::new())
    } else {
        (
            MASKED.map(str::to_owned).to_vec(),
            READ_ONLY.map(str::to_owned).to_vec(),
        )
    };
    builder = builder.masked_paths(masked).readonly_paths(read_only);
    if !spec.sysctls.is_empty() {
        builder = builder.sysctl(HashMap::from_iter(spec.sysctls.clone()));
    }
    builder.build()
}

fn namespaces(spec: &ContainerSpec) -> Vec<LinuxNamespace> {
    let mut types = vec![
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Uts,
    ];
    if Path::new("/proc/self/ns/cgroup").exists() {
        types.push(LinuxNamespaceType::Cgroup);
    }
    let mut namespaces: Vec<LinuxNamespace> = types.into_iter().map(new_namespace).collect();
    match &spec.network {
        Network::Host => {}
        Network::None | Network::Bridge { .. } => {
            namespaces.push(new_namespace(LinuxNamespaceType::Network));
        }
        Network::Namespace(path) => {
            let mut joined = new_namespace(LinuxNamespaceType::Network);
            joined.set_path(Some(path.clone()));
            namespaces.push(joined);
        }
    }
    namespaces
}

fn new_namespace(typ: LinuxNamespaceType) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(typ).set_path(None);
    namespace
}

fn resources(spec: &ContainerSpec) -> Result<LinuxResources, OciSpecError> {
    let (limits, privileged) = (&spec.resources, spec.process.privileged);
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let mut resources = LinuxResources::default();
    // All devices are denied; libcontainer then allows those that every container has.
    let mut devices = LinuxDeviceCgroup::default();
    devices
        .set_allow(privileged)
        .set_access(Some("rwm".to_owned()));
    let given = spec.mounts.iter().filter_map(allowed_device);
    resources.set_devices(Some(std::iter::once(devices).chain(given).collect()));
    let swappiness = limits.swappiness.filter(|_| !Cgroup::unified());
    if limits.memory_bytes.is_some() || limits.memory_swap_bytes.is_some() || swappiness.is_some() {
        let mut memory = LinuxMemory::default();
        memory.set_limit(limits.memory_bytes.map(signed));
        memory.set_swap(limits.memory_swap_bytes);
        memory.set_swappiness(swappiness);
        resources.set_memory(Some(memory));
    }
    if limits.cpu_millis.is_some() || limits.cpu_shares.is_some() || limits.cpu_set.is_some() {
        let mut cpu = LinuxCpu::default();
        cpu.set_cpus(limits.cpu_set.clone());
        if let Some(millis) = limits.cpu_millis {
            let quota = millis.saturating_mul(CPU_PERIOD_MICROS) / 1000;
            // The kernel refuses quotas below one millisecond.
            cpu.set_quota(Some(signed(quota.max(1000))))
                .set_period(Some(CPU_PERIOD_MICROS));
        }
        // The kernel's range of weights.
        cpu.set_shares(limits.cpu_shares.map(|shares| shares.clamp(2, 262_144)));
        resources.set_cpu(Some(cpu));
    }
    if let Some(limit) = limits.pids {
        resources.set_pids(Some(
            LinuxPidsBuilder::default().limit(signed(limit)).build()?,
        ));
    }
    Ok(resources)
}

/// What lets the container use a device that is mounted for it.
fn allowed_device(mount: &Mount) -> Option<LinuxDeviceCgroup> {
    if mount.kind != MountKind::Device {
        return None;
    }
    let found = std::fs::metadata(&mount.source).ok()?;
    let kind = if found.file_type().is_block_device() {
        LinuxDeviceType::B
    } else {
        LinuxDeviceType::C
    };
    let device = found.rdev();
    let number = |part: u64| i64::try_from(part).ok();
    let mut allowed = LinuxDeviceCgroup::default();
    allowed
        .set_allow(true)
        .set_typ(Some(kind))
        .set_major(number(nix::sys::stat::major(device)))
        .set_minor(number(nix::sys::stat::minor(device)))
        .set_access(Some(if mount.read_only { "r" } else { "rwm" }.to_owned()));
    Some(allowed)
}

fn system_mounts(spec: &ContainerSpec) -> Result<Vec<SpecMount>, OciSpecError> {
    let cgroup_options: &[&str] = if spec.process.privileged {
        &["nosuid", "noexec", "nodev", "relatime"]
    } else {
        &["nosuid", "noexec", "nodev", "relatime", "ro"]
    };
    let mut mounts = vec![
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"])?,
        mount(
            "/dev",
            "tmpfs",
            "tmpfs",
            &["nosuid", "strictatime", "mode=755", "size=65536k"],
        )?,
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        )?,
    ];
    let sysfs = [
        "nosuid",
        "noexec",
        "nodev",
        if spec.process.privileged { "rw" } else { "ro" },
    ];
    if spec.network == Network::Host {
        // A new instance would need a network namespace of its own.
        mounts.push(mount(
            "/sys",
            "none",
            "/sys",
            &["rbind", sysfs[0], sysfs[1], sysfs[2], sysfs[3]],
        )?);
    } else {
        mounts.push(mount("/sys", "sysfs", "sysfs", &sysfs)?);
        mounts.push(mount("/sys/fs/cgroup", "cgroup", "cgroup", cgroup_options)?);
    }
    let given = |target: &str| {
        spec.mounts
            .iter()
            .any(|mount| mount.target == Path::new(target))
    };
    mounts.push(mount(
        "/dev/mqueue",
        "mqueue",
        "mqueue",
        &["nosuid", "noexec", "nodev"],
    )?);
    if !given("/dev/shm") {
        let options = ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"];
        mounts.push(mount("/dev/shm", "tmpfs", "shm", &options)?);
    }
    Ok(mounts)
}

fn user_mount(given: &Mount) -> Result<SpecMount, OciSpecError> {
    match &given.kind {
        MountKind::Bind | MountKind::Device => bind(&given.source, &given.target, given.read_only),
        MountKind::Tmpfs { size_bytes } => {
            let mut options = vec![
                "nosuid".to_owned(),
                "nodev".to_owned(),
                "mode=1777".to_owned(),
            ];
            options.extend(size_bytes.map(|size| format!("size={size}")));
            if given.read_only {
                options.push("ro".to_owned());
            }
            MountBuilder::default()
                .destination(&given.target)
                .typ("tmpfs")
                .source("tmpfs")
                .options(options)
                .build()
        }
    }
}

fn bind(source: &Path, target: &Path, read_only: bool) -> Result<SpecMount, OciSpecError> {
    let access = if read_only { "ro" } else { "rw" };
    MountBuilder::default()
        .destination(target)
        .typ("bind")
        .source(source)
        .options(vec![
            "rbind".to_owned(),
            "rprivate".to_owned(),
            access.to_owned(),
        ])
        .build()
}

fn mount(
    target: &str,
    kind: &str,
    source: &str,
    options: &[&str],
) -> Result<SpecMount, OciSpecError> {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    MountBuilder::default()
        .destination(target)
        .typ(kind)
        .source(source)
        .options(options)
        .build()
}

fn malformed(error: &OciSpecError) -> Error {
    Error::Create(error.to_string())
}
