//! `sampan chart dependency`: the charts that a chart is made of.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_chart::chart::Chart;
use sampan_chart::repository::{Manager, statuses};
use sampan_supervise::clock;
use serde_json::json;

use super::source::{Reaching, failure};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Table;

/// Arguments of `sampan chart dependency`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the dependencies, and how they are
    List(List),
    /// Bring the newest versions that fit into `charts`, and write `Chart.lock`
    Update(Bring),
    /// Bring exactly what `Chart.lock` says into `charts`
    Build(Bring),
}

#[derive(Debug, clap::Args)]
struct List {
    /// The folder or package of the chart
    #[arg(default_value = ".")]
    path: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Bring {
    /// The folder of the chart
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    reaching: Reaching,
}

/// Which versions are brought.
#[derive(Debug, Clone, Copy)]
enum How {
    Update,
    Build,
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::List(args) => list(&args.path, context)?,
        Command::Update(args) => bring(args, context, How::Update)?,
        Command::Build(args) => bring(args, context, How::Build)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(path: &Path, context: &Context) -> Result<(), Failure> {
    let compatibility = sampan_chart::compatibility::Compatibility::default();
    let chart = Chart::load(path, compatibility)?;
    let (statuses, warnings) = statuses(path, &chart, compatibility);
    for warning in warnings {
        context.ui().warn(format!("WARNING: {warning}"));
    }
    if context.json() {
        let statuses = statuses.iter().map(|one| {
            json!({
                "name": one.name,
                "version": one.version,
                "repository": one.repository,
                "status": one.status,
            })
        });
        return context.ui().json(&statuses.collect::<Vec<_>>());
    }
    let mut table = Table::new(["NAME", "VERSION", "REPOSITORY", "STATUS"]);
    for one in statuses {
        table.row([one.name, one.version, one.repository, one.status.to_owned()]);
    }
    context.ui().table(&table)
}

fn bring(args: &Bring, context: &Context, how: How) -> Result<(), Failure> {
    let remote = args.reaching.remote(context)?;
    let manager = Manager {
        folder: &args.path,
        compatibility: args.reaching.compatibility(),
        remote: &remote,
        now: clock::now(),
    };
    let outcome = match how {
        How::Update => manager.update(),
        How::Build => manager.build(),
    };
    let outcome = outcome.map_err(failure)?;
    if context.json() {
        let saved = outcome.saved.iter().map(
            |one| json!({"name": one.name, "version": one.version, "repository": one.repository}),
        );
        return context.ui().json(&json!({
            "saved": saved.collect::<Vec<_>>(),
            "removed": outcome.removed,
            "locked": outcome.locked,
        }));
    }
    for one in &outcome.saved {
        let line = format!("saved {} {} from {}", one.name, one.version, one.repository);
        context.ui().line(line)?;
    }
    for name in &outcome.removed {
        context.ui().line(format!("removed {name}"))?;
    }
    if outcome.saved.is_empty() && outcome.removed.is_empty() {
        context.ui().line("nothing to bring")?;
    }
    if outcome.locked {
        context.ui().note("wrote the lock file");
    }
    Ok(())
}
