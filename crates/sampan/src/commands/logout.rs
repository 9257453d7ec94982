//! `sampan logout`: forgets who asked a registry.

use std::process::ExitCode;

use serde_json::json;

use super::remote::{Host, failure};
use crate::config;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan logout`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The registry, such as `registry.example:5000`
    #[arg(value_name = "HOST")]
    host: Host,
}

/// Takes the credentials out of docker's file, or out of its helper.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let host = args.host.as_str();
    let files = config::credential_files();
    let forgotten = files.forget(host);
    forgotten.map_err(|error| failure(error.into()))?;
    let elsewhere = files.elsewhere(host);
    if let Some(path) = elsewhere.map_err(|error| failure(error.into()))? {
        context.ui().note(format!(
            "`{}` still has credentials for {host}; `podman logout {host}` takes them away",
            path.display()
        ));
    }
    if context.json() {
        context.ui().json(&json!({ "registry": host }))?;
    } else {
        context.ui().line(format!("logged out of {host}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
