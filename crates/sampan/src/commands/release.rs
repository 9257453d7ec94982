//! `sampan release`: immutable versions of apps.

mod create;
mod inspect;
mod ls;

use std::process::ExitCode;

use sampan_bundle::ReleaseError;
use sampan_oci::store::StoreError;

use crate::cli::Deferred;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan release`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a release of the app in a folder
    Create(Deferred<create::Args>),
    /// List the releases
    Ls(Deferred<ls::Args>),
    /// Show what a release consists of
    Inspect(Deferred<inspect::Args>),
}

impl Args {
    /// Whether there is nothing to do where there is no installation.
    pub(crate) fn only_uses(&self) -> bool {
        !matches!(self.command, Command::Create(_))
    }
}

/// Runs the subcommand.
pub(crate) fn run(args: Args, context: &Context) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Create(args) => create::run(&args, context)?,
        Command::Ls(args) => ls::run(&args, context)?,
        Command::Inspect(args) => inspect::run(&args, context)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The failure of `error`, with its exit code.
pub(crate) fn failure(error: ReleaseError) -> Failure {
    let exit = match &error {
        ReleaseError::Exists { .. } => Exit::Refused,
        ReleaseError::NotFound { .. } => Exit::NotFound,
        ReleaseError::Malformed { .. } | ReleaseError::NoChart { .. } => Exit::Damaged,
        ReleaseError::Store(error) => store_exit(error),
        ReleaseError::Files { .. } => Exit::Failed,
    };
    Failure::from(error).with_exit(exit)
}

/// The exit code of a failure of the content store.
pub(crate) fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::Missing { .. }
        | StoreError::Incomplete { .. }
        | StoreError::Altered { .. }
        | StoreError::Parse { .. }
        | StoreError::Nested { .. }
        | StoreError::TooLarge { .. }
        | StoreError::Digest(_)
        | StoreError::Index { .. } => Exit::Damaged,
        _ => Exit::Failed,
    }
}
