//! Connections to processes: commands in running containers, and attachments to first processes.

use std::os::fd::{BorrowedFd, OwnedFd};

use crate::{Error, Exit, Result, Signal, User};

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
}

impl Exec {
    /// Waits until the command has ended.
    ///
    /// # Errors
    /// When the supervisor of the container is gone.
    pub async fn wait(&mut self) -> Result<Exit> {
        Err(Error::NoAnswer(String::new()))
    }

    /// Waits until the command has ended, blocking the thread.
    ///
    /// # Errors
    /// When the supervisor of the container is gone.
    pub fn wait_blocking(&mut self) -> Result<Exit> {
        Err(Error::NoAnswer(String::new()))
    }

    /// Tells the terminal its size.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn resize(&self, _rows: u16, _columns: u16) -> Result<()> {
        Err(Error::NoAnswer(String::new()))
    }

    /// Sends a signal to the command.
    ///
    /// # Errors
    /// When the supervisor of the container is gone.
    pub fn kill(&self, _signal: Signal) -> Result<()> {
        Err(Error::NoAnswer(String::new()))
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
}

impl Attachment {
    /// Tells the terminal its size.
    ///
    /// # Errors
    /// When there is no terminal or the container has ended.
    pub fn resize(&self, _rows: u16, _columns: u16) -> Result<()> {
        Err(Error::NoAnswer(String::new()))
    }
}
