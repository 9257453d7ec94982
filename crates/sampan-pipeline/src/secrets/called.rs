//! Secrets of workflows that others call: they have what the caller hands them, under their own names.

use std::collections::BTreeMap;

use super::{Asker, Rule, Secret, Secrets};
use crate::github::plan::Plan;
use crate::graph::{Expression, Text, is_within_call};

/// The token of the run, which every workflow has.
const TOKEN: &str = "GITHUB_TOKEN";

/// Gives the value of an expression of who calls: the id of the call, the expression, and the context `secrets` there.
pub type Evaluate<'a, E> =
    dyn FnMut(&str, &Expression, &BTreeMap<String, String>) -> Result<String, E> + 'a;

/// The secrets of a stage: those of the project where no call led to it, else what was handed from call to call. Secrets
/// that only certain images may have can be handed on as a whole (`inherit`), and not one by one under another name.
///
/// # Errors
/// The first error of `evaluate`.
pub fn secrets_in_call<E>(
    plan: &Plan,
    stage: &str,
    (own, of_build): (&Secrets, &Asker<'_>),
    evaluate: &mut Evaluate<'_, E>,
) -> Result<Secrets, E> {
    // The id of a call is the beginning of all that it leads to; shorter ones are further out.
    let mut calls: Vec<_> = plan
        .calls
        .iter()
        .filter(|(call, _)| is_within_call(stage, call))
        .collect();
    calls.sort_by_key(|(call, _)| call.len());
    let mut secrets = own.clone();
    for (call, scope) in calls {
        let Some(handed) = &scope.secrets else {
            continue;
        };
        let outer = secrets.of(of_build).context();
        let mut inner = Secrets::default();
        if let Some(token) = secrets.secret(TOKEN) {
            inner.add(token.clone());
        }
        for (name, text) in handed {
            let value = match text {
                Text::Now(value) => value.clone(),
                Text::Later(expression) => evaluate(call, expression, &outer)?,
            };
            // An empty secret is none.
            if !value.is_empty() {
                inner.add(Secret {
                    name: name.clone(),
                    value: value.into(),
                    rule: Rule::for_this_run(),
                });
            }
        }
        secrets = inner;
    }
    Ok(secrets)
}
