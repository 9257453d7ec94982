//! `sampan chart status`: how a release is, and each of its objects.

use std::process::ExitCode;

use serde_json::json;

use super::cluster::{Place, failure};
use super::shown::{self, Parts};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release
    name: String,
    /// The revision [default: the last]
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u32>,
    #[command(flatten)]
    place: Place,
}

/// Prints how the release is.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let connected = args.place.connect(context)?;
    let releases = connected.releases();
    let revision = args.revision.filter(|revision| *revision > 0);
    let release = releases.get(&args.name, revision).map_err(failure)?;
    let objects = releases.states(&release).map_err(failure)?;
    if context.json() {
        let mut record = shown::to_json(&release)?;
        record["objects"] = json!(objects);
        context.ui().json(&record)?;
        return Ok(ExitCode::SUCCESS);
    }
    let parts = Parts {
        objects: Some(objects),
        description: true,
        ..Parts::default()
    };
    context.ui().line(shown::text(&release, &parts))?;
    if release.info.status.is_pending() {
        let name = &args.name;
        context.ui().note(format!(
            "if nobody is at work on it, that one was stopped halfway: `sampan chart rollback {name}` goes back to the revision \
             before, `sampan chart uninstall {name}` takes a first install away"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
