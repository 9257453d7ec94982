//! From an image and what a step asks for to the description of a container.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use sampan_container::{
    Capabilities, ContainerSpec, DnsConfig, HostEntry, Mount, MountKind, Network, Process,
    ProcessLimit, Resources, RootFs, user,
};
use sampan_oci::Config;

use super::environment::{Variables, lines};
use super::images::Unpacked;
use super::{LABEL, folder};
use crate::graph::{Container, Limits, MountSource, Stage, VolumeSource};
use crate::trust::{self, Trust, Violation};

/// Why a container cannot be described.
#[derive(Debug, thiserror::Error)]
pub(super) enum DescriptionError {
    #[error("the image `{0}` names no command")]
    NoCommand(String),
    #[error("`{value}` is no {what}")]
    Value { what: &'static str, value: String },
    #[error("cannot make `{}`", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the image has no such user")]
    User(#[source] sampan_container::Error),
    #[error(transparent)]
    Trust(#[from] Box<Violation>),
}

/// The folders on the machine that belong to a stage.
#[derive(Debug, Clone)]
pub(super) struct StageFolders {
    pub(super) root: PathBuf,
}

impl StageFolders {
    /// What steps see as the base of the workspace.
    pub(super) fn workspace(&self) -> PathBuf {
        self.root.join("workspace")
    }

    /// A temporary volume.
    pub(super) fn volume(&self, name: &str) -> PathBuf {
        self.root.join("volumes").join(folder::name(name))
    }

    pub(super) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// The folder of a step for the time that it runs.
    pub(super) fn scratch(&self, step: usize) -> PathBuf {
        self.root.join("steps").join(step.to_string())
    }
}

/// What runs in a container.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    /// Replaces the image's entry point, and leaves out its command.
    pub(super) entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub(super) command: Vec<String>,
    pub(super) variables: Variables,
    /// The folder in which it begins; the image's own when absent.
    pub(super) folder: Option<String>,
    /// Files and folders of the executor's own that it sees.
    pub(super) mounts: Vec<Mount>,
}

/// Everything that a description is made from.
pub(super) struct Parts<'a> {
    /// The data folder of the installation, and the folder of the run.
    pub(super) data: &'a Path,
    pub(super) run: &'a Path,
    /// What the container may ask of the machine.
    pub(super) trust: Trust,
    pub(super) stage: &'a Stage,
    pub(super) folders: &'a StageFolders,
    pub(super) container: &'a Container,
    pub(super) image: &'a Unpacked,
    pub(super) program: Program,
    /// Where the container's changes to its image go.
    pub(super) upper: PathBuf,
    /// The network, unless the container asks for another.
    pub(super) network: Network,
    pub(super) hosts: Vec<HostEntry>,
    pub(super) host_name: &'a str,
}

/// Describes a container.
pub(super) fn describe(parts: Parts<'_>) -> Result<ContainerSpec, DescriptionError> {
    let container = parts.container;
    // Whatever led here, such as options and workflows that only the run could tell: nothing is made without the right.
    trust::of_container(parts.stage, container, parts.host_name, parts.trust)?;
    let network = match container.network_mode.as_deref() {
        Some("host") => Network::Host,
        Some("none") => Network::None,
        // All other networks are the stage's own: everything in it can reach everything else.
        _ => parts.network.clone(),
    };
    let mounts = mounts(&parts)?;
    let hosts = hosts(&parts)?;
    let process = process(&parts)?;
    Ok(ContainerSpec {
        image: parts.image.name.clone(),
        rootfs: RootFs {
            lower: parts.image.lower.clone(),
            upper: Some(parts.upper),
            read_only: false,
            directories: parts.image.image.volumes(),
        },
        process,
        hostname: (network != Network::Host).then(|| host_name(parts.host_name)),
        mounts,
        network,
        resources: resources(&container.limits),
        sysctls: container.sysctls.clone(),
        labels: labels(&container.labels, parts.run),
        hosts,
        dns: dns(container)?,
        unlogged: true,
        ..ContainerSpec::default()
    })
}

/// The labels of a container, with the one by which the run finds it.
pub(super) fn labels(own: &BTreeMap<String, String>, run: &Path) -> BTreeMap<String, String> {
    let mut labels = own.clone();
    labels.insert(LABEL.to_owned(), run.display().to_string());
    labels
}

/// A name as hosts may have one.
fn host_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = name.chars().map(plain).take(63).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "step" } else { name }.to_owned()
}

fn process(parts: &Parts<'_>) -> Result<Process, DescriptionError> {
    let (image, program, container) = (&parts.image.image, &parts.program, parts.container);
    let command = Some(program.command.clone()).filter(|command| !command.is_empty());
    let args = image.command_line(program.entrypoint.clone(), command);
    if args.is_empty() {
        return Err(DescriptionError::NoCommand(parts.image.name.clone()));
    }
    let mut env = image.setting(Config::env).unwrap_or_default();
    env.extend(lines(&program.variables));
    let cwd = match &program.folder {
        Some(folder) => folder.clone(),
        None => image
            .setting(Config::working_dir)
            .filter(|folder| folder.starts_with('/'))
            .unwrap_or_else(|| "/".to_owned()),
    };
    let name = container
        .user
        .clone()
        .or_else(|| image.setting(Config::user));
    let user = user::resolve(&parts.image.lower, name.as_deref().unwrap_or_default());
    let limits = container
        .ulimits
        .iter()
        .map(|(name, limit)| ProcessLimit {
            name: name.clone(),
            soft: u64::try_from(limit.soft).unwrap_or(u64::MAX),
            hard: u64::try_from(limit.hard).unwrap_or(u64::MAX),
        })
        .collect();
    Ok(Process {
        args,
        env,
        cwd,
        user: user.map_err(DescriptionError::User)?,
        capabilities: Capabilities {
            add: container.cap_add.clone(),
            drop: container.cap_drop.clone(),
        },
        limits,
        privileged: container.privileged,
        ..Process::default()
    })
}

fn resources(limits: &Limits) -> Resources {
    let quota = limits.cpu_quota_us.and_then(|us| u64::try_from(us).ok());
    Resources {
        memory_bytes: limits.memory_bytes.filter(|bytes| *bytes > 0),
        memory_swap_bytes: limits.memory_swap_bytes.filter(|bytes| *bytes != 0),
        swappiness: limits.swappiness,
        // Microseconds in each period of 100 ms.
        cpu_millis: quota.filter(|us| *us > 0).map(|us| us / 100),
        cpu_shares: limits.cpu_shares.filter(|shares| *shares > 0),
        cpu_set: limits.cpu_set.clone().filter(|set| !set.is_empty()),
        ..Resources::default()
    }
}

fn mounts(parts: &Parts<'_>) -> Result<Vec<Mount>, DescriptionError> {
    let container = parts.container;
    let workspace = parts.folders.workspace();
    let mut mounts = vec![bind(workspace, &parts.stage.workspace.base, false)];
    for (number, mount) in container.mounts.iter().enumerate() {
        let source = match &mount.source {
            MountSource::Volume(name) => volume(parts, name),
            MountSource::Host(path) => PathBuf::from(path),
            MountSource::Empty => parts.upper.with_file_name(format!("empty-{number}")),
        };
        if !source.exists() {
            make(&source)?;
        }
        mounts.push(bind(source, &mount.target, mount.read_only));
    }
    for text in &container.tmpfs {
        mounts.push(tmpfs(text)?);
    }
    for text in &container.devices {
        mounts.push(device(text)?);
    }
    if let Some(size_bytes) = container
        .limits
        .shared_memory_bytes
        .filter(|size| *size > 0)
    {
        mounts.push(Mount {
            source: PathBuf::new(),
            target: PathBuf::from("/dev/shm"),
            read_only: false,
            kind: MountKind::Tmpfs {
                size_bytes: Some(size_bytes),
            },
        });
    }
    mounts.extend(parts.program.mounts.iter().cloned());
    Ok(mounts)
}

/// The folder of a volume. Memory is mounted there before the stage begins, for several containers share it.
fn volume(parts: &Parts<'_>, name: &str) -> PathBuf {
    let kept = |name: &str| parts.data.join("volumes").join(folder::name(name));
    let volume = parts
        .stage
        .volumes
        .iter()
        .find(|volume| volume.name == name);
    match volume.map(|volume| &volume.source) {
        Some(VolumeSource::Temporary { .. }) => parts.folders.volume(name),
        Some(VolumeSource::Host { path }) => PathBuf::from(path),
        Some(VolumeSource::Kept { name }) => kept(name),
        // A name that the stage does not declare is a volume of the machine, as with Docker.
        None => kept(name),
    }
}

fn make(path: &Path) -> Result<(), DescriptionError> {
    std::fs::create_dir_all(path).map_err(|source| DescriptionError::Folder {
        path: path.to_owned(),
        source,
    })
}

/// A mount of a file or folder of the machine.
pub(super) fn bind(source: PathBuf, target: &str, read_only: bool) -> Mount {
    Mount {
        source,
        target: PathBuf::from(target),
        read_only,
        kind: MountKind::Bind,
    }
}

/// `PATH[:OPTION,…]`: a size, `ro`, and what is always so.
fn tmpfs(text: &str) -> Result<Mount, DescriptionError> {
    let wrong = |what, value: &str| DescriptionError::Value {
        what,
        value: value.to_owned(),
    };
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    let (mut read_only, mut size) = (false, None);
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match (option, option.strip_prefix("size=")) {
            (_, Some(value)) => {
                let read = size_bytes(value);
                size = Some(read.ok_or_else(|| wrong("size of a folder in memory", value))?);
            }
            ("ro", _) => read_only = true,
            ("rw", _) => read_only = false,
            ("exec" | "nosuid" | "nodev" | "mode=1777", _) => {}
            _ => {
                return Err(wrong(
                    "option of a folder in memory that is known here",
                    option,
                ));
            }
        }
    }
    Ok(Mount {
        source: PathBuf::new(),
        target: PathBuf::from(target),
        read_only,
        kind: MountKind::Tmpfs { size_bytes: size },
    })
}

/// Bytes, with `k`, `m` or `g` for powers of 1024.
fn size_bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (number, shift) = match lower.char_indices().last()? {
        (end, 'k') => (&lower[..end], 10),
        (end, 'm') => (&lower[..end], 20),
        (end, 'g') => (&lower[..end], 30),
        _ => (&*lower, 0),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// `HOST[:CONTAINER[:RIGHTS]]`.
fn device(text: &str) -> Result<Mount, DescriptionError> {
    let mut parts = text.split(':');
    let host = parts.next().unwrap_or_default();
    let target = parts.next().unwrap_or(host);
    let rights = parts.next().unwrap_or("rwm");
    if !host.starts_with('/') || !target.starts_with('/') {
        return Err(DescriptionError::Value {
            what: "device",
            value: text.to_owned(),
        });
    }
    Ok(Mount {
        kind: MountKind::Device,
        ..bind(PathBuf::from(host), target, !rights.contains('w'))
    })
}

fn hosts(parts: &Parts<'_>) -> Result<Vec<HostEntry>, DescriptionError> {
    let mut hosts = parts.hosts.clone();
    for text in &parts.container.extra_hosts {
        let entry = text.split_once([':', '=']).and_then(|(name, address)| {
            Some(HostEntry {
                address: address.trim_matches(['[', ']']).parse().ok()?,
                names: vec![name.to_owned()],
            })
        });
        hosts.push(entry.ok_or_else(|| DescriptionError::Value {
            what: "host with an address",
            value: text.clone(),
        })?);
    }
    Ok(hosts)
}

fn dns(container: &Container) -> Result<Option<DnsConfig>, DescriptionError> {
    if container.dns.is_empty() && container.dns_search.is_empty() {
        return Ok(None);
    }
    let servers: Result<Vec<IpAddr>, _> = container
        .dns
        .iter()
        .map(|server| {
            server.parse().map_err(|_| DescriptionError::Value {
                what: "address of a name server",
                value: server.clone(),
            })
        })
        .collect();
    Ok(Some(DnsConfig {
        servers: servers?,
        host_servers: true,
        search: container.dns_search.clone(),
        options: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    use super::{host_name, size_bytes};

    #[test]
    fn sizes_and_names_are_read() {
        assert_eq!(size_bytes("64m"), Some(64 << 20));
        assert_eq!(size_bytes("1024"), Some(1024));
        assert_eq!(size_bytes("x"), None);
        assert_eq!(host_name("build_server 1"), "build-server-1");
        assert_eq!(host_name("§"), "step");
    }
}
