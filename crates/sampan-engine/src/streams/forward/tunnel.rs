//! A stream of bytes inside of a WebSocket: each side's binary messages, one after the other.

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// How much waits on either way.
const BUFFER_BYTES: usize = 64 * 1024;
/// How much goes into one message.
const MESSAGE_BYTES: usize = 32 * 1024;

/// The bytes that go through the socket. The work of carrying them goes on until either end is
/// closed.
pub(super) fn open(socket: WebSocket) -> DuplexStream {
    let (inner, outer) = tokio::io::duplex(BUFFER_BYTES);
    tokio::spawn(carry(socket, inner));
    outer
}

async fn carry(socket: WebSocket, io: DuplexStream) {
    let (mut sink, mut stream) = socket.split();
    let (mut outgoing, mut incoming) = tokio::io::split(io);
    let inward = async {
        while let Some(Ok(message)) = stream.next().await {
            let data = match message {
                Message::Binary(data) => data,
                Message::Text(text) => Bytes::from(text),
                Message::Close(_) => break,
                Message::Ping(_) | Message::Pong(_) => continue,
            };
            if incoming.write_all(&data).await.is_err() {
                break;
            }
        }
    };
    let outward = async {
        let mut piece = vec![0; MESSAGE_BYTES];
        while let Ok(count @ 1..) = outgoing.read(&mut piece).await {
            let data = Bytes::copy_from_slice(&piece[..count]);
            if sink.send(Message::Binary(data)).await.is_err() {
                break;
            }
        }
        // The client sees the end of the socket in any case.
        drop(sink.close().await);
    };
    tokio::select! {
        () = inward => {}
        () = outward => {}
    }
}
