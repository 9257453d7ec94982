//! What the commands about containers share.

use std::process::ExitCode;

use sampan_container::{Error, Exit as End};

use crate::context::Context;
use crate::failure::{Exit, Failure};

/// The code of `sampan run` and `sampan exec` when it is Sampan that fails.
const OWN_FAILURE: u8 = 125;

/// A failure with the exit code that fits.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = match &error {
        Error::NoContainer(_) => Exit::NotFound,
        Error::NameTaken { .. } | Error::Running(_) | Error::NotRunning(_) => Exit::Refused,
        _ => Exit::Failed,
    };
    Failure::from(error).with_exit(exit)
}

/// Does something to each container at once, and reports them in their order: the name of each that it was done to, an
/// error for each other. The exit code is that of the first error.
pub(crate) fn each(
    names: &[String],
    context: &Context,
    act: impl Fn(&str) -> Result<(), Error> + Sync,
) -> Result<ExitCode, Failure> {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let acts: Vec<_> = names.iter().map(|name| scope.spawn(|| act(name))).collect();
        acts.into_iter()
            .map(|act| act.join().expect("acting on a container does not panic"))
            .collect()
    });
    let mut code = None;
    let mut done = Vec::new();
    for (name, outcome) in names.iter().zip(outcomes) {
        match outcome {
            Ok(()) => done.push(name),
            Err(error) => {
                let reported = failure(error).report(context.ui().output());
                code.get_or_insert(reported);
            }
        }
    }
    if context.json() {
        context
            .ui()
            .json(&serde_json::json!({"containers": done}))?;
    } else {
        for name in done {
            context.ui().line(name)?;
        }
    }
    Ok(code.unwrap_or(ExitCode::SUCCESS))
}

/// A failure of a command that otherwise ends with the code of a process, as docker's.
pub(crate) fn process_failure(error: Error) -> Failure {
    let code = match &error {
        Error::CommandNotFound(_) => 127,
        Error::CommandNotExecutable { .. } => 126,
        _ => OWN_FAILURE,
    };
    Failure::from(error).with_code(code)
}

/// Gives any failure of such a command docker's code.
pub(crate) fn own_failure(failure: Failure) -> Failure {
    failure.with_code(OWN_FAILURE)
}

/// The exit code that says how a process ended.
pub(crate) fn exit_code(end: &End) -> ExitCode {
    ExitCode::from(u8::try_from(end.code).unwrap_or(u8::MAX))
}
