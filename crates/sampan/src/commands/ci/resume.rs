//! `sampan ci resume`: a run gone on with from one of its steps.

use std::process::ExitCode;

use super::earlier::Earlier;
use super::given::Given;
use super::installation::Installation;
use super::run::{Chosen, finish};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan ci resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    which: super::Which,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    chosen: Chosen,
}

const AFTER_HELP: &str = "\
RUN is the number of a run [default: the last], STEP a step as STEP or STAGE/STEP [default: the first that \
failed, or in which the run was killed]. The pipeline is read anew, so that what was wrong in it can be \
mended; the workspace is as it was before the step, so what was mended in the sources wants a new `sampan ci run`. \
Secrets are not kept with a run and must be given again.";

/// Runs the step and all that comes after it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    context.require_root("running pipelines")?;
    let secrets = args.given.secrets()?;
    let installation = Installation::read(context)?;
    let mut earlier = Earlier::find(&args.which, context)?;
    if earlier.kept.is_live() {
        let number = earlier.kept.number;
        return Err(Failure::new(format!("run {number} still goes on"))
            .with_hint(format!("`sampan ci show {number}` says how it stands")));
    }
    earlier.order.environment.extend(args.given.environment()?);
    earlier.order.resumes = Some(earlier.kept.number);
    let mut options = args.chosen.options();
    options.resume = Some(earlier.point());
    let mut execution = earlier.execution(&secrets, options, (&installation, context));
    execution.keep = args.chosen.keep;
    execution.lines = args.chosen.lines;
    let ended = execution.carry_out()?;
    let end = ended.end();
    finish(&[ended], Some(end), context)
}
