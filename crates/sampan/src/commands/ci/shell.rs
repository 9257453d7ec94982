//! `sampan ci shell`: a shell where a step ran, to see why it failed.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use sampan_pipeline::run::{Interrupt, Options, Shell};

use super::earlier::Earlier;
use super::execution;
use super::given::Given;
use super::installation::Installation;
use crate::commands::container::own_failure;
use crate::commands::run::attached;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan ci shell`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    which: super::Which,
    #[command(flatten)]
    given: Given,
    /// What runs there instead of a shell
    #[arg(long, short, value_name = "COMMAND")]
    command: Option<String>,
}

const AFTER_HELP: &str = "\
RUN is the number of a run [default: the last], STEP a step as STEP or STAGE/STEP [default: the first that \
failed, or in which the run was killed]. The shell has the step's image, environment and workspace; what it \
changes there stays. Services do not run. Secrets are not kept with a run and must be given again.";

/// Opens the shell and exits as it does.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    context.require_root("running containers")?;
    let secrets = args.given.secrets()?;
    let installation = Installation::read(context)?;
    let mut earlier = Earlier::find(&args.which, context)?;
    earlier.order.environment.extend(args.given.environment()?);
    let executor = execution::executor(context)?;
    let terminal = std::io::stdin().is_terminal();
    let command = match &args.command {
        None => vec!["/bin/sh".to_owned()],
        Some(command) => vec!["/bin/sh".to_owned(), "-c".to_owned(), command.clone()],
    };
    // Stages are those of the run, with the matrices that became known in it.
    let options = Options {
        resume: Some(earlier.point()),
        ..Options::default()
    };
    let execution = earlier.execution(&secrets, options, (&installation, context));
    let shell = Shell {
        stage: &earlier.stage,
        step: &earlier.step,
        command: &command,
        terminal,
    };
    let interrupt = Interrupt::default();
    let spec = execution.with_run(&earlier.kept, &interrupt, &mut |run, _| {
        executor.shell(run, &shell)
    })??;
    let runtime = context.runtime()?;
    let id = runtime.create(&spec)?;
    context.ui().note(format!(
        "in {}/{} of run {}; the workspace is {}",
        earlier.stage, earlier.step, earlier.kept.number, spec.process.cwd
    ));
    attached(terminal, &runtime, &id).map_err(own_failure)
}
