//! One file a command: its arguments, and the call of the capability that does the work.

pub(crate) mod completion;

use std::process::ExitCode;

use crate::cli::Command;
use crate::context::Context;
use crate::failure::Failure;

/// Runs a command to its end.
pub(crate) fn run(command: Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Completion(args) => completion::run(&args, context),
    }
}
