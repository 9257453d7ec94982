//! Questions that come over a stream, each with its length before it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sampan_supervise::{Shutdown, Tasks};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::answer::{self, Outcome};
use super::{Carrier, Dns};
use crate::http::pause;

/// Streams that are open at a time.
const STREAMS: usize = 128;
/// How long a stream may rest between questions, and how long one may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers streams until the shutdown.
pub(super) async fn serve(listener: TcpListener, dns: Arc<Dns>, shutdown: Shutdown, tasks: Tasks) {
    let places = Arc::new(Semaphore::new(STREAMS.min(dns.limits.connections)));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.triggered() => return,
        };
        match accepted {
            Ok((stream, client)) => {
                let (dns, shutdown) = (dns.clone(), shutdown.clone());
                tasks.spawn("dns stream", async move {
                    let ended = tokio::select! {
                        ended = questions(stream, &dns) => ended,
                        () = shutdown.triggered() => Ok(()),
                    };
                    if let Err(error) = ended {
                        tracing::debug!(%client, %error, "stream ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => pause(&error).await,
        }
    }
}

async fn questions(mut stream: TcpStream, dns: &Dns) -> io::Result<()> {
    loop {
        let Some(message) = tokio::time::timeout(PATIENCE, read(&mut stream)).await?? else {
            return Ok(());
        };
        let answer = match dns.answer(&message) {
            Outcome::Answer(answer) => answer::encode(&answer, Carrier::Tcp),
            outcome => dns.ask(outcome, &message, Carrier::Tcp).await,
        };
        let Some(answer) = answer else {
            return Ok(());
        };
        tokio::time::timeout(PATIENCE, write(&mut stream, &answer)).await??;
    }
}

/// One message; none at the end of the stream.
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let length = match stream.read_u16().await {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(Some(message))
}

/// Writes one message.
pub(super) async fn write(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let mut framed = Vec::with_capacity(message.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    stream.write_all(&framed).await
}
