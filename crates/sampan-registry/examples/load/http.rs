//! As much of an HTTP/1.1 client as the load needs: one connection that stays open, bodies of a known length.

use std::fmt::Write as _;
use std::io::{Error, IoSlice, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No answer takes longer than this unless something is broken.
const PATIENCE: Duration = Duration::from_mins(1);
const BUFFER_BYTES: usize = 256 * 1024;

/// A connection to a registry.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

/// What is asked for.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    /// `Content-Range` of a chunk.
    pub(crate) range: Option<(usize, usize)>,
    pub(crate) body: &'a [u8],
}

/// The answer, whose body was read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Path and query of `Location`.
    pub(crate) location: Option<String>,
    pub(crate) body_bytes: usize,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            host: address.to_owned(),
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Sends a request and reads the answer. The body goes to `each`, piece by piece.
    pub(crate) fn send(
        &mut self,
        request: &Request,
        mut each: impl FnMut(&[u8]),
    ) -> Result<Answer> {
        self.write(request)?;
        let (head_bytes, filled) = self.read_head()?;
        let head = std::str::from_utf8(&self.buffer[..head_bytes]).map_err(Error::other)?;
        let (mut answer, length) = parse(head)?;
        let mut piece = head_bytes..filled;
        loop {
            answer.body_bytes += piece.len();
            each(&self.buffer[piece]);
            if answer.body_bytes >= length {
                break;
            }
            let room = self.buffer.len().min(length - answer.body_bytes);
            let read = self.stream.read(&mut self.buffer[..room])?;
            if read == 0 {
                return Err(Error::other(format!(
                    "the body ended after {} bytes of {length}",
                    answer.body_bytes
                )));
            }
            piece = 0..read;
        }
        if answer.body_bytes > length {
            return Err(Error::other(format!(
                "{} bytes came, and {length} were announced",
                answer.body_bytes
            )));
        }
        Ok(answer)
    }

    /// Sends a request that has to be answered with `status`.
    pub(crate) fn expect(&mut self, request: &Request, status: u16) -> Result<Answer> {
        let answer = self.send(request, |_| {})?;
        if answer.status == status {
            return Ok(answer);
        }
        let Request { method, target, .. } = request;
        Err(Error::other(format!(
            "{method} {}{target}: {} instead of {status}",
            self.host, answer.status
        )))
    }

    fn write(&mut self, request: &Request) -> Result<()> {
        let Request {
            method,
            target,
            range,
            body,
        } = request;
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.host);
        if *method != "GET" {
            let _ = write!(
                head,
                "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        if let Some((first, last)) = range {
            let _ = write!(head, "Content-Range: {first}-{last}\r\n");
        }
        head.push_str("\r\n");
        let (mut head, mut body) = (head.as_bytes(), *body);
        while !head.is_empty() || !body.is_empty() {
            let written = self
                .stream
                .write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
            let of_head = written.min(head.len());
            head = &head[of_head..];
            body = &body[written - of_head..];
        }
        Ok(())
    }

    /// Reads until the head is complete: where it ends, and how much of the buffer is filled.
    fn read_head(&mut self) -> Result<(usize, usize)> {
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err(Error::other(
                    "the connection was closed before an answer came",
                ));
            }
            let seen = filled.saturating_sub(3);
            filled += read;
            if let Some(end) = self.buffer[seen..filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                return Ok((seen + end + 4, filled));
            }
        }
    }
}

/// Status, location and length of the body. An answer without length has no body: chunked answers are not understood.
fn parse(head: &str) -> Result<(Answer, usize)> {
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| Error::other("not an HTTP answer"))?;
    let mut answer = Answer {
        status,
        location: None,
        body_bytes: 0,
    };
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(Error::other)?;
        } else if name.eq_ignore_ascii_case("location") {
            let path = value
                .split_once("://")
                .and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
            answer.location = Some(path.unwrap_or(value).to_owned());
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Error::other("an answer in chunks"));
        }
    }
    Ok((answer, length))
}
