//! A process in a container as the caller's own: its files, its terminal, its signals.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal as Known};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{self, SetArg, Termios};
use sampan_container::Signal;

use crate::failure::{Failure, OrFail as _};

/// The process's ends of its files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
    pub(crate) terminal: Option<OwnedFd>,
}

/// What is done about the process when something happens here.
pub(crate) trait Target {
    /// A signal came that is meant for the process.
    fn signal(&self, signal: Signal);
    /// The terminal has this size now.
    fn resize(&self, rows: u16, columns: u16);
}

/// How a conversation with a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The process has closed its outputs.
    Closed,
    /// Nobody reads any more what it says.
    Unread,
}

/// The caller's terminal and signals, taken over for a process until this is dropped.
pub(crate) struct Session {
    signals: SignalFd,
    /// The settings to put back.
    cooked: Option<Termios>,
}

impl Session {
    /// Takes signals over, and with `terminal` the terminal on standard input.
    pub(crate) fn begin(terminal: bool) -> Result<Self, Failure> {
        let mut mask = SigSet::empty();
        for signal in FORWARDED {
            mask.add(signal);
        }
        mask.add(Known::SIGWINCH);
        mask.thread_block().or_fail("cannot take signals over")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&mask, flags).or_fail("cannot take signals over")?;
        let mut session = Self {
            signals,
            cooked: None,
        };
        if terminal && io::stdin().is_terminal() {
            let cooked = termios::tcgetattr(io::stdin()).or_fail("cannot use the terminal")?;
            let mut raw = cooked.clone();
            termios::cfmakeraw(&mut raw);
            termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)
                .or_fail("cannot use the terminal")?;
            session.cooked = Some(cooked);
        }
        Ok(session)
    }

    /// Copies until the process has closed its outputs, or the caller's are closed.
    pub(crate) fn run(&self, files: Files, target: &dyn Target) -> Result<Ending, Failure> {
        if self.cooked.is_some() {
            resize(target);
        }
        let copy = |file: &OwnedFd| file.try_clone().or_fail("cannot copy a file descriptor");
        let input = match &files.terminal {
            Some(terminal) => Some(copy(terminal)?),
            None => files.stdin,
        };
        if let Some(input) = input {
            copy_input(input)?;
        }
        let mut outputs = [
            files.terminal.or(files.stdout).map(File::from),
            files.stderr.map(File::from),
        ];
        while outputs.iter().any(Option::is_some) {
            let (signalled, ready) = self.wait(&outputs)?;
            if signalled {
                self.forward(target)?;
            }
            for (number, ready) in ready.into_iter().enumerate() {
                if ready && let Some(file) = &mut outputs[number] {
                    let mut own: Box<dyn io::Write> = if number == 0 {
                        Box::new(io::stdout())
                    } else {
                        Box::new(io::stderr())
                    };
                    match copy_output(file, &mut own)? {
                        Copied::Some => {}
                        Copied::End => outputs[number] = None,
                        Copied::Unread => return Ok(Ending::Unread),
                    }
                }
            }
        }
        Ok(Ending::Closed)
    }

    /// Waits for a signal or an output.
    fn wait(&self, outputs: &[Option<File>; 2]) -> Result<(bool, [bool; 2]), Failure> {
        let mut places = Vec::new();
        let mut files = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        for (number, output) in outputs.iter().enumerate() {
            if let Some(output) = output {
                places.push(number);
                files.push(PollFd::new(output.as_fd(), PollFlags::POLLIN));
            }
        }
        match poll(&mut files, PollTimeout::NONE) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error).or_fail("cannot wait for the process"),
        }
        let mut ready = [false; 2];
        for (place, file) in places.into_iter().zip(&files[1..]) {
            ready[place] = file.any().unwrap_or(false);
        }
        Ok((files[0].any().unwrap_or(false), ready))
    }

    fn forward(&self, target: &dyn Target) -> Result<(), Failure> {
        while let Some(received) = self.signals.read_signal().or_fail("cannot read signals")? {
            let number = i32::try_from(received.ssi_signo).unwrap_or_default();
            if number == Known::SIGWINCH as i32 {
                resize(target);
            } else if let Some(signal) = Signal::from_number(number) {
                target.signal(signal);
            }
        }
        Ok(())
    }
}

/// The signals that people and init systems send to programs.
const FORWARDED: [Known; 7] = [
    Known::SIGHUP,
    Known::SIGINT,
    Known::SIGQUIT,
    Known::SIGTERM,
    Known::SIGUSR1,
    Known::SIGUSR2,
    Known::SIGCONT,
];

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(cooked) = &self.cooked
            && let Err(error) = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, cooked)
        {
            tracing::warn!(%error, "cannot restore the terminal; `reset` does");
        }
    }
}

/// The size of the caller's terminal.
pub(crate) fn size() -> Option<(u16, u16)> {
    console::Term::stdout()
        .size_checked()
        .or_else(|| console::Term::stderr().size_checked())
}

fn resize(target: &dyn Target) {
    if let Some((rows, columns)) = size() {
        target.resize(rows, columns);
    }
}

/// Copies standard input on a thread that is not waited for: there may never be any more.
fn copy_input(to: OwnedFd) -> Result<(), Failure> {
    let copy = move || {
        let mut to = File::from(to);
        // The process may end while there is more to say to it; that is no error of anybody.
        drop(io::copy(&mut io::stdin().lock(), &mut to));
    };
    std::thread::Builder::new()
        .name("input".to_owned())
        .spawn(copy)
        .map(drop)
        .or_fail("cannot read standard input")
}

enum Copied {
    Some,
    End,
    Unread,
}

/// Copies what is there.
fn copy_output(from: &mut File, to: &mut dyn io::Write) -> Result<Copied, Failure> {
    let mut chunk = [0; 16 * 1024];
    let length = match from.read(&mut chunk) {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Copied::Some),
        // A terminal whose last process has ended answers with an error.
        Err(error) if error.raw_os_error() == Some(nix::libc::EIO) => 0,
        Err(error) => return Err(error).or_fail("cannot read the process's output"),
    };
    match to.write_all(&chunk[..length]).and_then(|()| to.flush()) {
        Ok(()) if length > 0 => Ok(Copied::Some),
        Ok(()) => Ok(Copied::End),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Copied::Unread),
        Err(error) => Err(error).or_fail("cannot write the process's output"),
    }
}
