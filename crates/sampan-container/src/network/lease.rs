//! Which address belongs to whom: one file per address, named by it, that says who has it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::{Ipv4Net, NetworkError, hash};

/// The leases of an installation.
#[derive(Debug, Clone)]
pub(super) struct Leases {
    folder: PathBuf,
}

impl Leases {
    pub(super) fn open(folder: PathBuf) -> Result<Self, NetworkError> {
        std::fs::create_dir_all(&folder).map_err(NetworkError::io("create", &folder))?;
        Ok(Self { folder })
    }

    /// Takes a free address of `network` that is not the first (the gateway's) for `owner`.
    pub(super) fn take(&self, network: Ipv4Net, owner: &str) -> Result<Ipv4Addr, NetworkError> {
        let size = 1_u32 << (32 - u32::from(network.prefix()));
        // Starting at a place that depends on the owner keeps an address unused for a while after it was given
        // back, so that nobody who still has it in mind talks to the wrong one.
        let start = u32::try_from(hash(owner.as_bytes()) % u64::from(size)).unwrap_or_default();
        for step in 0..size {
            let place = (start + step) % size;
            let Some(address) = network.nth(place).filter(|_| place > 1 && place < size - 1) else {
                continue;
            };
            if self.claim(address, owner)? {
                return Ok(address);
            }
        }
        Err(NetworkError::Exhausted(network))
    }

    /// Gives back what `owner` has.
    pub(super) fn release(&self, owner: &str) -> Result<(), NetworkError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(NetworkError::io("list", &self.folder)(error)),
        };
        for entry in entries {
            let path = entry
                .map_err(NetworkError::io("list", &self.folder))?
                .path();
            match std::fs::read_to_string(&path) {
                Ok(found) if found == owner => remove(&path)?,
                Ok(_) => {}
                // Somebody else has given it back in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(NetworkError::io("read", &path)(error)),
            }
        }
        Ok(())
    }

    fn claim(&self, address: Ipv4Addr, owner: &str) -> Result<bool, NetworkError> {
        let path = self.folder.join(address.to_string());
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(owner.as_bytes())
                    .map_err(NetworkError::io("write", &path))?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(NetworkError::io("create", &path)(error)),
        }
    }
}

fn remove(path: &Path) -> Result<(), NetworkError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(NetworkError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
