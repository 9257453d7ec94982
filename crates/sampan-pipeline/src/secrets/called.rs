//! Secrets of workflows that others call: they have what the caller hands them, under their own names.

use std::collections::BTreeMap;

use crate::github::plan::Plan;
use crate::graph::{Expression, Text};

/// The token of the run, which every workflow has.
const TOKEN: &str = "GITHUB_TOKEN";

/// Gives the value of an expression of who calls: the id of the call, the expression, and the secrets that the caller has.
pub type Evaluate<'a, E> =
    dyn FnMut(&str, &Expression, &BTreeMap<String, String>) -> Result<String, E> + 'a;

/// The context `secrets` of a stage: `own` where no call led to it, else what was handed from call to call.
///
/// # Errors
/// The first error of `evaluate`.
pub fn context_in_call<E>(
    plan: &Plan,
    stage: &str,
    own: BTreeMap<String, String>,
    evaluate: &mut Evaluate<'_, E>,
) -> Result<BTreeMap<String, String>, E> {
    // The id of a call is the beginning of all that it leads to; shorter ones are further out.
    let mut calls: Vec<_> = plan
        .calls
        .iter()
        .filter(|(call, _)| {
            stage
                .strip_prefix(call.as_str())
                .is_some_and(|rest| rest.starts_with(" / "))
        })
        .collect();
    calls.sort_by_key(|(call, _)| call.len());
    let mut secrets = own;
    for (call, scope) in calls {
        let Some(handed) = &scope.secrets else {
            continue;
        };
        let mut inner = BTreeMap::new();
        for (name, text) in handed {
            let value = match text {
                Text::Now(value) => value.clone(),
                Text::Later(expression) => evaluate(call, expression, &secrets)?,
            };
            // An empty secret is none.
            if !value.is_empty() {
                inner.insert(name.to_uppercase(), value);
            }
        }
        if let Some(token) = secrets.remove(TOKEN) {
            inner.entry(TOKEN.to_owned()).or_insert(token);
        }
        secrets = inner;
    }
    Ok(secrets)
}
