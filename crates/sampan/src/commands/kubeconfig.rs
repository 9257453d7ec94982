//! `sampan kubeconfig`: credentials for `kubectl` and every other client of the Kubernetes API.

use std::process::ExitCode;

use crate::context::Context;
use crate::failure::Failure;
use crate::server;

/// Arguments of `sampan kubeconfig`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints the configuration, to be kept in a file that `KUBECONFIG` names.
pub(crate) fn run(_args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let facts = server::required(context.data())?;
    let text = sampan_engine::server::kubeconfig(context.data(), facts.kubernetes)?;
    context.ui().line(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
