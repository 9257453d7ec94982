//! How a container is, and how it ended.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ContainerId, PortMapping};

/// What is known of a container.
#[derive(Debug, Clone, Serialize)]
pub struct ContainerStatus {
    /// Its identity.
    pub id: ContainerId,
    /// Its name, when it has one.
    pub name: Option<String>,
    /// Where it is in its life; in JSON its fields stand beside the others.
    #[serde(flatten)]
    pub state: ContainerState,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The name of its image.
    pub image: String,
    /// The command of its first process.
    pub command: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its first process was started.
    pub started_at: Option<Timestamp>,
    /// The host's ports that lead to it, with the ports that the system chose.
    pub ports: Vec<PortMapping>,
    /// Its address on the bridge.
    pub address: Option<Ipv4Addr>,
}

/// Where a container is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ContainerState {
    /// Ready to be started.
    Created,
    /// The first process runs.
    Running {
        /// Its process id on the host.
        pid: i32,
    },
    /// It has ended.
    Exited(Exit),
}

impl ContainerState {
    /// Whether the first process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; 128 + the signal's number for a process that was killed.
    pub code: i32,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// Whether the kernel killed a process of the container because its memory limit was reached.
    pub oom_killed: bool,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Why the code is not that of the process: it could not be started, or its supervisor was killed.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a container uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Memory in use, without the part of the page cache that is easily given up.
    pub memory_bytes: u64,
    /// Processor time used so far.
    pub cpu_nanos: u64,
}
