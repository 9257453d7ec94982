//! Notices that a log grows, and that its container ends, without looking again and again.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::connection::{Connection, Request};
use crate::{Error, Result};

/// What makes a follower look again: changes in the container's directory, and the end of its shim.
#[derive(Debug)]
pub(super) struct Watch {
    both: Epoll,
    changes: Inotify,
    shim: Connection,
}

impl Watch {
    /// Watches a container that has not ended; none for one that has.
    pub(super) fn open(folder: &Path) -> Result<Option<Self>> {
        let Ok(shim) = Connection::open(folder) else {
            return Ok(None);
        };
        if shim.request(Request::Wait, &[], &[]).is_err() {
            return Ok(None);
        }
        let failed = Error::io("watch", folder);
        let watch = || -> nix::Result<Self> {
            let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
            let flags =
                AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
            changes.add_watch(folder, flags)?;
            let both = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            both.add(&changes, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
            both.add(&shim, EpollEvent::new(EpollFlags::EPOLLIN, 1))?;
            Ok(Self {
                both,
                changes,
                shim,
            })
        };
        watch().map(Some).map_err(failed)
    }

    /// Takes note of what has happened; true when the container has ended.
    pub(super) fn is_over(&mut self) -> Result<bool> {
        match self.changes.read_events() {
            Ok(_) | Err(nix::Error::EAGAIN) => {}
            Err(error) => return Err(Error::system("watch the log")(error)),
        }
        let mut files = [PollFd::new(self.shim.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut files, PollTimeout::ZERO).map_err(Error::system("watch the log"))?;
        Ok(ready > 0)
    }

    /// Blocks until something happens.
    pub(super) fn wait(&self) -> Result<()> {
        let mut files = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        match poll(&mut files, PollTimeout::NONE) {
            Ok(_) | Err(nix::Error::EINTR) => Ok(()),
            Err(error) => Err(Error::system("watch the log")(error)),
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.both.0.as_fd()
    }
}
