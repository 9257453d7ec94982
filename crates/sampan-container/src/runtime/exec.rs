//! Connections to processes: commands in running containers, and attachments to first processes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::pipe;
use crate::connection::{Connection, Reply, Request};
use crate::terminal::Size;
use crate::{ContainerId, Error, Exit, Process, Result, Signal, User};

/// A command to run in a container.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ExecSpec {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Added to the environment of the first process, `NAME=VALUE` each.
    pub env: Vec<String>,
    /// The working directory; that of the first process when absent.
    pub cwd: Option<String>,
    /// Whom it runs as; the user of the first process when absent.
    pub user: Option<User>,
    /// Whether it gets a terminal.
    pub terminal: bool,
    /// Whether it gets standard input; otherwise it is `/dev/null`.
    pub stdin: bool,
    /// All capabilities.
    pub privileged: bool,
}

/// The standard files of a command, given by the caller.
#[derive(Debug, Clone, Copy)]
pub struct ExecFiles<'a> {
    /// Standard input.
    pub stdin: BorrowedFd<'a>,
    /// Standard output.
    pub stdout: BorrowedFd<'a>,
    /// Standard error.
    pub stderr: BorrowedFd<'a>,
}

/// A command that runs in a container. Dropping it closes its files and lets it run on.
#[derive(Debug)]
pub struct Exec {
    /// Write its input here; close to end it. Absent without input or with a terminal.
    pub stdin: Option<OwnedFd>,
    /// Read its output here; absent with a terminal.
    pub stdout: Option<OwnedFd>,
    /// Read its errors here; absent with a terminal.
    pub stderr: Option<OwnedFd>,
    /// The controlling side of its terminal, for reading and writing.
    pub terminal: Option<OwnedFd>,
    control: Control,
    size_of: Option<OwnedFd>,
}

impl Exec {
    /// Waits until the command has ended.
    ///
    /// # Errors
    /// When the container ended before the command did.
    pub async fn wait(&mut self) -> Result<Exit> {
        self.control.wait().await
    }

    /// Waits until the command has ended, blocking the thread.
    ///
    /// # Errors
    /// When the container ended before the command did.
    pub fn wait_blocking(&mut self) -> Result<Exit> {
        self.control.wait_blocking()
    }

    /// What becomes readable when the command has ended, for those who wait for several things.
    #[must_use]
    pub fn ending(&self) -> BorrowedFd<'_> {
        self.control.connection.as_fd()
    }

    /// Tells the terminal its size.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        match &self.size_of {
            Some(terminal) => Size::new(rows, columns)
                .set(terminal)
                .map_err(Error::system("resize the terminal")),
            None => Err(Error::Exec("the command has no terminal".to_owned())),
        }
    }

    /// Sends a signal to the command; [`Signal::KILL`] also to what it has started, as far as that is in its process group.
    ///
    /// # Errors
    /// When the container has ended.
    pub fn kill(&self, signal: Signal) -> Result<()> {
        let number = u8::try_from(signal.number()).unwrap_or_default();
        self.control.tell(Request::ExecKill, &[number])
    }
}

/// A connection to the first process of a container. Dropping it detaches.
#[derive(Debug)]
pub struct Attachment {
    /// Write its input here; absent when it has none, or with a terminal.
    pub stdin: Option<OwnedFd>,
    /// Read its output here; absent with a terminal.
    pub stdout: Option<OwnedFd>,
    /// Read its errors here; absent with a terminal.
    pub stderr: Option<OwnedFd>,
    /// The controlling side of its terminal, for reading and writing.
    pub terminal: Option<OwnedFd>,
    control: Control,
}

impl Attachment {
    /// Tells the terminal its size; without a terminal nothing happens.
    ///
    /// # Errors
    /// When the container has ended.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        self.control
            .tell(Request::Resize, &Size::new(rows, columns).to_bytes())
    }

    /// Waits until the container has ended and all of its output was taken.
    ///
    /// # Errors
    /// When the supervisor was killed.
    pub async fn wait(&mut self) -> Result<Exit> {
        self.control.wait().await
    }

    /// Waits until the container has ended and all of its output was taken, blocking the thread.
    ///
    /// # Errors
    /// When the supervisor was killed.
    pub fn wait_blocking(&mut self) -> Result<Exit> {
        self.control.wait_blocking()
    }
}

/// The connection to the shim, and what it has said last.
#[derive(Debug)]
struct Control {
    connection: Connection,
    id: String,
    exit: Option<Exit>,
}

impl Control {
    fn new(connection: Connection, id: &ContainerId) -> Self {
        Self {
            connection,
            id: id.short().to_owned(),
            exit: None,
        }
    }

    async fn wait(&mut self) -> Result<Exit> {
        if self.exit.is_none() {
            self.exit = receive_exit_async(&self.connection).await?;
        }
        self.exit
            .clone()
            .ok_or_else(|| Error::NoAnswer(self.id.clone()))
    }

    fn wait_blocking(&mut self) -> Result<Exit> {
        if self.exit.is_none() {
            self.exit = receive_exit(&self.connection)?;
        }
        self.exit
            .clone()
            .ok_or_else(|| Error::NoAnswer(self.id.clone()))
    }

    fn tell(&self, request: Request, payload: &[u8]) -> Result<()> {
        self.connection
            .request(request, payload, &[])
            .map_err(|_| Error::NotRunning(self.id.clone()))
    }
}

/// Starts a command over a new connection.
pub(super) fn begin(
    connection: Connection,
    id: &ContainerId,
    spec: &ExecSpec,
    files: &[BorrowedFd<'_>],
) -> Result<Exec> {
    let payload = serde_json::to_vec(spec).map_err(|error| Error::Exec(error.to_string()))?;
    let mut answer = ask(&connection, id, Request::Exec, &payload, files)?;
    let terminal = answer.pop();
    let size_of = terminal
        .as_ref()
        .map(OwnedFd::try_clone)
        .transpose()
        .map_err(Error::system("copy a file descriptor"))?;
    let control = Control::new(connection, id);
    Ok(Exec {
        stdin: None,
        stdout: None,
        stderr: None,
        terminal,
        control,
        size_of,
    })
}

/// Attaches over a new connection.
pub(super) fn attach(
    connection: Connection,
    id: &ContainerId,
    process: &Process,
) -> Result<Attachment> {
    let control = |connection| Control::new(connection, id);
    if process.terminal {
        let (own, theirs) = socket_pair()?;
        ask(&connection, id, Request::Attach, &[], &[theirs.as_fd()])?;
        let terminal = Some(own);
        let control = control(connection);
        return Ok(Attachment {
            stdin: None,
            stdout: None,
            stderr: None,
            terminal,
            control,
        });
    }
    let (their_input, input) = pipe()?;
    let (output, their_output) = pipe()?;
    let (errors, their_errors) = pipe()?;
    let files = [
        their_input.as_fd(),
        their_output.as_fd(),
        their_errors.as_fd(),
    ];
    ask(&connection, id, Request::Attach, &[], &files)?;
    Ok(Attachment {
        stdin: process.stdin.then_some(input),
        stdout: Some(output),
        stderr: Some(errors),
        terminal: None,
        control: control(connection),
    })
}

/// Sends a request and waits for the reply; gives the files that came with it.
fn ask(
    connection: &Connection,
    id: &ContainerId,
    request: Request,
    payload: &[u8],
    files: &[BorrowedFd<'_>],
) -> Result<Vec<OwnedFd>> {
    let answer = connection
        .request(request, payload, files)
        .and_then(|()| connection.receive_value::<Reply>())
        .map_err(Error::system("ask the supervisor"))?;
    let (reply, files) = answer.ok_or_else(|| Error::NotRunning(id.short().to_owned()))?;
    reply.into_result(id.short(), Error::Exec)?;
    Ok(files)
}

/// Both ends of a stream, of which each can be written and read.
fn socket_pair() -> Result<(OwnedFd, OwnedFd)> {
    nix::sys::socket::socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .map_err(Error::system("make a socket"))
}

/// Waits for the message that says how something ended; none when the shim is gone.
pub(super) fn receive_exit(connection: &Connection) -> Result<Option<Exit>> {
    let received = connection
        .receive_value()
        .map_err(Error::system("wait for the supervisor"))?;
    Ok(received.map(|(exit, _)| exit))
}

/// As [`receive_exit`], without blocking the thread.
pub(super) async fn receive_exit_async(connection: &Connection) -> Result<Option<Exit>> {
    let waiting = register(connection.as_fd())?;
    // Nobody else reads here, so what made it readable is still there.
    let _readable = waiting
        .readable()
        .await
        .map_err(Error::system("wait for the supervisor"))?;
    receive_exit(connection)
}

#[expect(
    unsafe_code,
    reason = "registering a borrowed file with the reactor is unsafe in tokio"
)]
fn register(file: BorrowedFd<'_>) -> Result<AsyncFd<BorrowedFd<'_>>> {
    // SAFETY: the borrow keeps the file open, and the same, for as long as the registration lives.
    unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) }
        .map_err(|error| Error::system("wait for the supervisor")(std::io::Error::from(error)))
}
