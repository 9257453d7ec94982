//! The streams of `v4.channel.k8s.io` over SPDY: one for each of the standard files, one for the
//! size of the terminal, one for how it ended.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::websocket::TerminalSize;
use super::{Input, Output, Wire};
use crate::streams::options::RemoteOptions;
use crate::streams::spdy::{self, Accept, Gone, Stream};

/// The protocol that all clients since Kubernetes 1.5 speak.
pub(super) const PROTOCOL: &str = "v4.channel.k8s.io";

/// How long the client may take to open its streams.
const OPENING: Duration = Duration::from_secs(30);
/// How long the client may take to leave after the end.
const LEAVING: Duration = Duration::from_secs(5);

/// The streams that the client will open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    count: usize,
}

impl Expected {
    /// The streams that belong to these options.
    pub(super) fn of(options: &RemoteOptions) -> Self {
        let others = [
            options.stdin,
            options.stdout,
            options.stderr,
            options.terminal,
        ];
        Self {
            count: 1 + others.iter().filter(|wanted| **wanted).count(),
        }
    }
}

#[derive(Default)]
struct Opened {
    error: Option<Stream>,
    stdin: Option<Stream>,
    stdout: Option<Stream>,
    stderr: Option<Stream>,
    resize: Option<Stream>,
}

/// Carries a session until one side ends it.
pub(super) async fn carry(io: impl AsyncRead + AsyncWrite, expected: Expected, wire: Wire) {
    let (accept, work) = spdy::serve(io);
    tokio::select! {
        worked = work => {
            if let Err(error) = worked {
                tracing::debug!(%error, "a SPDY connection has broken off");
            }
        }
        () = session(accept, expected, wire) => {}
    }
}

async fn session(mut accept: Accept, expected: Expected, wire: Wire) {
    let Ok(Some(opened)) = tokio::time::timeout(OPENING, open(&mut accept, expected)).await else {
        tracing::debug!("a client did not open its streams");
        return;
    };
    let (stdin, resize) = (opened.stdin, opened.resize);
    let inputs = receive(stdin, resize, wire.input);
    let outputs = Outputs {
        error: opened.error,
        stdout: opened.stdout,
        stderr: opened.stderr,
    };
    tokio::select! {
        // A client that has no input has not left.
        () = inputs => {}
        sent = outputs.send(wire.output) => if sent.is_err() { return },
    }
    accept.go_away().await;
    // The connection is closed by the client, once it has read everything.
    tokio::time::sleep(LEAVING).await;
}

async fn open(accept: &mut Accept, expected: Expected) -> Option<Opened> {
    let mut opened = Opened::default();
    for _ in 0..expected.count {
        let stream = accept.next().await?;
        let place = match stream.headers.get("streamtype").map(String::as_str) {
            Some("error") => &mut opened.error,
            Some("stdin") => &mut opened.stdin,
            Some("stdout") => &mut opened.stdout,
            Some("stderr") => &mut opened.stderr,
            Some("resize") => &mut opened.resize,
            _ => return None,
        };
        *place = Some(stream);
    }
    Some(opened)
}

/// Takes the client's input; never ends by itself, as only the connection tells that it has left.
async fn receive(stdin: Option<Stream>, resize: Option<Stream>, input: mpsc::Sender<Input>) {
    let data = async {
        let Some(mut stream) = stdin else { return };
        while let Some(data) = stream.input.recv().await {
            if input.send(Input::Data(data)).await.is_err() {
                return;
            }
        }
        drop(input.send(Input::End).await);
    };
    let sizes = async {
        let Some(mut stream) = resize else { return };
        while let Some(data) = stream.input.recv().await {
            for size in sizes(&data) {
                let next = Input::Resize {
                    rows: size.height,
                    columns: size.width,
                };
                if input.send(next).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::join!(data, sizes);
    std::future::pending::<()>().await;
}

/// The sizes in a piece of data: one JSON object after the other.
fn sizes(data: &Bytes) -> Vec<TerminalSize> {
    serde_json::Deserializer::from_slice(data)
        .into_iter()
        .map_while(Result::ok)
        .collect()
}

struct Outputs {
    error: Option<Stream>,
    stdout: Option<Stream>,
    stderr: Option<Stream>,
}

impl Outputs {
    /// Sends what the session says until it has said everything.
    async fn send(self, mut output: mpsc::Receiver<Output>) -> Result<(), Gone> {
        while let Some(next) = output.recv().await {
            let (stream, data) = match next {
                Output::Stdout(data) => (&self.stdout, data),
                Output::Stderr(data) => (&self.stderr, data),
                Output::Status(status) => (&self.error, status.to_string().into()),
            };
            if let Some(stream) = stream {
                stream.output.send(data).await?;
            }
        }
        for stream in [&self.stdout, &self.stderr, &self.error]
            .into_iter()
            .flatten()
        {
            stream.output.finish().await?;
        }
        Ok(())
    }
}
