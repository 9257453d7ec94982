//! `sampan ci show`: how a run went, or goes.

use std::process::ExitCode;

use super::execution;
use super::runs::Runs;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan ci show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The number of the run [default: the last]
    #[arg(value_name = "RUN")]
    run: Option<u64>,
}

/// Prints the stages and steps, and what was found besides.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let kept = Runs::of(context).find(args.run)?;
    let (order, outcome, report) = (kept.order()?, kept.outcome()?, kept.report()?);
    if context.json() {
        let json = execution::json(&kept, &order, &outcome, report.as_ref());
        context.ui().json(&json)?;
        return Ok(ExitCode::SUCCESS);
    }
    execution::print(&kept, &order, &outcome, context)?;
    for line in report.iter().flat_map(super::report::Report::lines) {
        context.ui().line(line)?;
    }
    for (stage, step, text) in &outcome.summaries {
        context.ui().line(format!("\nsummary of {stage}/{step}:"))?;
        context.ui().line(text.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}
