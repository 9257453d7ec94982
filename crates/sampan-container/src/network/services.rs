//! Where the addresses of services are: a network namespace of its own on the bridge, in which all of them are local.
//!
//! Among the addresses of the machine they would be in the way of others: who listens on a port of all addresses, such as
//! a web server or the gateway itself, and a service with that port keep each other from it.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use nix::sched::CloneFlags;

use super::netlink::Netlink;
use super::{Ipv4Net, NetworkError, inside, link};

/// The place where the addresses of services can be bound. It is reached from containers and from the machine.
#[derive(Debug)]
pub struct Services {
    namespace: File,
    network: Ipv4Net,
}

impl Services {
    /// A namespace that nobody reaches yet.
    pub(super) fn new(network: Ipv4Net) -> Result<Self, NetworkError> {
        let enter = || {
            nix::sched::unshare(CloneFlags::CLONE_NEWNET)
                .map_err(NetworkError::kernel("make a network namespace"))?;
            let own = Path::new("/proc/thread-self/ns/net");
            File::open(own).map_err(NetworkError::io("open", own))
        };
        // A thread of its own enters the namespace and ends, so that the caller stays where it is.
        let namespace = std::thread::scope(|scope| {
            let entered = scope.spawn(enter).join();
            entered.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        Ok(Self { namespace, network })
    }

    pub(super) fn namespace(&self) -> &File {
        &self.namespace
    }

    /// Makes the addresses local, and containers and the machine neighbours.
    pub(super) fn configure(&self, pods: Ipv4Net, gateway: Ipv4Addr) -> Result<(), NetworkError> {
        let services = self.network;
        inside(&self.namespace, move || {
            answer_for_all();
            super::raise_loopback()?;
            let mut netlink =
                Netlink::open().map_err(NetworkError::kernel("open a netlink socket"))?;
            let loopback = link(&mut netlink, "lo")?.ok_or(NetworkError::NoNetwork)?;
            let device = link(&mut netlink, "eth0")?.ok_or(NetworkError::NoNetwork)?;
            netlink
                .set_hardware_address(device.index, hardware(services.address()))
                .and_then(|()| netlink.raise(device.index))
                .and_then(|()| netlink.add_local_route(services, loopback.index))
                .and_then(|()| netlink.add_link_route(pods, device.index))
                .and_then(|()| netlink.add_default_route(gateway))
                .map_err(NetworkError::kernel("make the services' addresses local"))
        })
    }

    /// Whether this is an address of a service.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(address) if self.network.contains(address))
    }

    /// Does something where the addresses of services are, such as opening a socket, on a thread that ends with it.
    ///
    /// # Errors
    /// When it fails, or the kernel refuses to enter.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        inside(&self.namespace, || Ok(work())).map_err(io::Error::other)?
    }
}

/// The same for each server of an installation: what neighbours remember of the one before stays true.
fn hardware(services: Ipv4Addr) -> [u8; 6] {
    let [first, second, third, fourth] = services.octets();
    // The second bit says that no manufacturer has given it out.
    [0x02, 0x53, first, second, third, fourth]
}

/// A new namespace may have these settings from the machine, where they may keep it from answering for addresses that no
/// device of its own has.
fn answer_for_all() {
    for setting in ["arp_ignore", "arp_announce", "rp_filter"] {
        for device in ["all", "eth0"] {
            let path = format!("/proc/sys/net/ipv4/conf/{device}/{setting}");
            if let Err(error) = std::fs::write(&path, "0") {
                tracing::debug!(%error, path, "a setting of the services' network stays as it is");
            }
        }
    }
}
