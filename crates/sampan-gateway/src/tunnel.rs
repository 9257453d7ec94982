//! Relaying bytes between two sockets, in both directions, without holding memory while nothing moves.

use std::io::{self, ErrorKind};

use bytes::Bytes;
use nix::sys::socket::{Shutdown as Half, shutdown};
use sampan_supervise::Shutdown;
use std::os::fd::AsRawFd as _;
use tokio::net::TcpStream;

use crate::backend::TunnelTicket;

/// Bytes moved at a time; they live on the stack of the worker, so that a connection at rest needs none.
const CHUNK_BYTES: usize = 16 * 1024;

/// One end of a tunnel.
pub(crate) struct Side {
    pub(crate) stream: TcpStream,
    /// What has already been read from it.
    pub(crate) early: Bytes,
}

impl From<TcpStream> for Side {
    fn from(stream: TcpStream) -> Self {
        Self {
            stream,
            early: Bytes::new(),
        }
    }
}

/// Relays until both directions have ended, one has failed, or the endpoint or the gateway drains and no
/// answer is under way.
pub(crate) async fn relay(client: Side, endpoint: Side, ticket: TunnelTicket, shutdown: &Shutdown) {
    let pulse = ticket.pulse();
    let moving = async {
        tokio::try_join!(
            pump(&client.stream, &endpoint.stream, &client.early, || pulse
                .beat(true)),
            pump(&endpoint.stream, &client.stream, &endpoint.early, || pulse
                .beat(false)),
        )
    };
    let gateway_drained = async {
        shutdown.triggered().await;
        pulse.rest().await;
    };
    let outcome = tokio::select! {
        outcome = moving => outcome.map(|_| ()),
        () = ticket.drained() => Ok(()),
        () = gateway_drained => Ok(()),
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "relayed connection broke");
        // The other side must not take what it has for the whole.
        for stream in [&client.stream, &endpoint.stream] {
            if let Err(error) = stream.set_zero_linger() {
                tracing::debug!(%error, "connection cannot be reset");
            }
        }
    }
}

/// Moves bytes one way until their end, and passes the end on.
async fn pump(from: &TcpStream, to: &TcpStream, early: &[u8], beat: impl Fn()) -> io::Result<()> {
    if !early.is_empty() {
        beat();
        write_all(to, early).await?;
    }
    loop {
        from.readable().await?;
        match shovel(from, to)? {
            Moved::Nothing => {}
            Moved::Some { rest } => {
                beat();
                write_all(to, &rest).await?;
            }
            Moved::End => break,
        }
        tokio::task::consume_budget().await;
    }
    match shutdown(to.as_raw_fd(), Half::Write) {
        // The other side has gone already, which is fine: it had nothing more to say either.
        Ok(()) | Err(nix::errno::Errno::ENOTCONN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

enum Moved {
    Nothing,
    /// Some bytes; `rest` has been read but could not be written yet.
    Some {
        rest: Vec<u8>,
    },
    End,
}

fn shovel(from: &TcpStream, to: &TcpStream) -> io::Result<Moved> {
    let mut chunk = [0; CHUNK_BYTES];
    let read = match from.try_read(&mut chunk) {
        Ok(0) => return Ok(Moved::End),
        Ok(read) => read,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Moved::Nothing),
        Err(error) => return Err(error),
    };
    let written = match to.try_write(&chunk[..read]) {
        Ok(written) => written,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => return Err(error),
    };
    Ok(Moved::Some {
        rest: chunk[written..read].to_vec(),
    })
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
