//! Why a gateway could not be built.

use std::io;
use std::net::SocketAddr;

use sampan_model::Hint;

/// The result of this crate's fallible calls.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a gateway could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another socket listens there.
    #[error("{purpose} cannot listen on `{address}`: the port is in use{}", by(holder.as_deref()))]
    InUse {
        /// Who wanted to listen, in words.
        purpose: &'static str,
        /// The address that is taken.
        address: SocketAddr,
        /// The process that holds it, where it could be found.
        holder: Option<String>,
    },
    /// The process lacks the right to listen on any of the addresses.
    #[error("{purpose} may not listen on `{address}`")]
    NotPermitted {
        /// Who wanted to listen, in words.
        purpose: &'static str,
        /// The last address that was tried.
        address: SocketAddr,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// Listening failed for another reason.
    #[error("{purpose} cannot listen on `{address}`")]
    Listen {
        /// Who wanted to listen, in words.
        purpose: &'static str,
        /// The address.
        address: SocketAddr,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::InUse {
                purpose, address, ..
            } => Some(format!(
                "stop what uses port {}, or choose another address for {purpose}",
                address.port()
            )),
            Self::NotPermitted { purpose, .. } => Some(format!(
                "run as root, or choose a port above 1023 for {purpose}"
            )),
            Self::Listen { address, .. } => Some(format!(
                "check that `{}` is an address of this machine",
                address.ip()
            )),
        }
    }
}

fn by(holder: Option<&str>) -> String {
    holder.map(|name| format!(" by {name}")).unwrap_or_default()
}
