//! Reads the log of a container: what its first process said, in the CRI's format.
//!
//! A line is `TIME STREAM TAG TEXT`; the tag `P` marks a part of a line that is continued by the next one of the
//! same stream, `F` a full line or its last part.

mod line;
mod tail;
mod watch;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use line::{LogLine, LogStream};
use watch::Watch;

use crate::{Error, Result};

/// Which part of a log is wanted.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// Only this many of the last lines that are there; all when absent.
    pub tail: Option<usize>,
    /// Only lines from this time on.
    pub since: Option<Timestamp>,
    /// Whether to go on with lines as they come, until the container ends.
    pub follow: bool,
}

/// Reads a log.
///
/// As an iterator it blocks for new lines when following. Asynchronous callers wait for
/// [`LogReader::readiness`] and then take lines with [`LogReader::next_line`] until there are none.
#[derive(Debug)]
pub struct LogReader {
    path: PathBuf,
    since: Option<Timestamp>,
    /// Files that come after the current one.
    later: Vec<BufReader<File>>,
    current: Option<BufReader<File>>,
    /// A line whose end has not been written yet.
    begun: Vec<u8>,
    watch: Option<Watch>,
    complete: bool,
}

impl LogReader {
    /// Opens a container's log, as [`crate::Runtime::log_path`] gives it. A container that has said nothing has
    /// an empty log.
    ///
    /// # Errors
    /// When the container does not exist or its log cannot be read.
    pub fn open(path: &Path, options: &LogOptions) -> Result<Self> {
        let folder = path.parent().unwrap_or(path);
        // Watching begins before the first line is read, so that none is missed.
        let watch = if options.follow {
            Watch::open(folder)?
        } else {
            None
        };
        let mut files = Vec::new();
        for path in [path.with_extension("1"), path.to_owned()] {
            match File::open(&path) {
                Ok(file) => files.push(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound && folder.exists() => {}
                Err(error) => return Err(Error::io("open", path)(error)),
            }
        }
        if let Some(lines) = options.tail {
            seek_to_tail(&mut files, lines).map_err(Error::io("read", path))?;
        }
        let mut later: Vec<BufReader<File>> = files.into_iter().rev().map(BufReader::new).collect();
        let current = later.pop();
        Ok(Self {
            path: path.to_owned(),
            since: options.since,
            later,
            current,
            begun: Vec::new(),
            watch,
            complete: false,
        })
    }

    /// The next line; none when there is none at the moment, or any more.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn next_line(&mut self) -> Result<Option<LogLine>> {
        let line = self.read_line().map_err(Error::io("read", &self.path))?;
        if line.is_none() && !self.complete {
            match &mut self.watch {
                None => self.complete = true,
                Some(watch) => {
                    if watch.is_over()? {
                        // What was written before the end was written may have come since.
                        self.watch = None;
                        return self.next_line();
                    }
                }
            }
        }
        Ok(line)
    }

    /// Whether no line will come any more.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// A file that is readable when there may be new lines or the container has ended; none when nothing is
    /// waited for, because the log is complete or not followed.
    #[must_use]
    pub fn readiness(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(AsFd::as_fd)
    }

    fn read_line(&mut self) -> io::Result<Option<LogLine>> {
        loop {
            if self.current.is_none() {
                self.current = self.later.pop();
            }
            let Some(file) = &mut self.current else {
                match File::open(&self.path) {
                    Ok(file) if self.watch.is_some() => self.current = Some(BufReader::new(file)),
                    _ => return Ok(None),
                }
                continue;
            };
            if file.read_until(b'\n', &mut self.begun)? == 0 || !self.begun.ends_with(b"\n") {
                if !self.later.is_empty() {
                    self.current = self.later.pop();
                } else if is_rotated(file.get_ref(), &self.path)? {
                    // The writer has left this file before the new one appeared: it is complete.
                    if file.fill_buf()?.is_empty() {
                        self.current = Some(BufReader::new(File::open(&self.path)?));
                    }
                } else {
                    return Ok(None);
                }
                continue;
            }
            let parsed = LogLine::parse(&self.begun[..self.begun.len() - 1]);
            self.begun.clear();
            // A line that was cut short by a full disk is left out.
            let wanted = |line: &LogLine| self.since.is_none_or(|since| line.time >= since);
            if let Some(line) = parsed.filter(wanted) {
                return Ok(Some(line));
            }
        }
    }
}

impl Iterator for LogReader {
    type Item = Result<LogLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_line() {
                Ok(Some(line)) => return Some(Ok(line)),
                Ok(None) if self.complete => return None,
                Ok(None) => {
                    if let Some(watch) = &self.watch
                        && let Err(error) = watch.wait()
                    {
                        return Some(Err(error));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Whether another file has taken the place of this one.
fn is_rotated(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(found.ino() != file.metadata()?.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves the older and the newer file to where the last lines begin.
fn seek_to_tail(files: &mut [File], lines: usize) -> io::Result<()> {
    let mut missing = lines;
    for file in files.iter_mut().rev() {
        let (start, found) = tail::start_of(file, missing)?;
        file.seek(SeekFrom::Start(start))?;
        missing -= found;
    }
    Ok(())
}
