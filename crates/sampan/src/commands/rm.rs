//! `sampan rm`: removes containers.

use std::process::ExitCode;

use super::container;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kill a container that runs
    #[arg(long, short)]
    force: bool,
    /// Ids (or their beginnings) and names
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Removes each container and all that is left of it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let runtime = context.runtime()?;
    container::each(&args.containers, context, |name| {
        runtime.remove(&runtime.find(name)?, args.force)
    })
}
