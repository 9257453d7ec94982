//! One line of a log.

use jiff::Timestamp;

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of a log, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub time: Timestamp,
    /// Where it was written to.
    pub stream: LogStream,
    /// Whether the line goes on with the next one of the same stream.
    pub partial: bool,
    /// The text, without a newline.
    pub text: Vec<u8>,
}

impl LogLine {
    /// The bytes that the process wrote: the text, and a newline where the line ends.
    #[must_use]
    pub fn bytes(mut self) -> Vec<u8> {
        if !self.partial {
            self.text.push(b'\n');
        }
        self.text
    }

    /// Reads a line of the file, without its newline.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.splitn(4, |byte| *byte == b' ');
        let time = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let stream = match fields.next()? {
            b"stdout" => LogStream::Stdout,
            b"stderr" => LogStream::Stderr,
            _ => return None,
        };
        let partial = match fields.next()? {
            b"F" => false,
            b"P" => true,
            _ => return None,
        };
        Some(Self {
            time,
            stream,
            partial,
            text: fields.next()?.to_vec(),
        })
    }
}
