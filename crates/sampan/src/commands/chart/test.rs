//! `sampan chart test`: the tests that a chart brings along.

use std::process::ExitCode;
use std::time::Duration;

use sampan_chart::release::{Release, Releases, Testing};

use super::cluster::{Place, failure};
use super::shown::{self, Parts};
use crate::commands::deploy;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release
    name: String,
    /// How long each test may take
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = deploy::duration)]
    timeout: Duration,
    /// Only tests of this name, or with `!` all but this: `name=TEST,!name=TEST`
    #[arg(long, value_name = "FILTER", value_delimiter = ',', value_parser = filter)]
    filter: Vec<Filter>,
    /// Print what the tests have written
    #[arg(long)]
    logs: bool,
    #[command(flatten)]
    place: Place,
}

/// A name of tests that are carried out, or left out.
#[derive(Debug, Clone)]
enum Filter {
    Only(String),
    Except(String),
}

fn filter(text: &str) -> Result<Filter, String> {
    match text.split_once('=') {
        Some(("name", name)) => Ok(Filter::Only(name.to_owned())),
        Some(("!name", name)) => Ok(Filter::Except(name.to_owned())),
        _ => Err("write name=TEST or !name=TEST".to_owned()),
    }
}

/// Carries the tests out and shows how they went.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let connected = args.place.connect(context)?;
    let releases = connected.releases();
    let mut testing = Testing {
        timeout: args.timeout,
        ..Testing::default()
    };
    for filter in &args.filter {
        match filter {
            Filter::Only(name) => testing.only.push(name.clone()),
            Filter::Except(name) => testing.except.push(name.clone()),
        }
    }
    let (release, outcome) = releases.test(&args.name, &testing).map_err(failure)?;
    if context.json() {
        context.ui().json(&shown::to_json(&release)?)?;
    } else {
        let parts = Parts {
            no_notes: true,
            ..Parts::default()
        };
        context.ui().line(shown::text(&release, &parts))?;
    }
    if args.logs {
        logs(&releases, &release, &testing, context)?;
    }
    outcome.map_err(failure)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what tests have written: beside the result when that is JSON.
fn logs(
    releases: &Releases<'_>,
    release: &Release,
    testing: &Testing,
    context: &Context,
) -> Result<(), Failure> {
    for test in testing.chosen(release) {
        let title = format!("POD LOGS: {}", test.name);
        match releases.test_log(test) {
            Ok(log) => {
                let text = format!("{title}\n{}", String::from_utf8_lossy(&log));
                if context.json() {
                    context.ui().warn(text);
                } else {
                    context.ui().line(text)?;
                }
            }
            // A test may have removed its pod, as its policies say.
            Err(problem) => context.ui().warn(format!("{title}: {problem}")),
        }
    }
    Ok(())
}
