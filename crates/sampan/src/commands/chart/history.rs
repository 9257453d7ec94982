//! `sampan chart history`: the revisions of a release.

use std::process::ExitCode;

use sampan_chart::release::Release;
use sampan_model::shortened;
use serde_json::{Value, json};

use super::cluster::{Place, failure};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Table;

/// Arguments of `sampan chart history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release
    name: String,
    /// How many of the last revisions
    #[arg(long, value_name = "COUNT", default_value_t = 256)]
    max: usize,
    #[command(flatten)]
    place: Place,
}

/// Prints the revisions, the oldest first.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let connected = args.place.connect(context)?;
    let releases = connected.releases();
    let revisions = releases.history(&args.name).map_err(failure)?;
    let shown = &revisions[revisions.len().saturating_sub(args.max)..];
    if context.json() {
        context
            .ui()
            .json(&shown.iter().map(to_json).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new([
        "revision",
        "updated",
        "status",
        "chart",
        "app version",
        "description",
    ]);
    for release in shown {
        // The table keeps to a line; `--output json` gives all of it.
        let description = release.info.description.replace('\n', " ");
        table.row([
            release.version.to_string(),
            release.info.last_deployed.to_string(),
            release.info.status.to_string(),
            release.chart.full_name(),
            release.chart.app_version().to_owned(),
            shortened(&description, 100),
        ]);
    }
    context.ui().table(&table)?;
    Ok(ExitCode::SUCCESS)
}

fn to_json(release: &Release) -> Value {
    json!({
        "revision": release.version,
        "updated": release.info.last_deployed,
        "status": release.info.status,
        "chart": release.chart.full_name(),
        "app_version": release.chart.app_version(),
        "description": release.info.description,
    })
}
