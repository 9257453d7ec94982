//! The log of a container, as far as it goes or as it comes.

use std::io;
use std::os::fd::OwnedFd;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use k8s_openapi::api::core::v1::Pod;
use sampan_container::logs::{LogLine, LogOptions, LogReader};
use sampan_supervise::clock;
use tokio::io::unix::AsyncFd;

use super::Streams;
use super::fd;
use super::options::LogQuery;
use super::target::Target;
use crate::error::Error;

/// How much is sent at once.
const PIECE_BYTES: usize = 32 * 1024;

/// Answers with the log.
pub(super) fn serve(streams: &Streams, pod: &Pod, query: &str) -> Result<Response, Error> {
    let query = LogQuery::parse(query, clock::now())?;
    let target = Target::find(pod, query.container.as_deref())?;
    let id = if query.previous {
        target.previous()?
    } else {
        target.logged()?
    };
    let options = LogOptions {
        tail: query.tail,
        since: query.since,
        follow: query.follow && !query.previous,
    };
    let path = streams.runtime().log_path(&id);
    let reader = LogReader::open(&path, &options).map_err(|error| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "cannot open a log"
        );
        Error::Internal(error.to_string())
    })?;
    let source = Source {
        reader,
        wake: None,
        timestamps: query.timestamps,
        left: query.limit_bytes.unwrap_or(u64::MAX),
        line_begun: false,
        shutdown: streams.inner.shutdown.clone(),
    };
    let pieces = stream::try_unfold(source, Source::next_piece);
    Response::builder()
        .header(CONTENT_TYPE, "text/plain")
        .body(Body::from_stream(pieces))
        .map_err(|error| Error::Internal(error.to_string()))
}

struct Source {
    reader: LogReader,
    /// Readable when there may be new lines.
    wake: Option<AsyncFd<OwnedFd>>,
    timestamps: bool,
    /// How many bytes may still be sent.
    left: u64,
    /// Whether the last line was only the beginning of one.
    line_begun: bool,
    shutdown: sampan_supervise::Shutdown,
}

impl Source {
    /// The next piece, as soon as there is one; none at the end.
    async fn next_piece(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            if self.left == 0 {
                return Ok(None);
            }
            let piece = self.read_piece()?;
            if !piece.is_empty() {
                return Ok(Some((piece, self)));
            }
            if self.reader.is_complete() || !self.wait().await? {
                return Ok(None);
            }
        }
    }

    fn read_piece(&mut self) -> io::Result<Bytes> {
        let mut piece = Vec::new();
        while piece.len() < PIECE_BYTES {
            match self.reader.next_line().map_err(io::Error::other)? {
                Some(line) => self.write(line, &mut piece),
                None => break,
            }
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        piece.truncate(most);
        self.left -= piece.len() as u64;
        Ok(piece.into())
    }

    fn write(&mut self, line: LogLine, piece: &mut Vec<u8>) {
        if self.timestamps && !self.line_begun {
            piece.extend_from_slice(format!("{:.9} ", line.time).as_bytes());
        }
        self.line_begun = line.partial;
        piece.extend_from_slice(&line.bytes());
    }

    /// Waits for new lines; false when none will come or the server ends.
    async fn wait(&mut self) -> io::Result<bool> {
        if self.wake.is_none() {
            let Some(ready) = self.reader.readiness() else {
                return Ok(false);
            };
            self.wake = Some(fd::register(ready.try_clone_to_owned()?)?);
        }
        let Some(wake) = &self.wake else {
            return Ok(false);
        };
        tokio::select! {
            ready = wake.readable() => {
                // The reader takes what made it readable before it looks for lines.
                ready?.clear_ready();
                Ok(true)
            }
            () = self.shutdown.triggered() => Ok(false),
        }
    }
}
