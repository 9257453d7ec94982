//! The bridge between containers and the machine.

mod bridge;
mod lease;
mod masquerade;
mod netlink;
mod services;
mod subnet;

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use nix::sched::CloneFlags;
use sampan_model::Hint;

pub use bridge::Bridge;
pub use services::Services;
pub use subnet::Ipv4Net;

use netlink::{Link, Netlink};

/// What can go wrong with the network of containers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// All addresses are taken.
    #[error("no free address in {0}")]
    Exhausted(Ipv4Net),
    /// All blocks of addresses are used by the machine.
    #[error("no free network among 10.1.0.0/16 to 10.254.0.0/16")]
    NoNetwork,
    /// The kernel refused something.
    #[error("cannot {operation}")]
    Kernel {
        /// The operation.
        operation: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file could not be worked with.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A record is not readable.
    #[error("`{}` is damaged", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

impl NetworkError {
    fn kernel<E: Into<io::Error>>(operation: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Kernel {
            operation,
            source: source.into(),
        }
    }

    fn io<E: Into<io::Error>>(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Io {
            operation,
            path,
            source: source.into(),
        }
    }
}

impl Hint for NetworkError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Exhausted(_) => "remove containers that are not needed any more",
            Self::NoNetwork => "use the host's network with `--network host`",
            Self::Kernel { source, .. } | Self::Io { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                "run the command as root"
            }
            Self::Record { .. } => "remove the file while no container runs; it is written anew",
            Self::Kernel { .. } | Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// The address of a container on the bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: Ipv4Addr,
    /// The bridge's own address, through which everything else is reached.
    pub gateway: Ipv4Addr,
    /// Length of the network's prefix.
    pub prefix: u8,
}

/// FNV-1a: the same in every version of the program, which what is kept on the machine needs.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Brings the loopback device of the current network namespace up.
pub(crate) fn raise_loopback() -> Result<(), NetworkError> {
    let raised = Netlink::open().and_then(|mut netlink| {
        let loopback = netlink.link("lo")?.ok_or(io::ErrorKind::NotFound)?;
        netlink.raise(loopback.index)
    });
    raised.map_err(NetworkError::kernel("raise the loopback device"))
}

fn link(netlink: &mut Netlink, name: &str) -> Result<Option<Link>, NetworkError> {
    netlink
        .link(name)
        .map_err(NetworkError::kernel("look for a device"))
}

/// Does something in another network namespace, on a thread that ends with it.
pub(crate) fn inside<T: Send>(
    namespace: &File,
    work: impl FnOnce() -> Result<T, NetworkError> + Send,
) -> Result<T, NetworkError> {
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            nix::sched::setns(namespace, CloneFlags::CLONE_NEWNET)
                .map_err(NetworkError::kernel("enter a network namespace"))?;
            work()
        });
        worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
