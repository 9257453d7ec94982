//! `sampan ci logs`: what the steps of a run have said, secrets masked.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

use sampan_pipeline::run::{Outcome, StageOutcome, StepOutcome};

use super::runs::Runs;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};

/// As much of the end of a log is looked at for its last lines.
const TAIL_BYTES: u64 = 32 << 10;

/// Arguments of `sampan ci logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: super::Which,
}

/// Prints the logs, one after the other.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let (number, name) = args.which.parts()?;
    let kept = Runs::of(context).find(number)?;
    let outcome = kept.outcome()?;
    let wanted = match name {
        None => all(&outcome),
        Some(name) => named(&outcome, name)?,
    };
    let several = wanted.len() > 1;
    for (stage, step) in wanted {
        let path = kept.log(stage, step);
        let mut log = match File::open(&path) {
            Ok(log) => log,
            // It said nothing.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).or_fail(format!("cannot read `{}`", path.display())),
        };
        if several {
            context
                .ui()
                .line(format!("==> {}/{} <==", stage.id, step.name))?;
        }
        copy(&mut log, context).or_fail(format!("cannot read `{}`", path.display()))??;
    }
    Ok(ExitCode::SUCCESS)
}

fn copy(log: &mut File, context: &Context) -> io::Result<Result<(), Failure>> {
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = log.read(&mut chunk)?;
        if count == 0 {
            return Ok(Ok(()));
        }
        if let Err(failure) = context.ui().bytes(&chunk[..count]) {
            return Ok(Err(failure));
        }
    }
}

type Place<'a> = (&'a StageOutcome, &'a StepOutcome);

fn all(outcome: &Outcome) -> Vec<Place<'_>> {
    let stages = outcome.stages.iter();
    stages
        .flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
        .collect()
}

/// The steps of a name: a stage's, or those that are called so.
fn named<'a>(outcome: &'a Outcome, name: &str) -> Result<Vec<Place<'a>>, Failure> {
    if let Some(stage) = outcome.stage(name) {
        return Ok(stage.steps.iter().map(|step| (stage, step)).collect());
    }
    let is_meant = |(stage, step): &Place<'_>| {
        step.name == name || format!("{}/{}", stage.id, step.name) == name
    };
    let found: Vec<_> = all(outcome).into_iter().filter(is_meant).collect();
    if found.is_empty() {
        let names = all(outcome);
        let names = names.iter().map(|(_, step)| step.name.as_str());
        let hint = match sampan_model::nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`sampan ci show` lists the steps".to_owned(),
        };
        let failure = Failure::new(format!("the run has no step `{name}`"));
        return Err(failure.with_hint(hint).with_exit(Exit::NotFound));
    }
    Ok(found)
}

/// The one step of a name.
pub(super) fn one<'a>(outcome: &'a Outcome, name: &str) -> Result<Place<'a>, Failure> {
    let found = named(outcome, name)?;
    match found.as_slice() {
        [one] => Ok(*one),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|(stage, step)| format!("`{}/{}`", stage.id, step.name))
                .collect();
            Err(
                Failure::new(format!("`{name}` may be any of {}", names.join(", ")))
                    .with_hint("name the stage as well, as STAGE/STEP")
                    .with_exit(Exit::NotFound),
            )
        }
    }
}

/// The end of a log.
pub(super) fn tail(path: &Path) -> Result<String, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).or_fail(format!("cannot read `{}`", path.display())),
    }
}
