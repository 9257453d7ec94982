//! SPDY/3.1 as Kubernetes clients use it for exec, attach and port forwarding: the client opens
//! streams inside one connection, of which each side writes to its half.
//!
//! The peers keep no flow control windows (the one implementation that all of them share has
//! none); a full queue of a stream holds up the connection instead.

mod dictionary;
mod frame;
mod header;

use std::collections::{BTreeMap, HashMap};
use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use frame::{Frame, HEADER_BYTES, MAX_PAYLOAD_BYTES};
use header::{Compressor, Decompressor};

/// Frames that wait to be written, and pieces of data that wait in a stream.
const QUEUE: usize = 16;
/// Streams that wait to be accepted.
const NEW_STREAMS: usize = 64;
/// Streams that a client may have open at the same time.
const MOST_STREAMS: usize = 1024;
/// How much goes into one data frame.
const PIECE_BYTES: usize = 32 * 1024;

/// The streams that the client opens.
pub(super) struct Accept {
    streams: mpsc::Receiver<Stream>,
    frames: mpsc::Sender<Outgoing>,
}

/// One stream.
pub(super) struct Stream {
    /// What the client said when it opened the stream; names are in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// What the client sends; ends when the client has ended its half.
    pub(super) input: mpsc::Receiver<Bytes>,
    /// The own half.
    pub(super) output: Output,
}

/// The own half of a stream.
#[derive(Clone)]
pub(super) struct Output {
    id: u32,
    frames: mpsc::Sender<Outgoing>,
}

/// The other side is gone.
#[derive(Debug, thiserror::Error)]
#[error("the client has closed the connection")]
pub(super) struct Gone;

enum Outgoing {
    Frame(Frame),
    /// The answer to a new stream; its headers are compressed when it is written.
    Reply(u32),
}

impl Accept {
    /// The next stream; `None` when the connection has ended.
    pub(super) async fn next(&mut self) -> Option<Stream> {
        self.streams.recv().await
    }

    /// Says that no further streams are accepted.
    pub(super) async fn go_away(&self) {
        // When the connection is gone already, nobody needs to be told.
        drop(self.frames.send(Outgoing::Frame(Frame::GoAway)).await);
    }
}

impl Output {
    /// Sends data.
    pub(super) async fn send(&self, mut data: Bytes) -> Result<(), Gone> {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(PIECE_BYTES));
            self.frame(Frame::Data {
                stream: self.id,
                last: false,
                data: piece,
            })
            .await?;
        }
        Ok(())
    }

    /// Ends the own half.
    pub(super) async fn finish(&self) -> Result<(), Gone> {
        self.frame(Frame::Data {
            stream: self.id,
            last: true,
            data: Bytes::new(),
        })
        .await
    }

    async fn frame(&self, frame: Frame) -> Result<(), Gone> {
        self.frames
            .send(Outgoing::Frame(frame))
            .await
            .map_err(|_| Gone)
    }
}

/// Serves a connection: gives the streams that the client opens, and the work that moves the bytes,
/// which ends with the connection.
pub(super) fn serve<T>(io: T) -> (Accept, impl Future<Output = io::Result<()>>)
where
    T: AsyncRead + AsyncWrite,
{
    let (new_streams, streams) = mpsc::channel(NEW_STREAMS);
    let (frames, outgoing) = mpsc::channel(QUEUE);
    let accept = Accept {
        streams,
        frames: frames.clone(),
    };
    let work = async move {
        let (reader, writer) = tokio::io::split(io);
        let reading = Incoming {
            headers: Decompressor::default(),
            open: HashMap::new(),
            new_streams,
            frames,
        };
        let writing = write(writer, outgoing);
        tokio::select! {
            read = reading.read(reader) => read,
            written = writing => written,
        }
    };
    (accept, work)
}

/// Writes frames until nobody can send any more.
async fn write(
    mut io: impl AsyncWrite + Unpin,
    mut outgoing: mpsc::Receiver<Outgoing>,
) -> io::Result<()> {
    let mut headers = Compressor::new()?;
    while let Some(next) = outgoing.recv().await {
        let frame = match next {
            Outgoing::Frame(frame) => frame,
            Outgoing::Reply(stream) => Frame::SynReply {
                stream,
                headers: headers.compress(&BTreeMap::new())?,
            },
        };
        io.write_all(&frame.encode()).await?;
        if outgoing.is_empty() {
            io.flush().await?;
        }
    }
    io.shutdown().await
}

/// What the client sends, told apart by its streams.
struct Incoming {
    headers: Decompressor,
    /// The streams whose client's half is open.
    open: HashMap<u32, mpsc::Sender<Bytes>>,
    new_streams: mpsc::Sender<Stream>,
    frames: mpsc::Sender<Outgoing>,
}

impl Incoming {
    async fn read(mut self, mut io: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut head = [0; HEADER_BYTES];
        loop {
            match io.read_exact(&mut head).await {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
            let length = frame::payload_length(head);
            if length > MAX_PAYLOAD_BYTES {
                return Err(malformed("a frame is too large"));
            }
            let mut payload = vec![0; length];
            io.read_exact(&mut payload).await?;
            let frame = Frame::decode(head, payload.into())
                .ok_or_else(|| malformed("a frame is malformed"))?;
            self.take(frame).await?;
        }
    }

    async fn take(&mut self, frame: Frame) -> io::Result<()> {
        match frame {
            Frame::SynStream {
                stream,
                last,
                headers,
            } => {
                let headers = self.headers.decompress(&headers)?;
                self.open_stream(stream, last, headers).await
            }
            Frame::Data { stream, last, data } => {
                if let Some(input) = self.open.get(&stream)
                    && !data.is_empty()
                    && input.send(data).await.is_err()
                {
                    // Nobody reads the stream any more; what still comes is dropped.
                    self.open.remove(&stream);
                }
                if last {
                    self.open.remove(&stream);
                }
                Ok(())
            }
            Frame::Reset { stream } => {
                self.open.remove(&stream);
                Ok(())
            }
            Frame::Headers {
                stream,
                last,
                headers,
            } => {
                // The block must be read, as all blocks are one compressed text.
                self.headers.decompress(&headers)?;
                if last {
                    self.open.remove(&stream);
                }
                Ok(())
            }
            // Pings with an odd number are the client's and want an answer.
            Frame::Ping { id } if id % 2 == 1 => {
                self.send(Outgoing::Frame(Frame::Ping { id })).await
            }
            _ => Ok(()),
        }
    }

    async fn open_stream(
        &mut self,
        id: u32,
        last: bool,
        headers: BTreeMap<String, String>,
    ) -> io::Result<()> {
        if self.open.len() >= MOST_STREAMS {
            return self
                .send(Outgoing::Frame(Frame::Reset { stream: id }))
                .await;
        }
        self.send(Outgoing::Reply(id)).await?;
        let (sender, input) = mpsc::channel(QUEUE);
        if !last {
            self.open.insert(id, sender);
        }
        let output = Output {
            id,
            frames: self.frames.clone(),
        };
        let stream = Stream {
            headers,
            input,
            output,
        };
        // Nobody accepts any more when the session is about to end.
        drop(self.new_streams.send(stream).await);
        Ok(())
    }

    async fn send(&self, outgoing: Outgoing) -> io::Result<()> {
        let sent = self.frames.send(outgoing).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
