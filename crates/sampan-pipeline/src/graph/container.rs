//! What a step asks of its container.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{EnvironmentValue, Mount, Text};

/// An image and how it is run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Container {
    /// The image as written.
    pub image: Text,
    /// Whether a newer image is looked for.
    #[serde(skip_serializing_if = "Pull::is_default")]
    pub pull: Pull,
    /// The login to the image's registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<RegistryLogin>,
    /// The folder in which the step begins; relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<Text>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the container has all rights of the machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
    /// Mounts beside the workspace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// Folders in memory: a path, or a path with options after a colon.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<String>,
    /// Devices of the machine: `HOST[:CONTAINER[:RIGHTS]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Ports that the container serves: `CONTAINER` or `HOST:CONTAINER`, with `/udp` where it is not TCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Text>,
    /// Name servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Domains in which short names are looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    /// Names with addresses: `NAME:ADDRESS`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_hosts: Vec<String>,
    /// Networks beside the stage's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// `host`, `none`, `bridge` or a network instead of the stage's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// Capabilities beyond the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    /// Capabilities that are taken away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    /// Kernel parameters of the container's namespaces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    /// Limits of processes by name (`nofile`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Limits of memory and processors.
    #[serde(skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// Options of `docker create` as GitHub's workflows give them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Text>,
}

/// Whether a newer image is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// The rule of the dialect: an image that is there is taken, `latest` may be looked for.
    #[default]
    Default,
    /// A newer one is looked for.
    Always,
    /// One that is there is taken.
    IfNotExists,
    /// It must be there.
    Never,
}

impl Pull {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is given by `skip_serializing_if`"
    )]
    fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

/// The login to a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistryLogin {
    /// The account.
    pub username: EnvironmentValue,
    /// The password.
    pub password: EnvironmentValue,
}

/// The soft and hard limit of one resource of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    /// What holds at first.
    pub soft: i64,
    /// Up to where processes may raise it.
    pub hard: i64,
}

/// Limits of a container; what is `None` is not limited by the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Limits {
    /// Memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Memory with swap in bytes; -1 means without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swap_bytes: Option<i64>,
    /// How readily the kernel swaps, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swappiness: Option<u64>,
    /// The size of `/dev/shm` in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_memory_bytes: Option<u64>,
    /// Microseconds of processor time in each period of 100 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota_us: Option<i64>,
    /// The relative weight of the container, 1024 being the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<u64>,
    /// The processors that may be used (`0-2,4`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_set: Option<String>,
}

impl Limits {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
