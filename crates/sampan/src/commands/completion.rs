//! `sampan completion`: the completion script of a shell.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// Arguments of `sampan completion`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

/// Prints the script, to be read by the shell at its start.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sampan", &mut script);
    let script = String::from_utf8(script).or_fail("cannot make the completion script")?;
    context.ui().line(script.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
