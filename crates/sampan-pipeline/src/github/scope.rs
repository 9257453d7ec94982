//! Which contexts and functions GitHub has where in its files.

use crate::expression::{Scope, StatusFunctions};

const fn scope(contexts: &'static [&'static str]) -> Scope<'static> {
    Scope {
        contexts,
        status: StatusFunctions::Absent,
        hash_files: false,
    }
}

/// `run-name`, `concurrency` of the workflow, defaults of inputs of a call.
pub(super) const WORKFLOW: Scope<'static> = scope(&["github", "inputs", "vars"]);
/// `env` of the workflow.
pub(super) const WORKFLOW_ENV: Scope<'static> = scope(&["github", "inputs", "vars", "secrets"]);
/// Outputs of a workflow that is called.
pub(super) const CALL_OUTPUT: Scope<'static> = scope(&["github", "inputs", "vars", "jobs"]);
/// `strategy`.
pub(super) const STRATEGY: Scope<'static> = scope(&["github", "inputs", "vars", "needs"]);
/// `if` of a job.
pub(super) const JOB_IF: Scope<'static> = Scope {
    status: StatusFunctions::OfJob,
    ..STRATEGY
};
/// Most keys of a job.
pub(super) const JOB: Scope<'static> =
    scope(&["github", "inputs", "vars", "needs", "strategy", "matrix"]);
/// `env` of a job, secrets that are handed to a called workflow.
pub(super) const JOB_SECRETS: Scope<'static> = scope(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets",
]);
/// `defaults.run` of a job.
pub(super) const JOB_DEFAULTS: Scope<'static> = scope(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "env",
]);
/// Logins to registries.
pub(super) const CREDENTIALS: Scope<'static> = scope(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "env",
]);
/// Outputs of a job and environments of its containers.
pub(super) const RUNNER: Scope<'static> = scope(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job", "runner",
    "env",
]);
/// The address of a job's environment.
pub(super) const RUNNER_WITHOUT_SECRETS: Scope<'static> = scope(&[
    "github", "inputs", "vars", "needs", "strategy", "matrix", "steps", "job", "runner", "env",
]);
/// Most keys of a step.
pub(super) const STEP: Scope<'static> = Scope {
    hash_files: true,
    ..RUNNER
};
/// `if` of a step.
pub(super) const STEP_IF: Scope<'static> = Scope {
    status: StatusFunctions::OfStep,
    hash_files: true,
    ..RUNNER_WITHOUT_SECRETS
};
/// Most keys of a composite action's step.
pub(super) const COMPOSITE: Scope<'static> = Scope {
    contexts: &[
        "github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env",
    ],
    status: StatusFunctions::Absent,
    hash_files: true,
};
/// `if` of a composite action's step, `pre-if` and `post-if`.
pub(super) const COMPOSITE_IF: Scope<'static> = Scope {
    status: StatusFunctions::OfStep,
    ..COMPOSITE
};
/// Defaults of an action's inputs.
pub(super) const ACTION_INPUT: Scope<'static> = Scope {
    contexts: &["github", "strategy", "matrix", "job", "runner"],
    status: StatusFunctions::Absent,
    hash_files: true,
};
/// Arguments and environment of an action that is a container.
pub(super) const CONTAINER_ACTION: Scope<'static> = scope(&["inputs"]);
/// Everything; for texts that were looked at before.
pub(super) const EVERYWHERE: Scope<'static> = Scope {
    contexts: &[
        "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job",
        "jobs", "runner", "env",
    ],
    status: StatusFunctions::OfJob,
    hash_files: true,
};
