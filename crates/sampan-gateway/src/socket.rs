//! Options that every relayed connection gets.

use std::io;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::TcpStream;

/// Sends small writes at once, and notices within some minutes when the other machine has vanished.
pub(crate) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &120)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &30)?;
    setsockopt(stream, sockopt::TcpKeepCount, &4)?;
    Ok(())
}
