//! Runs OCI containers: namespaces, cgroups, overlay mounts, networks, logs, and commands inside.
//!
//! It owns `containers/` and `network/` in the data directory, and every use of namespaces and cgroups. It
//! does not know images (it is given the directories of the layers), pods or Kubernetes.
//!
//! [`Runtime::create`] writes a [`ContainerSpec`] to a directory of its own and executes the *shim*: one small
//! supervisor process per container, so that containers outlive whoever started them. The shim mounts the
//! root file system in a mount namespace of its own, lets a short-lived child create the container with
//! libcontainer, copies its output to the log, answers on a socket and finally writes how it ended. Whatever
//! is asked of a container later is asked of its shim, or read from its directory when the shim is gone.
//!
//! Seccomp filters are not available: a container is confined by namespaces, capabilities, cgroups and masked
//! paths.

mod bundle;
mod capabilities;
mod cgroup;
mod connection;
mod directory;
mod error;
mod etc;
mod executor;
mod id;
pub mod logs;
pub mod memory;
pub mod mounts;
pub mod netns;
pub mod network;
mod open_files;
mod overlay;
mod ports;
mod rootpath;
mod runtime;
pub mod shim;
mod signal;
pub mod spec;
mod status;
mod terminal;
pub mod user;

pub use error::{Error, Result};
pub use id::ContainerId;
pub use open_files::raise_open_files;
pub use overlay::{MountGuard, Overlay, privately};
pub use runtime::{Attachment, Exec, ExecFiles, ExecSpec, Runtime, RuntimeConfig};
pub use signal::Signal;
pub use spec::{
    Capabilities, ContainerSpec, DnsConfig, HostEntry, Mount, MountKind, Network, PortMapping,
    Process, ProcessLimit, Protocol, Resources, RootFs, User,
};
pub use status::{ContainerState, ContainerStatus, Exit, Stats};
