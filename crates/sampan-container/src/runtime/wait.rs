//! Waiting for the end of a container.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::connection::Connection;
use crate::{Error, Exit, Result};

/// What is waited for.
pub(super) enum Waiting {
    /// Nothing: it has ended.
    Ended(Exit),
    /// The shim's message, or the end of the connection.
    On(Connection),
}

/// Waits until there is something to read; false when the time is over.
pub(super) fn until_readable(connection: &Connection, limit: Duration) -> Result<bool> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, so that the last wait is not a busy one.
        let millis = left.as_millis().saturating_add(u128::from(!left.is_zero()));
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        let mut files = [PollFd::new(connection.as_fd(), PollFlags::POLLIN)];
        match poll(&mut files, timeout) {
            Ok(0) if left.is_zero() => return Ok(false),
            Ok(0) | Err(nix::Error::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(Error::system("wait for the container")(error)),
        }
    }
}
