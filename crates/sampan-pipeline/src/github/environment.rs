//! The variables that every step has.

use std::collections::BTreeMap;

use super::action::Action;
use super::scope;
use crate::expression::{EvaluateError, Object, Runtime, Text, Value};
use crate::graph::{Deferred, Expression};

/// The properties of `github` that are variables too.
const FROM_GITHUB: [&str; 38] = [
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "actor",
    "actor_id",
    "api_url",
    "base_ref",
    "env",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "output",
    "path",
    "ref",
    "ref_name",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "server_url",
    "sha",
    "state",
    "step_summary",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
    "artifacts_list",
];

/// `CI`, `GITHUB_…` and `RUNNER_…`, from the contexts of these names. A step cannot replace them.
#[must_use]
pub fn defaults(github: &Object, runner: &Object) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::from([
        ("CI".to_owned(), "true".to_owned()),
        ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
    ]);
    for (prefix, object) in [("GITHUB", github), ("RUNNER", runner)] {
        for (name, value) in object.iter() {
            let lower = name.to_ascii_lowercase();
            let passed = prefix == "RUNNER" || FROM_GITHUB.contains(&&*lower);
            if passed && matches!(value, Value::String(_) | Value::Boolean(_)) {
                variables.insert(
                    format!("{prefix}_{}", name.to_ascii_uppercase()),
                    value.to_text().to_string(),
                );
            }
        }
    }
    variables
}

/// The inputs of an action: what the step gives, and the defaults of the rest. Names are in the action's own spelling.
///
/// # Errors
/// [`EvaluateError`] when a default has no value.
pub fn inputs(
    action: &Action,
    given: &BTreeMap<String, String>,
    runtime: &dyn Runtime,
) -> Result<BTreeMap<String, String>, EvaluateError> {
    // What the action does not declare reaches it all the same.
    let mut inputs: BTreeMap<String, String> = given
        .iter()
        .filter(|(name, _)| action.input(name).is_none())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for input in &action.inputs {
        let given = given
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&input.name));
        let value = match (given, &input.default) {
            (Some((_, value)), _) => value.clone(),
            (None, Some(default)) => text(default, runtime)?,
            (None, None) => String::new(),
        };
        inputs.insert(input.name.clone(), value);
    }
    Ok(inputs)
}

/// The variables by which an action that is a program reads its inputs: `INPUT_` and the name in capitals.
#[must_use]
pub fn input_variables(inputs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    inputs
        .iter()
        .map(|(name, value)| {
            let name = name.replace(' ', "_").to_uppercase();
            (format!("INPUT_{name}"), value.clone())
        })
        .collect()
}

/// The value of a text of the graph.
///
/// # Errors
/// [`EvaluateError`] when an expression in it has no value.
pub fn text(text: &crate::graph::Text, runtime: &dyn Runtime) -> Result<String, EvaluateError> {
    match text {
        Deferred::Now(text) => Ok(text.clone()),
        Deferred::Later(later) => Ok(value(later, runtime)?.to_text().to_string()),
    }
}

/// The value of an expression of the graph: a text with expressions in it.
///
/// # Errors
/// [`EvaluateError`] when an expression in it has no value.
pub fn value(later: &Expression, runtime: &dyn Runtime) -> Result<Value, EvaluateError> {
    match Text::parse(&later.expression, &scope::EVERYWHERE) {
        Ok(text) => text.evaluate(runtime),
        // The graph only holds texts that were looked at.
        Err(_) => Ok(Value::Null),
    }
}

/// Whether a condition of the graph holds.
///
/// # Errors
/// [`EvaluateError`] when it has no value.
pub fn condition(condition: &Expression, runtime: &dyn Runtime) -> Result<bool, EvaluateError> {
    match super::field::parse_condition(&condition.expression, &scope::EVERYWHERE) {
        Ok(parsed) => Ok(parsed.evaluate(runtime)?.is_truthy()),
        // The graph only holds conditions that were looked at.
        Err(_) => Ok(false),
    }
}
