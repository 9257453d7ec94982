//! `sampan kustomize`: what a kustomization makes of its resources, as `kubectl kustomize` prints it.

use std::path::PathBuf;
use std::process::ExitCode;

use sampan_chart::kustomize::{Error, Resource, build, text};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan kustomize`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder with the `kustomization.yaml`
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

/// Renders the kustomization.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let resources = build(&args.folder).map_err(|error| {
        let is_absent = matches!(error, Error::NoFile(_));
        let failure = Failure::from(error);
        if is_absent {
            failure.with_exit(Exit::NotFound)
        } else {
            failure.of_named()
        }
    })?;
    if context.json() {
        let resources: Vec<Value> = resources.iter().map(to_json).collect();
        context.ui().json(&resources)?;
    } else {
        context.ui().bytes(&text(&resources)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn to_json(resource: &Resource) -> Value {
    json!(resource.value())
}
