//! The channels of Kubernetes over WebSocket: the first byte of each message names its channel.

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{Input, Output, Wire};
use crate::error::Error;

/// The protocols, the best first.
pub(super) const PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
/// Followed by the number of the channel that has ended; since version 5.
const CLOSE: u8 = 255;

/// Which version of the channels is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Without a way to end standard input.
    Four,
    /// Channels can be closed one by one.
    Five,
}

impl Version {
    /// The version of the protocol that was agreed on.
    pub(super) fn of(protocol: Option<&http::HeaderValue>) -> Option<Self> {
        match protocol?.to_str().ok()? {
            "v5.channel.k8s.io" => Some(Self::Five),
            "v4.channel.k8s.io" => Some(Self::Four),
            _ => None,
        }
    }
}

/// The answer to a client that speaks none of the protocols.
pub(super) fn unknown_protocol() -> Error {
    Error::BadRequest(format!(
        "unable to upgrade: the client speaks none of the protocols {}",
        PROTOCOLS.join(", ")
    ))
}

/// A size as clients send it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TerminalSize {
    /// Characters in a line.
    pub(super) width: u16,
    /// Lines of text.
    pub(super) height: u16,
}

/// Carries a session until one side ends it.
pub(super) async fn carry(socket: WebSocket, version: Version, wire: Wire) {
    let (sink, stream) = socket.split();
    let sending = send(sink, wire.output);
    tokio::pin!(sending);
    tokio::select! {
        () = receive(stream, version, wire.input) => {}
        () = &mut sending => return,
    }
    // The client has left: the session sees the end of its input and ends its output.
    sending.await;
}

/// Takes the client's messages, among them its pings, which are answered on the way.
async fn receive(mut stream: SplitStream<WebSocket>, version: Version, input: mpsc::Sender<Input>) {
    while let Some(Ok(message)) = stream.next().await {
        let data = match message {
            Message::Binary(data) => data,
            Message::Text(text) => Bytes::from(text),
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if let Some(next) = decode(data, version)
            && input.send(next).await.is_err()
        {
            // The session is over; what follows is the client's answer to the close.
            return;
        }
    }
}

/// What a message says; `None` for an empty one and for channels that only the server writes.
fn decode(mut data: Bytes, version: Version) -> Option<Input> {
    if data.is_empty() {
        return None;
    }
    let channel = data.split_to(1)[0];
    match channel {
        STDIN => (!data.is_empty()).then_some(Input::Data(data)),
        RESIZE => {
            let size: TerminalSize = serde_json::from_slice(&data).ok()?;
            Some(Input::Resize {
                rows: size.height,
                columns: size.width,
            })
        }
        CLOSE if version == Version::Five && data.first() == Some(&STDIN) => Some(Input::End),
        _ => None,
    }
}

async fn send(mut sink: SplitSink<WebSocket, Message>, mut output: mpsc::Receiver<Output>) {
    // An empty message tells the client that the connection stands.
    let mut next = Some(encode(STDOUT, &[]));
    while let Some(message) = next {
        if sink.send(message).await.is_err() {
            return;
        }
        next = match output.recv().await {
            Some(Output::Stdout(data)) => Some(encode(STDOUT, &data)),
            Some(Output::Stderr(data)) => Some(encode(STDERR, &data)),
            Some(Output::Status(status)) => Some(encode(ERROR, status.to_string().as_bytes())),
            None => None,
        };
    }
    let end = CloseFrame {
        code: close_code::NORMAL,
        reason: "".into(),
    };
    if let Err(error) = sink.send(Message::Close(Some(end))).await {
        tracing::debug!(%error, "a client has left before the end");
    }
}

fn encode(channel: u8, data: &[u8]) -> Message {
    let mut message = BytesMut::with_capacity(data.len() + 1);
    message.put_u8(channel);
    message.put_slice(data);
    Message::Binary(message.freeze())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Input, Version, decode};

    #[test]
    fn messages_name_their_channel() {
        let read = |bytes: &'static [u8]| decode(Bytes::from_static(bytes), Version::Five);
        assert_eq!(
            read(b"\x00hi"),
            Some(Input::Data(Bytes::from_static(b"hi")))
        );
        assert_eq!(
            read(b"\x04{\"Width\":80,\"Height\":24}"),
            Some(Input::Resize {
                rows: 24,
                columns: 80
            })
        );
        assert_eq!(read(b"\xff\x00"), Some(Input::End));
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\x00"), None);
        assert_eq!(decode(Bytes::from_static(b"\xff\x00"), Version::Four), None);
    }
}
