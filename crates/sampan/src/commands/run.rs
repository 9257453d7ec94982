//! `sampan run`: a container from an image.

mod options;
mod spec;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use sampan_container::{ContainerId, Runtime, Signal};

use super::container::{exit_code, own_failure, process_failure};
use super::session::{Ending, Files, Session, Target};
use crate::context::Context;
use crate::failure::Failure;

pub(crate) use options::Args;
pub(crate) use spec::environment;

/// The exit code of a process that wrote where nobody reads: 128 and the number of SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// Runs the container and exits as its first process does; with `--detach` prints its id.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    context
        .require_root("running containers")
        .map_err(own_failure)?;
    if args.interactive && args.tty && !args.detach && !std::io::stdin().is_terminal() {
        return Err(own_failure(
            Failure::new("standard input is not a terminal").with_hint("leave `--tty` out"),
        ));
    }
    let spec = spec::describe(args, context).map_err(own_failure)?;
    let runtime = context.runtime().map_err(own_failure)?;
    let id = runtime.create(&spec).map_err(process_failure)?;
    if args.detach {
        runtime.start(&id).map_err(process_failure)?;
        if context.json() {
            context.ui().json(&serde_json::json!({"id": id.as_str()}))?;
        } else {
            context.ui().line(id.as_str())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    attached(args.tty, &runtime, &id)
}

/// Starts a container, lets the caller talk with its first process, and exits as that does.
pub(crate) fn attached(
    terminal: bool,
    runtime: &Runtime,
    id: &ContainerId,
) -> Result<ExitCode, Failure> {
    // Taken over before the start, so that no signal falls between.
    let session = Session::begin(terminal).map_err(own_failure)?;
    let mut attachment = runtime.attach(id).map_err(process_failure)?;
    let files = Files {
        stdin: attachment.stdin.take(),
        stdout: attachment.stdout.take(),
        stderr: attachment.stderr.take(),
        terminal: attachment.terminal.take(),
    };
    let container = First {
        runtime,
        id,
        attachment: &attachment,
    };
    if terminal && let Some((rows, columns)) = super::session::size() {
        container.resize(rows, columns);
    }
    runtime.start(id).map_err(process_failure)?;
    let ending = session.run(files, &container).map_err(own_failure)?;
    if ending == Ending::Unread {
        // Run by itself, the process would be ended by this signal at its next word.
        runtime.kill(id, Signal::KILL).map_err(process_failure)?;
        attachment.wait_blocking().map_err(process_failure)?;
        return Ok(ExitCode::from(BROKEN_PIPE));
    }
    let end = attachment.wait_blocking().map_err(process_failure)?;
    drop(session);
    Ok(exit_code(&end))
}

/// The first process of the container.
struct First<'a> {
    runtime: &'a Runtime,
    id: &'a ContainerId,
    attachment: &'a sampan_container::Attachment,
}

impl Target for First<'_> {
    fn signal(&self, signal: Signal) {
        if let Err(error) = self.runtime.kill(self.id, signal) {
            tracing::debug!(%error, "the container has ended");
        }
    }

    fn resize(&self, rows: u16, columns: u16) {
        if let Err(error) = self.attachment.resize(rows, columns) {
            tracing::debug!(%error, "the container has ended");
        }
    }
}
