//! Mounts over the root file system of a container.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The host's file or directory; not used for [`MountKind::Tmpfs`].
    pub source: PathBuf,
    /// The absolute path inside; made when it does not exist.
    pub target: PathBuf,
    /// Whether the container may not write there.
    pub read_only: bool,
    /// What is mounted.
    pub kind: MountKind,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountKind {
    /// The source itself, with the mounts below it.
    Bind,
    /// The source, a device, which the container may use.
    Device,
    /// Memory, up to this many bytes (half of the machine's when absent).
    Tmpfs {
        /// The limit.
        size_bytes: Option<u64>,
    },
}
