//! Questions that come as datagrams.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use sampan_supervise::{Shutdown, Tasks};
use tokio::net::UdpSocket;

use super::answer::{self, Outcome};
use super::{Carrier, Dns};

/// The longest question that is read; longer ones are cut, and then malformed.
const QUESTION_BYTES: usize = 4096;

/// Answers datagrams until the shutdown.
pub(super) async fn serve(socket: Arc<UdpSocket>, dns: Arc<Dns>, shutdown: Shutdown, tasks: Tasks) {
    let mut buffer = vec![0; QUESTION_BYTES];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            () = shutdown.triggered() => return,
        };
        let (message, client) = match received {
            Ok((length, client)) => (&buffer[..length], client),
            Err(error) => {
                // Reports that an earlier answer found nobody.
                tracing::debug!(%error, "datagram not received");
                continue;
            }
        };
        let outcome = dns.answer(message);
        if let Outcome::Answer(answer) = outcome {
            log(
                send(&socket, answer::encode(&answer, Carrier::Udp), client).await,
                client,
            );
            continue;
        }
        let (socket, dns, message) = (socket.clone(), dns.clone(), message.to_vec());
        tasks.spawn("dns question", async move {
            let answer = dns.ask(outcome, &message, Carrier::Udp).await;
            log(send(&socket, answer, client).await, client);
        });
    }
}

async fn send(socket: &UdpSocket, answer: Option<Vec<u8>>, client: SocketAddr) -> io::Result<()> {
    if let Some(answer) = answer {
        socket.send_to(&answer, client).await?;
    }
    Ok(())
}

fn log(sent: io::Result<()>, client: SocketAddr) {
    if let Err(error) = sent {
        tracing::debug!(%client, %error, "answer not sent");
    }
}
