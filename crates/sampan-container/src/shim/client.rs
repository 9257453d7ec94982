//! Those who have asked something of the supervisor and are connected still.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::Pid;
use sampan_supervise::clock;

use crate::Exit;
use crate::connection::{Connection, Reply};

/// A connection and what it is for.
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) role: Role,
    /// False once there is nothing more to say to each other.
    pub(super) open: bool,
}

impl Client {
    pub(super) fn attached(&self) -> Option<&Attached> {
        match &self.role {
            Role::Attached(attached) => Some(attached),
            _ => None,
        }
    }

    pub(super) fn reply(&mut self, reply: &Reply) {
        if self.connection.send(reply, &[]).is_err() {
            self.open = false;
        }
    }

    pub(super) fn send_exit(&mut self, exit: &Exit) {
        if self.connection.send(exit, &[]).is_err() {
            self.open = false;
        }
    }

    /// Tells how the client's command ended.
    pub(super) fn tell_end(&mut self, code: i32, signal: Option<i32>) {
        let finished_at = clock::now();
        self.send_exit(&Exit {
            code,
            signal,
            oom_killed: false,
            finished_at,
            reason: None,
        });
        self.open = false;
    }
}

pub(super) enum Role {
    /// Nothing has been asked yet, or all is answered.
    Idle,
    /// Wants to know how the container ended.
    Waiting,
    /// Reads and writes the first process's files.
    Attached(Attached),
    /// A command is being started; the child answers here.
    Starting(Connection),
    /// A command runs.
    Running(Pid),
}

/// The files of an attachment.
pub(super) struct Attached {
    pub(super) input: Option<OwnedFd>,
    pub(super) outputs: [Sink; 2],
}

impl Attached {
    /// Takes the files as the client sends them: a terminal's one, or input, output and errors.
    pub(super) fn new(mut files: Vec<OwnedFd>, terminal: bool) -> io::Result<Self> {
        let mut next = || (!files.is_empty()).then(|| files.remove(0));
        let (input, output, errors) = if terminal {
            let both = next();
            let copy = both.as_ref().map(OwnedFd::try_clone).transpose()?;
            (both, copy, None)
        } else {
            (next(), next(), next())
        };
        Ok(Self {
            input,
            outputs: [Sink::new(output)?, Sink::new(errors)?],
        })
    }

    pub(super) fn has_pending(&self) -> bool {
        self.outputs.iter().any(Sink::is_pending)
    }
}

/// Where bytes go that its reader may take slowly.
pub(super) struct Sink {
    file: Option<OwnedFd>,
    pending: Vec<u8>,
}

impl Sink {
    pub(super) fn new(file: Option<OwnedFd>) -> io::Result<Self> {
        if let Some(file) = &file {
            fcntl(file, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK))?;
        }
        Ok(Self {
            file,
            pending: Vec::new(),
        })
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The file to wait for while something is pending.
    pub(super) fn wanted(&self) -> Option<BorrowedFd<'_>> {
        self.file
            .as_ref()
            .filter(|_| self.is_pending())
            .map(AsFd::as_fd)
    }

    /// The file, for other uses.
    pub(super) fn file(&self) -> Option<&OwnedFd> {
        self.file.as_ref()
    }

    /// Writes bytes after those that are pending.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.file.is_some() {
            self.pending.extend_from_slice(bytes);
            self.flush();
        }
    }

    /// Writes as much as the reader takes. A reader that is gone closes the sink.
    pub(super) fn flush(&mut self) {
        while let Some(file) = &self.file
            && !self.pending.is_empty()
        {
            match nix::unistd::write(file, &self.pending) {
                Ok(length) => {
                    self.pending.drain(..length);
                }
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => return,
                Err(_) => self.close(),
            }
        }
        // An idle supervisor keeps no memory for what was written once.
        self.pending = Vec::new();
    }

    pub(super) fn close(&mut self) {
        self.file = None;
        self.pending = Vec::new();
    }
}
