//! What a container is to be, as its creator describes it.
//!
//! The description is kept as JSON in the container's directory, so every part of it can be read back.

mod mount;
mod network;
mod process;
mod resources;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use mount::{Mount, MountKind};
pub use network::{Network, PortMapping, PortMappingError, Protocol};
pub use process::{Capabilities, Process, ProcessLimit, User};
pub use resources::Resources;

use crate::Signal;

/// Everything that is needed to create a container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// A name by which people find the container; unique in the installation when given.
    pub name: Option<String>,
    /// The name of the image, for display only.
    pub image: String,
    /// The directories that make up the root file system.
    pub rootfs: RootFs,
    /// The first process.
    pub process: Process,
    /// The host name; the short id when absent. Ignored in the host's network.
    pub hostname: Option<String>,
    /// Mounts over the root file system, in this order.
    pub mounts: Vec<Mount>,
    /// How the container reaches the network.
    pub network: Network,
    /// Limits on memory, processor and processes.
    pub resources: Resources,
    /// Kernel parameters of the container's own namespaces, by name (`net.core.somaxconn`).
    pub sysctls: BTreeMap<String, String>,
    /// Free text by which the creator recognises its containers.
    pub labels: BTreeMap<String, String>,
    /// The signal that asks the first process to end; `SIGTERM` when absent.
    pub stop_signal: Option<Signal>,
    /// Lines added to `/etc/hosts`.
    pub hosts: Vec<HostEntry>,
    /// What `/etc/resolv.conf` says; the host's own when absent.
    pub dns: Option<DnsConfig>,
    /// The size at which the log is rotated (one older file is kept); no limit when absent.
    pub log_limit_bytes: Option<u64>,
    /// Whether there is no log, so that only attachments get the output: whoever is attached keeps it, and may have to hide
    /// parts of it.
    pub unlogged: bool,
    /// Whether the container's directory is removed once it has ended.
    pub auto_remove: bool,
}

/// The layers of a root file system.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// Overlay lower directories, topmost first.
    pub lower: Vec<PathBuf>,
    /// The writable directory on top; one in the container's own directory when absent. It lies on the same
    /// file system as the overlay's work directory, which is made beside it with the suffix `.work`. One that is
    /// given is written without waiting for the disk: after a power cut it is in no defined state.
    pub upper: Option<PathBuf>,
    /// Whether the container sees its root file system read-only.
    pub read_only: bool,
    /// Absolute paths of folders that are made, with those above them, where the layers have none: the volumes
    /// that an image declares and nobody mounted.
    pub directories: Vec<PathBuf>,
}

/// One line of `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEntry {
    /// The address.
    pub address: IpAddr,
    /// Its names, the canonical one first.
    pub names: Vec<String>,
}

/// The content of `/etc/resolv.conf`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DnsConfig {
    /// Addresses of resolvers, asked in this order.
    pub servers: Vec<IpAddr>,
    /// Whether the host's resolvers are asked when `servers` names none.
    pub host_servers: bool,
    /// Domains that are tried for short names.
    pub search: Vec<String>,
    /// Resolver options such as `ndots:5`.
    pub options: Vec<String>,
}
