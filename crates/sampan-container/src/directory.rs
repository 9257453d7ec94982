//! The directory of one container: `containers/ID`.
//!
//! | file | written by | says |
//! |---|---|---|
//! | `spec.json` | the creator | what the container is to be |
//! | `lock` | | held by the shim for as long as it lives |
//! | `created.json` | the shim's child | process id, address, ports; the container is ready |
//! | `started` | the shim | when the first process was started |
//! | `exit.json` | the shim | how it ended |
//! | `log`, `log.1` | the shim | what it said |
//! | `shim.sock` | the shim | where the shim is asked |
//! | `rootfs/`, `upper/`, `upper.work/` | | the root file system |
//! | `etc/` | the shim's child | files that are mounted over those of the image |
//! | `bundle/`, `oci/` | libcontainer | its own state |
//!
//! Nothing here is synchronised to the disk: it describes processes, and those do not survive a power cut
//! either. A record that a power cut has cut short reads as a container that has ended; without its description,
//! as one that is gone, whose rest is removed by whoever looks next.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::overlay::Worth;
use crate::{ContainerId, ContainerSpec, Error, Exit, PortMapping, Result};

/// What is known once a container is ready to be started.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Created {
    pub(crate) pid: i32,
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) ports: Vec<PortMapping>,
    /// Empty files and directories that were made in the image to mount over, relative to its root.
    pub(crate) stubs: Vec<PathBuf>,
}

/// What is known from the beginning.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: ContainerId,
    pub(crate) created_at: Timestamp,
    pub(crate) spec: ContainerSpec,
}

/// The directory of one container.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The container's identity, which is the directory's name.
    pub(crate) fn id(&self) -> Option<ContainerId> {
        self.path.file_name()?.to_str()?.parse().ok()
    }

    /// The installation's data directory, which has `containers/ID` in it.
    pub(crate) fn data(&self) -> &Path {
        self.path
            .parent()
            .and_then(Path::parent)
            .unwrap_or(&self.path)
    }

    pub(crate) fn rootfs(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    pub(crate) fn etc(&self) -> PathBuf {
        self.path.join("etc")
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.path.join("bundle")
    }

    /// libcontainer's root; the container's state is in a directory of the id's name below it.
    pub(crate) fn oci(&self) -> PathBuf {
        self.path.join("oci")
    }

    /// The writable directory and the overlay's work directory beside it.
    pub(crate) fn upper(&self, spec: &ContainerSpec) -> (PathBuf, PathBuf) {
        let upper = spec
            .rootfs
            .upper
            .clone()
            .unwrap_or_else(|| self.path.join("upper"));
        let mut work = upper.clone().into_os_string();
        work.push(".work");
        (upper, work.into())
    }

    /// The file whose lock says that the shim lives.
    pub(crate) fn lock_file(&self) -> Result<File> {
        let path = self.path.join("lock");
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", path))
    }

    /// The same for a directory that is just being made, locked before anybody finds it: a file that nobody holds says that
    /// the directory was given up.
    pub(crate) fn new_lock(&self) -> Result<File> {
        let (new, path) = (self.path.join("lock.new"), self.path.join("lock"));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&new)
            .map_err(Error::io("create", &new))?;
        file.lock().map_err(Error::io("lock", &new))?;
        std::fs::rename(&new, &path).map_err(Error::io("create", &path))?;
        Ok(file)
    }

    /// Whether a shim (or somebody who is about to become one) holds the lock.
    pub(crate) fn is_supervised(&self) -> Result<bool> {
        match self.lock_file()?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => {
                Err(Error::io("lock", self.path.join("lock"))(error))
            }
        }
    }

    /// Waits until no shim holds the lock: one that dies hangs up a moment before the kernel unlocks its files.
    pub(crate) fn wait_unsupervised(&self) -> Result<()> {
        if optional(self.exit())?.flatten().is_some() {
            return Ok(());
        }
        let path = self.path.join("lock");
        let lock = File::open(&path).map_err(Error::io("open", &path))?;
        lock.lock_shared().map_err(Error::io("lock", path))
    }

    pub(crate) fn record(&self) -> Result<Record> {
        self.read("spec.json")
    }

    pub(crate) fn created(&self) -> Result<Created> {
        self.read("created.json")
    }

    pub(crate) fn exit(&self) -> Result<Option<Exit>> {
        optional(self.read("exit.json"))
    }

    pub(crate) fn started_at(&self) -> Option<Timestamp> {
        std::fs::read_to_string(self.path.join("started"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    pub(crate) fn write_record(&self, record: &Record) -> Result<()> {
        self.write("spec.json", record)
    }

    pub(crate) fn write_created(&self, created: &Created) -> Result<()> {
        self.write("created.json", created)
    }

    pub(crate) fn write_exit(&self, exit: &Exit) -> Result<()> {
        self.write("exit.json", exit)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T> {
        let path = self.path.join(name);
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Record { path, source })
    }

    /// Writes a record as a whole or not at all.
    fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(name);
        let bytes = serde_json::to_vec(value).map_err(|source| Error::Record {
            path: path.clone(),
            source,
        })?;
        replace(&path, &bytes, Worth::Passing).map_err(Error::io("write", path))
    }
}

/// Writes a file as a whole or not at all. One that is kept is so after a power cut too.
pub(crate) fn replace(path: &Path, bytes: &[u8], worth: Worth) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = folder.join(format!(".{name}"));
    std::fs::write(&partial, bytes)?;
    if worth == Worth::Passing {
        return std::fs::rename(&partial, path);
    }
    File::open(&partial)?.sync_all()?;
    std::fs::rename(&partial, path)?;
    File::open(folder)?.sync_all()
}

/// Turns a file that does not exist, or was cut short, into nothing.
pub(crate) fn optional<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(Error::Record { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
