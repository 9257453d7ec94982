//! Which version of HTTP a client speaks without having been asked (RFC 9113, section 3.3).

use std::io;
use std::time::Duration;

use sampan_supervise::Tasks;
use tokio::net::TcpStream;

/// What every HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// No method of HTTP/1 begins like this.
const DISTINCT: usize = 4;
/// How soon more is looked for when less than that has come.
const LOOK: Duration = Duration::from_millis(10);

/// A version of HTTP, as far as it matters to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1 or older: one request after the other.
    Http1,
    /// HTTP/2: many at a time.
    Http2,
}

impl Protocol {
    /// Waits for the first bytes, and leaves them unread.
    ///
    /// # Errors
    /// When the client has gone.
    pub(crate) async fn of(stream: &TcpStream) -> io::Result<Self> {
        let mut seen = [0; DISTINCT];
        loop {
            match stream.peek(&mut seen).await? {
                0 => return Ok(Self::Http1),
                length if !PREFACE.starts_with(&seen[..length]) => return Ok(Self::Http1),
                DISTINCT => return Ok(Self::Http2),
                // The bytes that are there make the socket readable, so only time tells.
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

/// Runs the streams of HTTP/2 connections among our tasks.
#[derive(Clone)]
pub(crate) struct Streams(pub(crate) Tasks);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, stream: F) {
        self.0.spawn("http stream", stream);
    }
}
