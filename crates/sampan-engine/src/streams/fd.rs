//! File descriptors of containers as asynchronous streams.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A pipe, a socket or the controlling side of a terminal.
#[derive(Debug)]
pub(crate) struct File(AsyncFd<OwnedFd>);

impl File {
    /// Takes over a descriptor, which becomes non-blocking.
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
        fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        register(fd).map(Self)
    }

    /// The same file once more, so that one can read while the other writes.
    pub(crate) fn duplicate(&self) -> io::Result<Self> {
        register(self.0.get_ref().try_clone()?).map(Self)
    }
}

/// Waits for a descriptor together with the runtime's others.
#[expect(
    deprecated,
    reason = "the other way is unsafe; an owned descriptor stays what it is"
)]
pub(crate) fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

impl AsyncRead for File {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            let unfilled = buffer.initialize_unfilled();
            let read = ready.try_io(|fd| match nix::unistd::read(fd.as_fd(), unfilled) {
                // A terminal that nobody has open any more answers so.
                Err(nix::Error::EIO) => Ok(0),
                result => result.map_err(io::Error::from),
            });
            match read {
                Ok(Ok(count)) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            let write = |fd: &AsyncFd<OwnedFd>| Ok(nix::unistd::write(fd.as_fd(), bytes)?);
            match ready.try_io(write) {
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The other side learns of the end when the file is dropped.
        Poll::Ready(Ok(()))
    }
}
