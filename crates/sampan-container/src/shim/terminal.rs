//! Receives the controlling side of a terminal from libcontainer.

use std::io::{IoSliceMut, Result};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use crate::connection::own;

/// A socket in the current directory on which libcontainer hands the terminal over.
pub(super) struct TerminalSocket {
    listener: UnixListener,
    name: PathBuf,
}

impl TerminalSocket {
    /// Listens under this name, which must be new.
    pub(super) fn bind(name: String) -> Result<Self> {
        let name = PathBuf::from(name);
        Ok(Self {
            listener: UnixListener::bind(&name)?,
            name,
        })
    }

    /// The absolute path of the socket in `directory`, which is the current one.
    pub(super) fn path(&self, directory: &Path) -> PathBuf {
        directory.join(&self.name)
    }

    /// Takes the terminal that has been handed over.
    pub(super) fn receive(self) -> Result<OwnedFd> {
        let (stream, _) = self.listener.accept()?;
        let mut bytes = [0; 64];
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let mut control = nix::cmsg_space!([RawFd; 1]);
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let received = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
        for message in received.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = message
                && let [number] = numbers.as_slice()
            {
                return Ok(own(*number));
            }
        }
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for TerminalSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.name) {
            tracing::warn!(%error, "cannot remove the terminal's socket");
        }
    }
}
