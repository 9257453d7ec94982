//! What keeps a run from beginning, all of it at once: what is missing, and what is not allowed.

use std::collections::BTreeMap;

use console::style;
use sampan_model::Hint as _;
use sampan_pipeline::run::{Executor, Missing, Run, RunError};
use sampan_pipeline::secrets::{SecretError, SecretProblem};

use super::pipeline::Compiled;
use crate::context::Context;

/// Looks for everything that a run needs. What is only likely not meant is said.
pub(super) fn check(
    executor: &Executor,
    run: &Run<'_>,
    compiled: &Compiled,
    context: &Context,
) -> Result<(), RunError> {
    let mut missing = match executor.check(run) {
        Ok(()) => Vec::new(),
        Err(RunError::Planning(missing)) => missing,
        Err(other) => return Err(other),
    };
    // What the user has left out lacks nothing.
    let graph = &executor.graph(run)?;
    let none = BTreeMap::new();
    let calls = match compiled {
        Compiled::GitHub(_, plan) => &plan.calls,
        Compiled::Graph(_) => &none,
    };
    for problem in run.secrets.problems(graph, calls, run.build) {
        if is_serious(&problem) {
            // The executor names required secrets that are not there as well.
            missing.retain(|known| known.location != problem.location);
            missing.push(Missing {
                hint: problem.hint(),
                what: problem.error.to_string(),
                location: problem.location,
            });
        } else {
            let mark = style("note:").yellow().for_stderr();
            context.ui().note(format!("{mark} {problem}"));
        }
    }
    missing.sort_by(|one, other| one.location.cmp(&other.location));
    if missing.is_empty() {
        Ok(())
    } else {
        Err(RunError::Planning(missing))
    }
}

/// Whether a step must not run like this: it cannot do without the secret, or would get one that is not for it. One that
/// the run as a whole may not have is not even read.
fn is_serious(problem: &SecretProblem) -> bool {
    problem.required
        || matches!(
            problem.error,
            SecretError::Image { .. } | SecretError::NotPlugin { .. }
        )
}
