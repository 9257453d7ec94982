//! Options that every relayed connection gets.

use std::io;
use std::time::Duration;

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

/// Ends the connection once the other side has taken nothing of what it is sent for this long: it has vanished, or it
/// no longer reads. Not for relayed connections, whose ends may pause as they like.
pub(crate) fn limit_standstill(stream: &TcpStream, limit: Duration) -> io::Result<()> {
    let milliseconds = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    setsockopt(
        stream,
        sockopt::TcpUserTimeout,
        &milliseconds.unsigned_abs(),
    )?;
    Ok(())
}
