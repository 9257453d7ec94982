//! What is no error in a workflow, but likely not meant.

use super::super::Workflow;
use super::super::field::{Condition, parse_condition};
use super::super::job::Kind;
use super::super::scope;
use super::super::step::{Does, Step};
use crate::graph::{Expression, Reason};

/// What to say of a workflow.
pub(super) fn of(workflow: &Workflow) -> Vec<Reason> {
    let mut notes = Vec::new();
    for trigger in &workflow.on.events {
        for (filter, location) in &trigger.ignored {
            notes.push(Reason {
                location: Some(location.clone()),
                text: format!(
                    "`{filter}` has no meaning for the event `{}`, which runs whatever it says",
                    trigger.event
                ),
            });
        }
    }
    for trigger in &workflow.on.events {
        let filters = [
            ("branches", &trigger.branches),
            ("tags", &trigger.tags),
            ("paths", &trigger.paths),
        ];
        for (key, filter) in filters {
            let Some(filter) = filter
                .as_ref()
                .filter(|filter| !filter.patterns.can_choose())
            else {
                continue;
            };
            notes.push(Reason {
                location: Some(filter.location.clone()),
                text: format!(
                    "`{key}` of `{}` chooses nothing: patterns with `!` only take back",
                    trigger.event
                ),
            });
        }
    }
    for job in &workflow.jobs {
        notes.extend(job.condition.as_ref().and_then(always_holds));
        if let Kind::Steps(body) = &job.kind {
            of_steps(&body.steps, &mut notes);
        }
    }
    notes
}

fn of_steps(steps: &[Step], notes: &mut Vec<Reason>) {
    for step in steps {
        notes.extend(step.condition.as_ref().and_then(always_holds));
        if let Does::Parallel(steps) = &step.does {
            of_steps(steps, notes);
        }
    }
}

/// `${{ a }} && b` is a text, and no text but the empty one fails.
fn always_holds(condition: &Expression) -> Option<Reason> {
    let parsed = parse_condition(&condition.expression, &scope::EVERYWHERE).ok()?;
    matches!(parsed, Condition::Text(_)).then(|| Reason {
        location: Some(condition.location.clone()),
        text: "the condition always holds: there is text around its `${{ }}`, which makes all of it a text"
            .to_owned(),
    })
}
