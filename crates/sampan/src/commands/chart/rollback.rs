//! `sampan chart rollback`: a release brought back to an earlier revision.

use std::process::ExitCode;

use sampan_chart::release::Rollback;

use super::cluster::{Place, Rollout, failure};
use super::shown;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release
    name: String,
    /// The revision to go back to [default: the one before the last]
    revision: Option<u32>,
    /// Only look whether it can be done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    rollout: Rollout,
    /// Remove what a failed rollback has made
    #[arg(long)]
    cleanup_on_fail: bool,
    /// How many revisions are kept; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    history_max: u32,
    #[command(flatten)]
    place: Place,
}

/// Rolls the release back and says to what.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let connected = args.place.connect(context)?;
    let releases = connected.releases();
    let rollback = Rollback {
        carrying: args.rollout.carrying(args.cleanup_on_fail),
        // As in Helm, 0 stands for none.
        revision: args.revision.filter(|revision| *revision > 0),
        max_history: args.history_max,
        dry_run: args.dry_run,
    };
    let release = releases.roll_back(&args.name, &rollback).map_err(failure)?;
    if context.json() {
        context.ui().json(&shown::to_json(&release)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (description, revision) = (&release.info.description, release.version);
    let would = if args.dry_run { "would be" } else { "is" };
    let name = &args.name;
    context
        .ui()
        .line(format!("{name}: {description} {would} revision {revision}"))?;
    Ok(ExitCode::SUCCESS)
}
