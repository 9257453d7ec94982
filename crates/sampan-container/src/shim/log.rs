//! Writes the log of a container in the CRI's format, and rotates it.
//!
//! A line is `TIME STREAM TAG TEXT`; the tag is `F` for a full line and `P` for a part of one that is
//! continued: a line longer than [`LINE_LIMIT`], or the end of an output without a newline.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use sampan_supervise::clock;

/// The longest line that is written in one part, as containerd's.
const LINE_LIMIT: usize = 16 * 1024;

/// One of the two outputs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Standard,
    Errors,
}

impl Output {
    pub(super) const BOTH: [Self; 2] = [Self::Standard, Self::Errors];

    fn name(self) -> &'static str {
        match self {
            Self::Standard => "stdout",
            Self::Errors => "stderr",
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Standard => 0,
            Self::Errors => 1,
        }
    }
}

pub(super) struct Log {
    path: PathBuf,
    /// Nothing is kept without one.
    file: Option<File>,
    size: u64,
    limit: Option<u64>,
    /// The beginning of a line whose end has not come yet, for each output.
    begun: [Vec<u8>; 2],
    lines: Vec<u8>,
}

impl Log {
    pub(super) fn open(path: PathBuf, limit: Option<u64>) -> io::Result<Self> {
        let file = append(&path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path,
            file: Some(file),
            size,
            limit,
            begun: Default::default(),
            lines: Vec::new(),
        })
    }

    /// A log of which nothing is kept.
    pub(super) fn none() -> Self {
        Self {
            path: PathBuf::new(),
            file: None,
            size: 0,
            limit: None,
            begun: Default::default(),
            lines: Vec::new(),
        }
    }

    /// Appends what a process wrote.
    pub(super) fn write(&mut self, output: Output, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        let time = format!("{:.9}", clock::now());
        let mut rest = bytes;
        let mut outcome = Ok(());
        while !rest.is_empty() {
            let begun = &mut self.begun[output.index()];
            let room = LINE_LIMIT - begun.len();
            let end = rest.iter().take(room).position(|byte| *byte == b'\n');
            let (text, full) = match end {
                Some(end) => (&rest[..end], true),
                None if rest.len() < room => {
                    begun.extend_from_slice(rest);
                    break;
                }
                None => (&rest[..room], false),
            };
            rest = &rest[text.len() + usize::from(full)..];
            push_line(&mut self.lines, &time, output, full, &[begun, text]);
            begun.clear();
            // Short lines grow manifold; what is written at once must not outgrow the limit.
            if self.lines.len() >= LINE_LIMIT {
                // What goes wrong here says nothing about what follows.
                outcome = outcome.and(self.flush());
            }
        }
        outcome.and(self.flush())
    }

    /// Writes what is left of a line when its output has ended.
    pub(super) fn end(&mut self, output: Output) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun[output.index()]);
        if !begun.is_empty() {
            let time = format!("{:.9}", clock::now());
            push_line(&mut self.lines, &time, output, false, &[&begun]);
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let length = self.lines.len() as u64;
        let full = |limit| self.size > 0 && self.size + length > limit;
        let rotated = if self.limit.is_some_and(full) {
            self.rotate()
        } else {
            Ok(())
        };
        let written = match &mut self.file {
            Some(file) => file.write_all(&self.lines),
            None => Ok(()),
        };
        self.lines.clear();
        self.size += length;
        written.and(rotated)
    }

    /// Puts a new file in the place of the log. When that fails the old one is written on to, and the next lines
    /// try it again.
    fn rotate(&mut self) -> io::Result<()> {
        let next = self.path.with_extension("next");
        let file = append(&next)?;
        match std::fs::rename(&self.path, self.path.with_extension("1")) {
            // An attempt before this one ended in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        std::fs::rename(&next, &self.path)?;
        self.file = Some(file);
        self.size = 0;
        Ok(())
    }
}

fn push_line(lines: &mut Vec<u8>, time: &str, output: Output, full: bool, parts: &[&[u8]]) {
    lines.extend_from_slice(time.as_bytes());
    lines.push(b' ');
    lines.extend_from_slice(output.name().as_bytes());
    lines.extend_from_slice(if full { b" F " } else { b" P " });
    for part in parts {
        lines.extend_from_slice(part);
    }
    lines.push(b'\n');
}

fn append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
