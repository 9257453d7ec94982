//! Network namespaces that live without a process: pinned by a bind mount.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags};
use nix::sched::CloneFlags;

use crate::{Error, Result};

/// Brings the loopback device of the namespace at this path up.
pub(crate) fn raise_loopback(namespace: &Path) -> Result<()> {
    let namespace = File::open(namespace).map_err(Error::io("open", namespace))?;
    Ok(crate::network::inside(
        &namespace,
        crate::network::raise_loopback,
    )?)
}

/// Connects to a port of localhost, by IPv4 or else by IPv6, each within `limit`; blocks.
///
/// # Errors
/// When nobody listens: what IPv4 says.
pub fn connect_locally(port: u16, limit: Duration) -> io::Result<TcpStream> {
    let connect = |address: IpAddr| {
        let address = SocketAddr::new(address, port);
        TcpStream::connect_timeout(&address, limit)
    };
    connect(Ipv4Addr::LOCALHOST.into())
        .or_else(|error| connect(Ipv6Addr::LOCALHOST.into()).map_err(|_| error))
}

/// A network namespace, pinned to a file.
#[derive(Debug, Clone)]
pub struct NetNamespace {
    path: PathBuf,
}

impl NetNamespace {
    /// Makes a new namespace, its loopback device up, pinned to a new file at `path`.
    ///
    /// # Errors
    /// When the file exists or the kernel refuses.
    pub fn create(path: &Path) -> Result<Self> {
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(Error::io("create", path))?;
        let target = path.to_owned();
        // A thread of its own enters the new namespace and ends, so that the caller stays where it is.
        let pinned = std::thread::scope(|scope| {
            scope
                .spawn(move || -> Result<()> {
                    nix::sched::unshare(CloneFlags::CLONE_NEWNET)
                        .map_err(Error::system("make a network namespace"))?;
                    crate::network::raise_loopback()?;
                    let own = Path::new("/proc/thread-self/ns/net");
                    nix::mount::mount(
                        Some(own),
                        &target,
                        None::<&str>,
                        MsFlags::MS_BIND,
                        None::<&str>,
                    )
                    .map_err(Error::io("pin a network namespace to", &target))
                })
                .join()
        });
        match pinned {
            Ok(Ok(())) => Ok(Self {
                path: path.to_owned(),
            }),
            Ok(Err(error)) => {
                std::fs::remove_file(path).map_err(Error::io("remove", path))?;
                Err(error)
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// A namespace that was pinned before.
    ///
    /// # Errors
    /// When nothing is pinned there, for example after the machine was restarted.
    pub fn open(path: &Path) -> Result<Self> {
        const NSFS_MAGIC: i64 = 0x6e73_6673;
        let found = nix::sys::statfs::statfs(path).map_err(Error::io("look at", path))?;
        if found.filesystem_type().0 == NSFS_MAGIC {
            Ok(Self {
                path: path.to_owned(),
            })
        } else {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            Err(Error::io("open a network namespace at", path)(missing))
        }
    }

    /// Where it is pinned.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects to a port of the namespace's own localhost, as [`connect_locally`] does; blocks.
    ///
    /// # Errors
    /// When the namespace is gone, or nobody listens.
    pub fn connect(&self, port: u16, limit: Duration) -> Result<TcpStream> {
        let namespace = File::open(&self.path).map_err(Error::io("open", &self.path))?;
        crate::network::inside(&namespace, || Ok(connect_locally(port, limit)))?
            .map_err(Error::system("connect to the port"))
    }

    /// Listens on a port of the namespace's own localhost; connections are accepted by the caller.
    ///
    /// # Errors
    /// When the namespace is gone, or the port is taken.
    pub fn listen(&self, port: u16) -> Result<TcpListener> {
        let namespace = File::open(&self.path).map_err(Error::io("open", &self.path))?;
        crate::network::inside(&namespace, || {
            Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
        })?
        .map_err(Error::system("listen on the port"))
    }

    /// Lets go of the namespace; it ends with its last process. Does nothing when nothing is there.
    ///
    /// # Errors
    /// When the pin cannot be taken away.
    pub fn remove(path: &Path) -> Result<()> {
        match nix::mount::umount2(path, MntFlags::MNT_DETACH) {
            Ok(()) | Err(nix::Error::EINVAL | nix::Error::ENOENT) => {}
            Err(error) => return Err(Error::io("unmount", path)(error)),
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }
}
