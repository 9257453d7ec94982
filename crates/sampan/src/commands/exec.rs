//! `sampan exec`: a command in a running container.

use std::fs::File;
use std::io::IsTerminal as _;
use std::os::fd::AsFd;
use std::process::ExitCode;

use sampan_container::{ContainerId, Exec, ExecFiles, ExecSpec, Runtime, Signal, user};

use super::container::{exit_code, own_failure, process_failure};
use super::run::environment;
use super::session::{Files, Session, Target, size};
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Give the command standard input
    #[arg(long, short)]
    interactive: bool,
    /// Give the command a terminal
    #[arg(long, short)]
    tty: bool,
    /// Let the command run on its own
    #[arg(long, short)]
    detach: bool,
    /// Set a variable (NAME alone takes the caller's)
    #[arg(long, short, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Working directory
    #[arg(long, short, value_name = "DIR")]
    workdir: Option<String>,
    /// User (and group) to run as, by name or number
    #[arg(long, short, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Give the command all capabilities
    #[arg(long)]
    privileged: bool,
    /// Id (or its beginning) or name
    #[arg(value_name = "CONTAINER")]
    container: String,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs the command and exits as it does.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let runtime = context.runtime().map_err(own_failure)?;
    let id = runtime.find(&args.container).map_err(process_failure)?;
    let spec = describe(args, &runtime, &id)?;
    if args.detach {
        return detach(&runtime, &id, spec);
    }
    if spec.terminal || (spec.stdin && std::io::stdin().is_terminal()) {
        return converse(&runtime, &id, &spec);
    }
    let nothing = nothing()?;
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let files = ExecFiles {
        stdin: if spec.stdin {
            stdin.as_fd()
        } else {
            nothing.as_fd()
        },
        stdout: stdout.as_fd(),
        stderr: stderr.as_fd(),
    };
    let mut exec = runtime
        .exec_on(&id, &spec, files)
        .map_err(process_failure)?;
    Ok(exit_code(&exec.wait_blocking().map_err(process_failure)?))
}

/// Leaves the command alone; nobody reads what it says.
fn detach(runtime: &Runtime, id: &ContainerId, spec: ExecSpec) -> Result<ExitCode, Failure> {
    let nothing = nothing()?;
    let files = ExecFiles {
        stdin: nothing.as_fd(),
        stdout: nothing.as_fd(),
        stderr: nothing.as_fd(),
    };
    let spec = ExecSpec {
        stdin: false,
        terminal: false,
        ..spec
    };
    runtime.exec_on(id, &spec, files).map_err(process_failure)?;
    Ok(ExitCode::SUCCESS)
}

fn nothing() -> Result<File, Failure> {
    File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .or_fail("cannot open `/dev/null`")
        .map_err(own_failure)
}

/// Connects the command to the caller's terminal.
fn converse(runtime: &Runtime, id: &ContainerId, spec: &ExecSpec) -> Result<ExitCode, Failure> {
    let mut exec = runtime.exec(id, spec).map_err(process_failure)?;
    let files = Files {
        stdin: exec.stdin.take(),
        stdout: exec.stdout.take(),
        stderr: exec.stderr.take(),
        terminal: exec.terminal.take(),
    };
    let session = Session::begin(spec.terminal).map_err(own_failure)?;
    session.run(files, &Command(&exec)).map_err(own_failure)?;
    let end = exec.wait_blocking().map_err(process_failure)?;
    drop(session);
    Ok(exit_code(&end))
}

fn describe(args: &Args, runtime: &Runtime, id: &ContainerId) -> Result<ExecSpec, Failure> {
    let user = match &args.user {
        Some(name) => {
            let layers = runtime.layers(id).map_err(process_failure)?;
            Some(user::resolve(&layers, name).map_err(process_failure)?)
        }
        None => None,
    };
    let mut env = environment(&args.env, &[]).map_err(own_failure)?;
    if args.tty
        && let Some(kind) = crate::config::terminal_type()
    {
        env.insert(0, format!("TERM={kind}"));
    }
    if args.tty && args.interactive && !std::io::stdin().is_terminal() && size().is_none() {
        return Err(own_failure(
            Failure::new("standard input is not a terminal").with_hint("leave `--tty` out"),
        ));
    }
    Ok(ExecSpec {
        args: args.command.clone(),
        env,
        cwd: args.workdir.clone(),
        user,
        terminal: args.tty,
        stdin: args.interactive,
        privileged: args.privileged,
    })
}

struct Command<'a>(&'a Exec);

impl Target for Command<'_> {
    fn signal(&self, signal: Signal) {
        if let Err(error) = self.0.kill(signal) {
            tracing::debug!(%error, "the command has ended");
        }
    }

    fn resize(&self, rows: u16, columns: u16) {
        if let Err(error) = self.0.resize(rows, columns) {
            tracing::debug!(%error, "cannot resize the terminal");
        }
    }
}
