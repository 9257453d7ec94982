//! Starts a command in the running container, in a child of the supervisor that ends soon.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use nix::unistd::Pid;

use super::creation::{self, failed, prefer_for_oom, refusal_pipe, refused};
use super::terminal::TerminalSocket;
use crate::connection::{Connection, Reply};
use crate::directory::{Directory, Record};
use crate::executor::Program;
use crate::{ExecSpec, bundle};

/// The work of the child: starts the command and tells the supervisor, which tells the client.
pub(super) fn run(directory: &Directory, request: &[u8], files: Vec<OwnedFd>, shim: &Connection) {
    creation::tell(shim, start(directory, request, files));
}

fn start(
    directory: &Directory,
    request: &[u8],
    files: Vec<OwnedFd>,
) -> Result<(Pid, Option<OwnedFd>), Reply> {
    let command: ExecSpec = serde_json::from_slice(request).map_err(|error| failed(&error))?;
    let record = directory.record().map_err(|error| failed(&error))?;
    let process = describe(directory, &record, &command)?;
    prefer_for_oom(record.spec.resources.oom_score_adj);
    let built = build(directory, &record, &command, files, &process);
    if let Err(error) = std::fs::remove_file(&process) {
        tracing::warn!(%error, "cannot remove the description of a command");
    }
    built
}

fn describe(directory: &Directory, record: &Record, command: &ExecSpec) -> Result<PathBuf, Reply> {
    let process = bundle::describe_command(record, command).map_err(|error| failed(&error))?;
    let path = directory
        .path()
        .join(format!("exec-{}.json", std::process::id()));
    let json = serde_json::to_vec(&process).map_err(|error| failed(&error))?;
    std::fs::write(&path, json).map_err(|error| failed(&error))?;
    Ok(path)
}

fn build(
    directory: &Directory,
    record: &Record,
    command: &ExecSpec,
    files: Vec<OwnedFd>,
    process: &PathBuf,
) -> Result<(Pid, Option<OwnedFd>), Reply> {
    let (mut refusal, report) = refusal_pipe().map_err(|error| failed(&error))?;
    let socket = command
        .terminal
        .then(|| TerminalSocket::bind(format!("exec-{}.sock", std::process::id())))
        .transpose()
        .map_err(|error| failed(&error))?;
    let mut builder = ContainerBuilder::new(record.id.to_string(), SyscallType::default())
        .with_executor(Program::new(report, false))
        .with_console_socket(socket.as_ref().map(|socket| socket.path(directory.path())))
        .with_root_path(directory.oci())
        .map_err(|error| failed(&error))?;
    if !command.terminal {
        let [input, output, errors] = standard_files(files)?;
        builder = builder
            .with_stdin(input)
            .with_stdout(output)
            .with_stderr(errors);
    }
    let built = builder
        .as_tenant()
        .with_process(Some(process))
        .with_detach(true)
        .as_sibling(true)
        .build();
    let pid = built.map_err(|error| refused(&mut refusal).unwrap_or_else(|| failed(&error)))?;
    let terminal = socket
        .map(TerminalSocket::receive)
        .transpose()
        .map_err(|error| failed(&error))?;
    Ok((Pid::from_raw(pid.as_raw()), terminal))
}

/// The files that the client gave: input (or none), output, errors.
fn standard_files(mut files: Vec<OwnedFd>) -> Result<[OwnedFd; 3], Reply> {
    if files.len() == 2 {
        let null = File::open("/dev/null").map_err(|error| failed(&error))?;
        files.insert(0, null.into());
    }
    <[OwnedFd; 3]>::try_from(files)
        .map_err(|_| Reply::Failed("a command needs its standard files".to_owned()))
}
