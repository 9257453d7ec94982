//! The supervisor process of one container: `sampan shim DIRECTORY [OPTION…]`.
//!
//! Standard input is the container's locked lock file, standard output a pipe on which one [`Reply`] tells the
//! creator how creation went. The process that was executed forks and ends, so that the supervisor is nobody's
//! child; it is single-threaded throughout, which makes forking safe. Whatever needs memory (libcontainer,
//! JSON, networks) is done by children that end soon: the supervisor itself stays small, because there is one
//! for every container.

mod client;
mod command;
mod creation;
mod ending;
mod log;
mod supervisor;
mod terminal;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use nix::unistd::ForkResult;

use crate::connection::{Connection, Listener, Reply};
use crate::directory::Directory;
use crate::executor::{fork, leave};
use crate::open_files;
pub(crate) use ending::clear;
use log::Log;
use supervisor::Supervisor;

/// What the supervisor needs to know of the container, so that it need not read its description.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches, each an argument"
)]
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) terminal: bool,
    pub(crate) stdin: bool,
    pub(crate) stdin_once: bool,
    pub(crate) unlogged: bool,
    pub(crate) log_limit_bytes: Option<u64>,
    /// The soft limit of open files, when the creator has another.
    pub(crate) open_files: Option<u64>,
}

impl Options {
    /// The options as arguments.
    pub(crate) fn to_arguments(&self) -> Vec<String> {
        let switches = [
            (self.terminal, "terminal"),
            (self.stdin, "stdin"),
            (self.stdin_once, "stdin-once"),
            (self.unlogged, "unlogged"),
        ];
        let mut arguments: Vec<String> = switches
            .into_iter()
            .filter(|(given, _)| *given)
            .map(|(_, name)| name.to_owned())
            .collect();
        arguments.extend(
            self.log_limit_bytes
                .map(|limit| format!("log-limit={limit}")),
        );
        arguments.extend(self.open_files.map(|limit| format!("open-files={limit}")));
        arguments
    }

    fn parse(arguments: &[OsString]) -> Option<Self> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.to_str()? {
                "terminal" => options.terminal = true,
                "stdin" => options.stdin = true,
                "stdin-once" => options.stdin_once = true,
                "unlogged" => options.unlogged = true,
                other => match other.split_once('=')? {
                    ("log-limit", limit) => options.log_limit_bytes = Some(limit.parse().ok()?),
                    ("open-files", limit) => options.open_files = Some(limit.parse().ok()?),
                    _ => return None,
                },
            }
        }
        Some(options)
    }
}

/// Runs the supervisor; `arguments` are those after `shim`.
///
/// It must be called before the process has started any thread.
#[must_use]
pub fn main(arguments: &[OsString]) -> ExitCode {
    let parsed = arguments
        .split_first()
        .and_then(|(directory, rest)| Some((PathBuf::from(directory), Options::parse(rest)?)));
    let Some((directory, options)) = parsed else {
        return ExitCode::from(2);
    };
    match start(&directory, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&Reply::Failed(format!(
                "cannot start the supervisor: {error}"
            )));
            ExitCode::FAILURE
        }
    }
}

/// Forks the supervisor.
fn start(directory: &PathBuf, options: &Options) -> io::Result<()> {
    std::env::set_current_dir(directory)?;
    if let Some(limit) = options.open_files {
        open_files::limit(limit)?;
    }
    match fork()? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => {
            let code = match supervise(&Directory::at(directory), options) {
                Ok(()) => 0,
                Err(error) => {
                    report(&Reply::Failed(format!("the supervisor failed: {error}")));
                    1
                }
            };
            leave(code)
        }
    }
}

/// The life of the supervisor.
fn supervise(directory: &Directory, options: &Options) -> io::Result<()> {
    nix::unistd::setsid()?;
    nix::sys::prctl::set_child_subreaper(true)?;
    nix::sys::prctl::set_name(c"sampan-shim")?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let lock = detach_standard_files()?;
    let signals = supervisor::block_signals()?;
    let (io, inner) = Stdio::open(options)?;
    let (own, childs) = Connection::pair()?;
    if let ForkResult::Child = fork()? {
        drop((lock, own, io, signals));
        creation::run(directory, inner, &childs);
        leave(0)
    }
    drop((childs, inner));
    let ready = match creation::answer(&own)? {
        Ok(ready) => ready,
        Err(reply) => {
            ending::clear(directory);
            report(&reply);
            return Ok(());
        }
    };
    let listener = Listener::bind_here()?;
    let log = if options.unlogged {
        Log::none()
    } else {
        Log::open("log".into(), options.log_limit_bytes)?
    };
    let mut supervisor = Supervisor::new(directory.clone(), ready, io, listener, signals, log)?;
    supervisor.stdin_once = options.stdin_once;
    report(&Reply::Done);
    close_report()?;
    supervisor.run(own)?;
    drop(lock);
    Ok(())
}

/// The supervisor's ends of the first process's files; with a terminal there are none.
#[derive(Default)]
struct Stdio {
    input: Option<OwnedFd>,
    output: Option<OwnedFd>,
    errors: Option<OwnedFd>,
}

impl Stdio {
    /// Pipes: first the supervisor's ends, then the first process's.
    fn open(options: &Options) -> io::Result<(Self, Self)> {
        if options.terminal {
            return Ok((Self::default(), Self::default()));
        }
        let pipe = || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC);
        let (input, their_input) = if options.stdin {
            let (read, write) = pipe()?;
            (Some(write), read)
        } else {
            (None, File::open("/dev/null")?.into())
        };
        let (output, their_output) = pipe()?;
        let (errors, their_errors) = pipe()?;
        let own = Self {
            input,
            output: Some(output),
            errors: Some(errors),
        };
        let theirs = Self {
            input: Some(their_input),
            output: Some(their_output),
            errors: Some(their_errors),
        };
        Ok((own, theirs))
    }
}

/// Takes the lock file from standard input, puts `/dev/null` there, and keeps errors out of the caller's.
fn detach_standard_files() -> io::Result<OwnedFd> {
    let lock = std::io::stdin().as_fd().try_clone_to_owned()?;
    let null = File::open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    Ok(lock)
}

/// Tells the creator; it may be gone.
fn report(reply: &Reply) {
    let text = serde_json::to_vec(reply).unwrap_or_default();
    if let Err(error) = io::stdout()
        .write_all(&text)
        .and_then(|()| io::stdout().flush())
    {
        tracing::debug!(%error, "nobody waits for the container");
    }
}

/// Closes the pipe to the creator, by which it knows that the answer is complete.
fn close_report() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    nix::unistd::dup2_stdout(&null)?;
    Ok(())
}
