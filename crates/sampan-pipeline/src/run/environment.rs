//! Environments of steps, as they are when a step begins.

use std::collections::BTreeMap;

use sampan_supervise::clock;

use crate::graph::{Dialect, EnvironmentValue, Expression, SecretUse};
use crate::secrets::Secrets;
use crate::settings;

/// Variables by their names.
pub(super) type Variables = BTreeMap<String, String>;

/// How a stage went so far.
#[derive(Debug, Clone, Default)]
pub(super) struct SoFar {
    /// When the run began, in seconds since 1970.
    pub(super) run_began: i64,
    /// When the stage began, in seconds since 1970.
    pub(super) stage_began: i64,
    /// The steps that failed.
    pub(super) failed_steps: Vec<String>,
    /// Whether something failed that was not to be ignored.
    pub(super) failed: bool,
}

/// What variables hold. Those that only the run can tell are asked for.
pub(super) fn resolve<E>(
    environment: &BTreeMap<String, EnvironmentValue>,
    secrets: &Secrets,
    later: &mut dyn FnMut(&Expression) -> Result<String, E>,
) -> Result<Variables, E> {
    let mut variables = Variables::new();
    for (name, value) in environment {
        let text = match value {
            EnvironmentValue::Text(text) => Some(text.clone()),
            EnvironmentValue::Secret(wanted) => secret(wanted, secrets),
            EnvironmentValue::Setting(setting) => {
                settings::encoded_with(setting, &|name| secrets.get(name).map(str::to_owned))
            }
            EnvironmentValue::Later(expression) => Some(later(expression)?),
        };
        if let Some(text) = text {
            variables.insert(name.clone(), text);
        }
    }
    Ok(variables)
}

fn secret(wanted: &SecretUse, secrets: &Secrets) -> Option<String> {
    secrets
        .get(&wanted.name)
        .map(str::to_owned)
        .or_else(|| wanted.otherwise.clone())
}

/// Puts in how the run goes, under the names that the dialect has for it.
pub(super) fn put_status(variables: &mut Variables, dialect: Dialect, so_far: &SoFar) {
    let status = if so_far.failed { "failure" } else { "success" };
    let (statuses, stage_began, run_began, now): (&[&str], &[&str], &[&str], &[&str]) =
        match dialect {
            Dialect::Drone08 => (
                &[
                    "CI_BUILD_STATUS",
                    "CI_JOB_STATUS",
                    "DRONE_BUILD_STATUS",
                    "DRONE_JOB_STATUS",
                ],
                &["CI_JOB_STARTED", "DRONE_JOB_STARTED"],
                &["CI_BUILD_STARTED", "DRONE_BUILD_STARTED"],
                &[
                    "CI_BUILD_FINISHED",
                    "CI_JOB_FINISHED",
                    "DRONE_BUILD_FINISHED",
                    "DRONE_JOB_FINISHED",
                ],
            ),
            Dialect::Drone => (
                &[
                    "CI_BUILD_STATUS",
                    "DRONE_BUILD_STATUS",
                    "DRONE_STAGE_STATUS",
                ],
                &["DRONE_STAGE_STARTED"],
                &["CI_BUILD_STARTED", "DRONE_BUILD_STARTED"],
                &["DRONE_BUILD_FINISHED", "DRONE_STAGE_FINISHED"],
            ),
            Dialect::Woodpecker => (
                &["CI_PIPELINE_STATUS"],
                &[],
                &["CI_PIPELINE_STARTED"],
                &["CI_STEP_STARTED"],
            ),
            Dialect::GitHub => return,
        };
    let mut put = |names: &[&str], value: &str| {
        for name in names {
            variables.insert((*name).to_owned(), value.to_owned());
        }
    };
    put(statuses, status);
    put(stage_began, &so_far.stage_began.to_string());
    put(run_began, &so_far.run_began.to_string());
    put(now, &clock::now().as_second().to_string());
    if dialect == Dialect::Drone {
        put(&["DRONE_FAILED_STEPS"], &so_far.failed_steps.join(","));
    }
    // Plugins that were made for Drone get its variables too.
    if dialect == Dialect::Woodpecker && variables.contains_key("DRONE_BUILD_STATUS") {
        variables.insert("DRONE_BUILD_STATUS".to_owned(), status.to_owned());
    }
}

/// Variables as a process gets them.
pub(super) fn lines(variables: &Variables) -> Vec<String> {
    variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}
