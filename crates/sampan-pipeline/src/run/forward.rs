//! Reads the outputs of a process until they end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How long output is awaited after the process has ended: what it left in the background may hold the other end.
const DRAIN: Duration = Duration::from_millis(500);

/// How long its output is taken then, however much comes.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// There is no more to come.
    Ended,
    /// The time is over.
    Late,
}

/// The outputs of a process.
#[derive(Debug)]
pub(super) struct Outputs {
    files: [Option<File>; 2],
    chunk: Vec<u8>,
}

impl Outputs {
    pub(super) fn new(output: Option<OwnedFd>, errors: Option<OwnedFd>) -> Self {
        Self {
            files: [output.map(File::from), errors.map(File::from)],
            chunk: vec![0; CHUNK_BYTES],
        }
    }

    /// Passes on what comes until both outputs have ended, or the process has (when `ending` is readable) and nothing
    /// more comes soon, or the time is over.
    pub(super) fn forward(
        &mut self,
        ending: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
        take: &mut dyn FnMut(usize, &[u8]),
    ) -> io::Result<Stopped> {
        // Until when output is taken of what the process has left behind.
        let mut drained: Option<Instant> = None;
        while self.files.iter().any(Option::is_some) {
            let until = drained.or(deadline);
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(match drained {
                    Some(_) => Stopped::Ended,
                    None => Stopped::Late,
                });
            }
            let wait = match drained {
                Some(_) => left.map(|left| left.min(DRAIN)),
                None => left,
            };
            let (ready, has_ended) = self.wait(ending.filter(|_| drained.is_none()), wait)?;
            if drained.is_some() && ready == [false, false] {
                break;
            }
            if has_ended {
                drained = Some(Instant::now() + DRAIN_LIMIT);
            }
            for (output, ready) in ready.into_iter().enumerate() {
                if ready {
                    self.read(output, take)?;
                }
            }
        }
        Ok(Stopped::Ended)
    }

    fn wait(
        &self,
        ending: Option<BorrowedFd<'_>>,
        limit: Option<Duration>,
    ) -> io::Result<([bool; 2], bool)> {
        let mut places = Vec::with_capacity(3);
        let mut files = Vec::with_capacity(3);
        for (output, file) in self.files.iter().enumerate() {
            if let Some(file) = file {
                places.push(output);
                files.push(PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN));
            }
        }
        if let Some(ending) = ending {
            places.push(2);
            files.push(PollFd::from_borrowed_fd(ending, PollFlags::IN));
        }
        let limit = limit.map(|limit| Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        });
        match poll(&mut files, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = [false; 3];
        for (place, file) in places.into_iter().zip(&files) {
            ready[place] = !file.revents().is_empty();
        }
        Ok(([ready[0], ready[1]], ready[2]))
    }

    fn read(&mut self, output: usize, take: &mut dyn FnMut(usize, &[u8])) -> io::Result<()> {
        let Some(file) = &mut self.files[output] else {
            return Ok(());
        };
        match file.read(&mut self.chunk) {
            Ok(0) => self.files[output] = None,
            Ok(length) => take(output, &self.chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
