//! `sampan stop`: asks containers to end, and ends them when they do not.

use std::process::ExitCode;
use std::time::Duration;

use super::container;
use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds to wait before a container is killed
    #[arg(long, short, value_name = "SECONDS", default_value_t = 10)]
    time: u32,
    /// Ids (or their beginnings) and names
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Stops each container; those that have ended stay as they are.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let runtime = context.runtime()?;
    let grace = Duration::from_secs(args.time.into());
    container::each(&args.containers, context, |name| {
        runtime.stop(&runtime.find(name)?, grace).map(drop)
    })
}
