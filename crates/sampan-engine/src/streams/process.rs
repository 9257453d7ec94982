//! A process in a container and the client that it is connected with.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sampan_container::{Attachment, ContainerId, Exec, ExecSpec, Exit, Runtime};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::fd::File;
use super::options::RemoteOptions;

/// How much output is read at once.
const PIECE_BYTES: usize = 32 * 1024;
/// How long output may come after the end of a command: what it started may hold it open for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Bytes for standard input.
    Data(Bytes),
    /// Standard input has ended.
    End,
    /// The client's terminal has this size now.
    Resize {
        /// Lines of text.
        rows: u16,
        /// Characters in a line.
        columns: u16,
    },
}

/// What a client gets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// From standard output or the terminal.
    Stdout(Bytes),
    /// From standard error.
    Stderr(Bytes),
    /// How it ended: a `Status`; the last one.
    Status(Value),
}

/// The client's side of a session. The session ends when `input` does.
pub(super) struct Peer {
    pub(super) input: mpsc::Receiver<Input>,
    pub(super) output: mpsc::Sender<Output>,
}

/// A process that is connected.
enum Process {
    Exec(Exec),
    Attachment(Attachment),
}

/// Runs the command, or attaches to the container when there is none, and connects the client until
/// either ends.
pub(super) async fn run(runtime: Runtime, id: ContainerId, options: RemoteOptions, mut peer: Peer) {
    let output = peer.output.clone();
    let status = match start(runtime, id, options.clone()).await {
        Ok(process) => match connect(process, &options, &mut peer).await {
            Ok(Some(exit)) => status_of(&exit),
            // The client has left and wants to know nothing.
            Ok(None) => return,
            Err(error) => failure(&error.to_string()),
        },
        Err(error) => failure(&error.to_string()),
    };
    // A client that has left does not need it.
    drop(output.send(Output::Status(status)).await);
}

async fn start(
    runtime: Runtime,
    id: ContainerId,
    options: RemoteOptions,
) -> Result<Process, Box<dyn std::error::Error + Send + Sync>> {
    let started = tokio::task::spawn_blocking(move || {
        if options.command.is_empty() {
            return runtime.attach(&id).map(Process::Attachment);
        }
        let spec = ExecSpec {
            args: options.command,
            terminal: options.terminal,
            stdin: options.stdin,
            ..ExecSpec::default()
        };
        runtime.exec(&id, &spec).map(Process::Exec)
    });
    Ok(started.await??)
}

/// The files of a process.
struct Files {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
}

impl Process {
    fn take_files(&mut self, options: &RemoteOptions) -> io::Result<Files> {
        let (stdin, stdout, stderr, terminal) = match self {
            Self::Exec(exec) => (
                &mut exec.stdin,
                &mut exec.stdout,
                &mut exec.stderr,
                &mut exec.terminal,
            ),
            Self::Attachment(one) => (
                &mut one.stdin,
                &mut one.stdout,
                &mut one.stderr,
                &mut one.terminal,
            ),
        };
        let open = |fd: Option<OwnedFd>| fd.map(File::new).transpose();
        if let Some(terminal) = open(terminal.take())? {
            let stdin = options.stdin.then(|| terminal.duplicate()).transpose()?;
            return Ok(Files {
                stdin,
                stdout: Some(terminal),
                stderr: None,
            });
        }
        // What the client does not want is read all the same, or the process would stop.
        Ok(Files {
            stdin: open(stdin.take())?.filter(|_| options.stdin),
            stdout: open(stdout.take())?,
            stderr: open(stderr.take())?,
        })
    }

    async fn wait(&mut self) -> io::Result<Exit> {
        match self {
            Self::Exec(exec) => exec.wait().await,
            Self::Attachment(attachment) => attachment.wait().await,
        }
        .map_err(io::Error::other)
    }

    fn resizer(&self) -> impl Fn(u16, u16) + '_ {
        move |rows, columns| {
            let resized = match self {
                Self::Exec(exec) => exec.resize(rows, columns),
                Self::Attachment(attachment) => attachment.resize(rows, columns),
            };
            if let Err(error) = resized {
                tracing::debug!(%error, "cannot resize a terminal");
            }
        }
    }
}

/// Moves bytes until the process has ended (its exit) or the client has left (none).
async fn connect(
    mut process: Process,
    options: &RemoteOptions,
    peer: &mut Peer,
) -> io::Result<Option<Exit>> {
    let files = process.take_files(options)?;
    let wanted = |wanted: bool| wanted.then(|| peer.output.clone());
    let (to_stdout, to_stderr) = (wanted(options.stdout), wanted(options.stderr));
    let outputs = async {
        tokio::join!(
            copy_out(files.stdout, to_stdout, Output::Stdout),
            copy_out(files.stderr, to_stderr, Output::Stderr),
        );
    };
    tokio::pin!(outputs);
    let is_attachment = matches!(process, Process::Attachment(_));
    // The size comes from the input's side, the end from the process: both borrow it in turn.
    let (sizes, mut wanted_sizes) = mpsc::channel(4);
    let inputs = copy_in(&mut peer.input, files.stdin, sizes);
    tokio::pin!(inputs);
    let mut drained = false;
    let exit = loop {
        tokio::select! {
            biased;
            Some((rows, columns)) = wanted_sizes.recv() => process.resizer()(rows, columns),
            () = &mut outputs, if !drained => drained = true,
            exit = process.wait() => break exit?,
            () = &mut inputs => return Ok(None),
        }
    };
    if !drained && !is_attachment {
        // What is late is lost; the command itself has ended.
        drop(tokio::time::timeout(LAST_OUTPUT, outputs).await);
    }
    Ok(Some(exit))
}

/// Copies output to the client; without a client for it, reads it away.
async fn copy_out(
    file: Option<File>,
    client: Option<mpsc::Sender<Output>>,
    wrap: fn(Bytes) -> Output,
) {
    let Some(mut file) = file else { return };
    loop {
        let mut piece = BytesMut::with_capacity(PIECE_BYTES);
        match file.read_buf(&mut piece).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "cannot read a process's output");
                return;
            }
        }
        if let Some(client) = &client
            && client.send(wrap(piece.freeze())).await.is_err()
        {
            return;
        }
    }
}

/// Copies the client's input to the process; ends when the client has left.
async fn copy_in(
    input: &mut mpsc::Receiver<Input>,
    mut stdin: Option<File>,
    sizes: mpsc::Sender<(u16, u16)>,
) {
    while let Some(next) = input.recv().await {
        match next {
            Input::Data(data) => {
                let Some(file) = &mut stdin else { continue };
                // A process that reads no more is no reason to end: its output may go on.
                if let Err(error) = file.write_all(&data).await {
                    tracing::debug!(%error, "cannot write to a process's input");
                    stdin = None;
                }
            }
            Input::End => stdin = None,
            Input::Resize { rows, columns } => {
                if sizes.send((rows, columns)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// How a process ended, as clients expect it on the error channel.
fn status_of(exit: &Exit) -> Value {
    if exit.code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    let code = exit.code.to_string();
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code}]},
    })
}

/// What could not be done, as clients expect it on the error channel.
fn failure(what: &str) -> Value {
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("Internal error occurred: {what}"),
        "reason": "InternalError",
        "details": {"causes": [{"message": what}]},
        "code": 500,
    })
}
