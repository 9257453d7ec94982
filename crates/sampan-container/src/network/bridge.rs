//! The installation's bridge.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lease::Leases;
use super::netlink::{Link, Netlink};
use super::{Ipv4Net, Lease, NetworkError, Services, hash, inside, link, masquerade};
use crate::directory::replace;
use crate::overlay::Worth;

/// The second byte of the first network that is tried.
const FIRST: u8 = 200;

/// Held while an installation chooses its network, so that no two choose the same.
const MACHINE_LOCK: &str = "/run/sampan-network.lock";

/// What `network/network.json` keeps: the second byte of 10.N.0.0/16.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    network: u8,
}

/// The installation's bridge, and the addresses behind it: 10.N.0.0/16, the lower half for containers and pods,
/// the upper half for services.
#[derive(Debug, Clone)]
pub struct Bridge {
    network: Ipv4Net,
    name: String,
    index: u32,
    leases: Leases,
}

impl Bridge {
    /// Sees to it that the bridge exists in the current network namespace: the device, its address and the
    /// masquerade.
    ///
    /// # Errors
    /// When no network is free or the kernel refuses.
    pub fn ensure(data: &Path) -> Result<Self, NetworkError> {
        let folder = folder(data);
        let leases = Leases::open(folder.join("leases"))?;
        let mut netlink = Netlink::open().map_err(NetworkError::kernel("open a netlink socket"))?;
        let owner = owner(data);
        if let Some(choice) = read(&folder)? {
            let name = name(choice.network);
            let link = link(&mut netlink, &name)?;
            if let Some(link) = link.filter(|link| is_ready(link, &owner)) {
                return Ok(Self::new(choice.network, link.index, leases));
            }
        }
        let _one_at_a_time = lock(&folder.join("lock"))?;
        // Another installation may be choosing its network at this very moment.
        let _alone_on_the_machine = lock(Path::new(MACHINE_LOCK))?;
        let network = choose(&folder, &mut netlink, &owner)?;
        let index = set_up(&mut netlink, network, &owner)?;
        Ok(Self::new(network, index, leases))
    }

    /// Takes back what [`Bridge::ensure`] made, if it is there: masquerade and device. The installation
    /// keeps its network, so that the next bridge has the same addresses.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove(data: &Path) -> Result<(), NetworkError> {
        let folder = folder(data);
        let Some(choice) = read(&folder)? else {
            return Ok(());
        };
        let _one_at_a_time = lock(&folder.join("lock"))?;
        let mut netlink = Netlink::open().map_err(NetworkError::kernel("open a netlink socket"))?;
        let (name, network) = (name(choice.network), block(choice.network));
        let Some(own) = link(&mut netlink, &name)?.filter(|link| is_own(link, &owner(data))) else {
            return Ok(());
        };
        masquerade::remove(&name, Ipv4Net::new(network.address(), 17));
        unbind_services(&mut netlink, services(network))?;
        netlink
            .remove_link(own.index)
            .map_err(NetworkError::kernel("remove the bridge"))
    }

    fn new(network: u8, index: u32, leases: Leases) -> Self {
        Self {
            network: block(network),
            name: name(network),
            index,
            leases,
        }
    }

    /// Gives the network namespace at this path a device on the bridge, with an address that belongs to `owner`
    /// (a container's or pod's identity) until it is released.
    ///
    /// # Errors
    /// When no address is free or the kernel refuses.
    pub fn attach(&self, netns: &Path, owner: &str) -> Result<Lease, NetworkError> {
        let namespace = File::open(netns).map_err(NetworkError::io("open", netns))?;
        let address = self.leases.take(self.pods(), owner)?;
        let attached = self.connect(&namespace, address);
        if attached.is_err() {
            self.leases.release(owner)?;
        }
        attached
    }

    fn connect(&self, namespace: &File, address: Ipv4Addr) -> Result<Lease, NetworkError> {
        let mut netlink = Netlink::open().map_err(NetworkError::kernel("open a netlink socket"))?;
        self.plug(&mut netlink, namespace, address)?;
        let lease = Lease {
            address,
            gateway: self.gateway(),
            // Services are neighbours, too.
            prefix: self.network.prefix(),
        };
        let configured = lease.clone();
        inside(namespace, move || configure(&configured))?;
        Ok(lease)
    }

    /// Puts a device with the name `eth0` into a namespace, its peer on the bridge.
    fn plug(
        &self,
        netlink: &mut Netlink,
        namespace: &File,
        address: Ipv4Addr,
    ) -> Result<(), NetworkError> {
        // Unique as long as the lease is; a device left over from a killed owner of the address is in the way.
        let device = format!("sp{:08x}", address.to_bits());
        if let Some(stale) = link(netlink, &device)? {
            netlink
                .remove_link(stale.index)
                .map_err(NetworkError::kernel("remove a left over device"))?;
        }
        netlink
            .add_pair(&device, self.index, "eth0", namespace.as_fd())
            .map_err(NetworkError::kernel("connect a container to the bridge"))
    }

    /// Makes the place where the addresses of services can be bound, instead of the one that a server before had.
    /// It goes with what is returned and the sockets that were opened there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn open_services(&self) -> Result<Services, NetworkError> {
        let mut netlink = Netlink::open().map_err(NetworkError::kernel("open a netlink socket"))?;
        // A bridge that an earlier version has made leads to its own half only, and the other half to this machine.
        unbind_services(&mut netlink, self.services())?;
        netlink
            .add_address(self.index, self.gateway(), self.network.prefix())
            .map_err(NetworkError::kernel("give the bridge its address"))?;
        let services = Services::new(self.services())?;
        self.plug(
            &mut netlink,
            services.namespace(),
            self.services().address(),
        )?;
        services.configure(self.pods(), self.gateway())?;
        Ok(services)
    }

    /// Gives back the address of `owner`, if it has one.
    ///
    /// # Errors
    /// When the lease cannot be removed.
    pub fn release(&self, owner: &str) -> Result<(), NetworkError> {
        self.leases.release(owner)
    }

    /// Gives back the address of `owner` without a need for the bridge to exist.
    pub(crate) fn release_in(data: &Path, owner: &str) -> Result<(), NetworkError> {
        Leases::open(folder(data).join("leases"))?.release(owner)
    }

    /// The name of the bridge's device.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The addresses of pods and containers.
    #[must_use]
    pub fn pods(&self) -> Ipv4Net {
        Ipv4Net::new(self.network.address(), 17)
    }

    /// The addresses of services; each can be bound in what [`Bridge::open_services`] gives.
    #[must_use]
    pub fn services(&self) -> Ipv4Net {
        services(self.network)
    }

    /// The bridge's own address.
    #[must_use]
    pub fn gateway(&self) -> Ipv4Addr {
        gateway(self.network)
    }

    /// The address of the cluster's DNS.
    #[must_use]
    pub fn dns(&self) -> Ipv4Addr {
        let [first, second, ..] = self.network.address().octets();
        Ipv4Addr::new(first, second, 128, 10)
    }
}

fn block(network: u8) -> Ipv4Net {
    Ipv4Net::new(Ipv4Addr::new(10, network, 0, 0), 16)
}

fn services(network: Ipv4Net) -> Ipv4Net {
    let [first, second, ..] = network.address().octets();
    Ipv4Net::new(Ipv4Addr::new(first, second, 128, 0), 17)
}

fn gateway(network: Ipv4Net) -> Ipv4Addr {
    let [first, second, ..] = network.address().octets();
    Ipv4Addr::new(first, second, 0, 1)
}

fn name(network: u8) -> String {
    format!("sampan{network}")
}

fn folder(data: &Path) -> PathBuf {
    data.join("network")
}

/// What the bridge's alias says: which installation it belongs to. An alias is shorter than a path may be, so it
/// has a hash of the path: installations whose paths begin alike are not taken for one another.
fn owner(data: &Path) -> String {
    let path = data
        .canonicalize()
        .or_else(|_| std::path::absolute(data))
        .unwrap_or_else(|_| data.to_path_buf());
    format!("sampan {:016x}", hash(path.as_os_str().as_bytes()))
}

fn is_ready(link: &Link, owner: &str) -> bool {
    link.up && is_own(link, owner)
}

fn is_own(link: &Link, owner: &str) -> bool {
    link.alias.as_deref() == Some(owner)
}

fn lock(path: &Path) -> Result<File, NetworkError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(NetworkError::io("open", path))?;
    file.lock().map_err(NetworkError::io("lock", path))?;
    Ok(file)
}

/// The network of this installation: the one it had, or a free one.
fn choose(folder: &Path, netlink: &mut Netlink, owner: &str) -> Result<u8, NetworkError> {
    let used = netlink
        .used()
        .map_err(NetworkError::kernel("list addresses and routes"))?;
    let had = read(folder)?.map(|choice| choice.network);
    for network in had.into_iter().chain(FIRST..=254).chain(1..FIRST) {
        let found = link(netlink, &name(network))?;
        let own = found.as_ref().is_some_and(|link| is_own(link, owner));
        let free = found.is_none() && !used.iter().any(|used| used.overlaps(&block(network)));
        if own || free {
            if had != Some(network) {
                write(folder, &Choice { network })?;
            }
            return Ok(network);
        }
    }
    Err(NetworkError::NoNetwork)
}

/// Makes the bridge and what belongs to it. It is raised last: a bridge that is up is complete.
fn set_up(netlink: &mut Netlink, network: u8, owner: &str) -> Result<u32, NetworkError> {
    let name = name(network);
    let network = block(network);
    let found = if let Some(found) = link(netlink, &name)? {
        found
    } else {
        netlink
            .add_bridge(&name, owner)
            .map_err(NetworkError::kernel("make the bridge"))?;
        link(netlink, &name)?.ok_or(NetworkError::NoNetwork)?
    };
    netlink
        .add_address(found.index, gateway(network), network.prefix())
        .map_err(NetworkError::kernel("give the bridge its address"))?;
    super::raise_loopback()?;
    masquerade::ensure(&name, Ipv4Net::new(network.address(), 17));
    netlink
        .raise(found.index)
        .map_err(NetworkError::kernel("raise the bridge"))?;
    Ok(found.index)
}

/// The other side of [`Bridge::connect`], done inside the container's namespace.
fn configure(lease: &Lease) -> Result<(), NetworkError> {
    super::raise_loopback()?;
    let mut netlink = Netlink::open().map_err(NetworkError::kernel("open a netlink socket"))?;
    let device = link(&mut netlink, "eth0")?.ok_or(NetworkError::NoNetwork)?;
    netlink
        .add_address(device.index, lease.address, lease.prefix)
        .and_then(|()| netlink.raise(device.index))
        .and_then(|()| netlink.add_default_route(lease.gateway))
        .map_err(NetworkError::kernel("give the container its address"))
}

/// Takes back the route by which earlier versions bound the addresses of services among those of the machine.
fn unbind_services(netlink: &mut Netlink, services: Ipv4Net) -> Result<(), NetworkError> {
    let loopback = link(netlink, "lo")?.ok_or(NetworkError::NoNetwork)?;
    netlink
        .remove_local_route(services, loopback.index)
        .map_err(NetworkError::kernel("remove the route to the services"))
}

fn read(folder: &Path) -> Result<Option<Choice>, NetworkError> {
    let path = folder.join("network.json");
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| NetworkError::Record { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(NetworkError::io("read", path)(error)),
    }
}

fn write(folder: &Path, choice: &Choice) -> Result<(), NetworkError> {
    let path = folder.join("network.json");
    let bytes = serde_json::to_vec(choice).map_err(|source| NetworkError::Record {
        path: path.clone(),
        source,
    })?;
    replace(&path, &bytes, Worth::Kept).map_err(NetworkError::io("write", path))
}
