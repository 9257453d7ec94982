//! What the containers of a pod share: the network namespace with its address.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sampan_container::netns::NetNamespace;
use sampan_container::network::{Bridge, NetworkError};

/// Why a pod has no network.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    /// The namespace.
    #[error("cannot make the network namespace")]
    Namespace(#[source] sampan_container::Error),
    /// The address.
    #[error("cannot attach the pod to the bridge")]
    Network(#[source] NetworkError),
    /// The record of the address.
    #[error("cannot write `{}`", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A pod's network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sandbox {
    /// The pinned namespace; `None` for a pod in the host's network.
    pub(crate) namespace: Option<PathBuf>,
    /// The pod's address.
    pub(crate) address: String,
}

/// The owner of a pod's address.
fn owner(uid: &str) -> String {
    format!("pod-{uid}")
}

/// The sandbox that a pod had before the engine was restarted, if it still stands; blocks.
pub(crate) fn find(folder: &Path) -> Option<Sandbox> {
    let namespace = NetNamespace::open(&folder.join("netns")).ok()?;
    let address = fs::read_to_string(folder.join("address")).ok()?;
    Some(Sandbox {
        namespace: Some(namespace.path().to_owned()),
        address,
    })
}

/// Makes a new sandbox, after removing what is left of an earlier one; blocks.
pub(crate) fn create(folder: &Path, uid: &str, bridge: &Bridge) -> Result<Sandbox, SandboxError> {
    remove(folder, uid, bridge)?;
    let record = |path: &Path| {
        let path = path.to_owned();
        move |source| SandboxError::Record { path, source }
    };
    fs::create_dir_all(folder).map_err(record(folder))?;
    let pin = folder.join("netns");
    let namespace = NetNamespace::create(&pin).map_err(SandboxError::Namespace)?;
    let lease = bridge
        .attach(namespace.path(), &owner(uid))
        .map_err(SandboxError::Network)?;
    let address = lease.address.to_string();
    // Written last: without this file the next start makes the sandbox anew.
    let (path, next) = (folder.join("address"), folder.join("address.new"));
    fs::write(&next, &address).map_err(record(&next))?;
    fs::rename(&next, &path).map_err(record(&path))?;
    Ok(Sandbox {
        namespace: Some(pin),
        address,
    })
}

/// Removes a sandbox, or what is left of it; blocks.
pub(crate) fn remove(folder: &Path, uid: &str, bridge: &Bridge) -> Result<(), SandboxError> {
    let path = folder.join("address");
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(SandboxError::Record { path, source });
        }
        _ => {}
    }
    NetNamespace::remove(&folder.join("netns")).map_err(SandboxError::Namespace)?;
    bridge.release(&owner(uid)).map_err(SandboxError::Network)
}
