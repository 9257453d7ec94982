//! `sampan ci list`: the runs of an installation.

use std::process::ExitCode;

use serde_json::json;

use super::execution;
use super::explain;
use super::runs::Runs;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, age};

/// Arguments of `sampan ci list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// As many of the newest runs; 0 for all
    #[arg(long, short = 'n', value_name = "NUMBER", default_value = "20")]
    limit: usize,
}

/// Prints the runs, the newest first.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let mut kept = Runs::of(context).all()?;
    kept.reverse();
    if args.limit > 0 {
        kept.truncate(args.limit);
    }
    let mut table = Table::new(["run", "pipeline", "event", "status", "took", "age"]);
    let mut listed = Vec::new();
    for run in kept {
        // A run that is just beginning has said nothing yet.
        let Ok(order) = run.order() else { continue };
        let outcome = match run.outcome() {
            Ok(outcome) => outcome,
            Err(failure) => {
                // It must not hide the others.
                let problem = failure.message();
                context.ui().warn(format!("run {}: {problem}", run.number));
                continue;
            }
        };
        if context.json() {
            listed.push(execution::json(&run, &order, &outcome, None));
            continue;
        }
        let status = run.status(&outcome);
        let took = outcome
            .ended
            .map(|ended| super::seconds(ended - outcome.began));
        let began = jiff::Timestamp::from_second(order.build.started).unwrap_or_default();
        table.row([
            run.number.to_string(),
            order.name,
            explain::happened(&order.build),
            status.to_owned(),
            took.unwrap_or_default(),
            age(began),
        ]);
    }
    if context.json() {
        context.ui().json(&json!({"runs": listed}))?;
    } else {
        context.ui().table(&table)?;
    }
    Ok(ExitCode::SUCCESS)
}
