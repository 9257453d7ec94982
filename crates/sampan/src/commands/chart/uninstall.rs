//! `sampan chart uninstall`: releases taken away.

use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use sampan_chart::release::{Error, Propagation, Uninstall, Uninstalled};
use serde_json::json;

use super::cluster::{Place, failure};
use crate::commands::deploy;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart uninstall`.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Args {
    /// The releases
    #[arg(required = true)]
    names: Vec<String>,
    /// Keep the history, so that the release can be brought back
    #[arg(long)]
    keep_history: bool,
    /// Wait until all objects are gone
    #[arg(long)]
    wait: bool,
    /// How long each hook, and the wait, may take
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = deploy::duration)]
    timeout: Duration,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
    /// Only look whether there is something to take away
    #[arg(long)]
    dry_run: bool,
    /// Be content when there is no such release
    #[arg(long)]
    ignore_not_found: bool,
    /// What happens to what depends on the objects
    #[arg(long, value_name = "HOW", default_value = "background")]
    cascade: Cascade,
    /// A sentence about it, for the history
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// What happens to what depends on objects.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cascade {
    /// It is deleted afterwards.
    Background,
    /// It is deleted first.
    Foreground,
    /// It stays.
    Orphan,
}

/// Takes the releases away, one after the other.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let connected = args.place.connect(context)?;
    let releases = connected.releases();
    let uninstall = Uninstall {
        keep_history: args.keep_history,
        wait: args.wait,
        timeout: args.timeout,
        no_hooks: args.no_hooks,
        dry_run: args.dry_run,
        propagation: match args.cascade {
            Cascade::Background => Propagation::Background,
            Cascade::Foreground => Propagation::Foreground,
            Cascade::Orphan => Propagation::Orphan,
        },
        description: args.description.clone(),
    };
    let mut gone = Vec::new();
    for name in &args.names {
        match releases.uninstall(name, &uninstall) {
            Ok(done) => {
                if !context.json() {
                    show(name, &done, args, context)?;
                }
                gone.push(json!({"name": name, "kept": done.kept.iter().map(|(kind, name)| json!({"kind": kind, "name": name})).collect::<Vec<_>>()}));
            }
            Err(Error::NotFound(_)) if args.ignore_not_found => {}
            Err(error) => return Err(failure(error)),
        }
    }
    if context.json() {
        context.ui().json(&gone)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str, done: &Uninstalled, args: &Args, context: &Context) -> Result<(), Failure> {
    if !done.kept.is_empty() {
        context
            .ui()
            .line("These resources were kept due to the resource policy:")?;
        for (kind, name) in &done.kept {
            context.ui().line(format!("[{kind}] {name}"))?;
        }
    }
    let would = if args.dry_run { "would be " } else { "" };
    context
        .ui()
        .line(format!("release \"{name}\" {would}uninstalled"))
}
