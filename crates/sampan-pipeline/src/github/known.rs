//! What is known before a run, and what follows from it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use sampan_model::yaml::{Content, Node};

use super::event::WHILE_RUNNING;
use super::field::{Condition, parse_condition};
use super::{scalar, scope};
use crate::expression::{Object, Reference, Runtime, Text, Value};
use crate::graph::RunWhen;

/// The contexts that are known before a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) github: Arc<Object>,
    pub(super) inputs: Arc<Object>,
    /// Inputs of a called workflow that only the run can tell.
    pub(super) late_inputs: Vec<String>,
    pub(super) vars: Arc<Object>,
    /// The combination and the strategy of a job; `None` before they are looked at.
    pub(super) job: Option<(Value, Value)>,
    /// What the jobs before have given, once they have ended.
    pub(super) needs: Option<Value>,
    /// Whether none of the contexts is known, as in an action before it is used.
    pub(super) is_open: bool,
    /// How much may still be made.
    pub(super) room: Room,
}

/// What all stages of a graph may take together. Each variant of a job has texts of its own, and expressions can make
/// large ones.
#[derive(Debug, Clone)]
pub(super) struct Room(Rc<Cell<usize>>);

/// How many bytes the texts of a graph may have, with what each value takes by itself.
pub(super) const LIMIT_BYTES: usize = 128 << 20;
/// What a value takes by itself.
const VALUE_BYTES: usize = 256;

impl Default for Room {
    fn default() -> Self {
        Self(Rc::new(Cell::new(LIMIT_BYTES)))
    }
}

impl Room {
    /// Takes room for a text; without enough of it, there is none from then on.
    fn take(&self, text: &str) {
        self.0
            .set(self.0.get().saturating_sub(text.len() + VALUE_BYTES));
    }

    /// Takes room for a value; whether there is a text in it that looks like an expression.
    fn takes_expression(&self, value: &Value) -> bool {
        match value {
            Value::Null | Value::Boolean(_) | Value::Number(_) => {
                self.take("");
                false
            }
            Value::String(text) => {
                self.take(text);
                text.contains("${{")
            }
            Value::Array(items) | Value::Filtered(items) => {
                items.iter().any(|item| self.takes_expression(item))
            }
            Value::Object(object) => object.iter().any(|(name, value)| {
                self.take(name);
                name.contains("${{") || self.takes_expression(value)
            }),
        }
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.0.get() == 0
    }
}

impl Runtime for Known {
    fn context(&self, name: &str) -> Option<Value> {
        match &*name.to_ascii_lowercase() {
            "github" => Some(Value::Object(Arc::clone(&self.github))),
            "inputs" => Some(Value::Object(Arc::clone(&self.inputs))),
            "vars" => Some(Value::Object(Arc::clone(&self.vars))),
            "matrix" => self.job.as_ref().map(|(matrix, _)| matrix.clone()),
            "strategy" => self.job.as_ref().map(|(_, strategy)| strategy.clone()),
            "needs" => self.needs.clone(),
            _ => None,
        }
    }
}

impl Known {
    fn has(&self, reference: &Reference) -> bool {
        if self.is_open {
            return false;
        }
        let property = reference.property.as_deref();
        match &*reference.context {
            "github" => property.is_some_and(|property| {
                !WHILE_RUNNING
                    .iter()
                    .any(|late| late.eq_ignore_ascii_case(property))
            }),
            "inputs" => match property {
                Some(property) => !self
                    .late_inputs
                    .iter()
                    .any(|late| late.eq_ignore_ascii_case(property)),
                None => self.late_inputs.is_empty(),
            },
            "vars" => true,
            "matrix" | "strategy" => self.job.is_some(),
            "needs" => self.needs.is_some(),
            _ => false,
        }
    }

    /// The value of a text when nothing is missing for it.
    pub(super) fn text(&self, text: &str) -> Option<Value> {
        let parsed = Text::parse(text, &scope::EVERYWHERE).ok()?;
        let known = parsed
            .expressions()
            .all(|expression| !expression.asks_for_status() && !expression.asks_for_files());
        let references = parsed.references();
        if !known || !references.iter().all(|reference| self.has(reference)) {
            return None;
        }
        // What has no value now has none later; the run says why where it is needed.
        parsed.evaluate(self).ok()
    }

    /// Whether a condition holds, when nothing is missing for it.
    pub(super) fn condition(&self, text: &str) -> Option<bool> {
        let condition = parse_condition(text, &scope::EVERYWHERE).ok()?;
        let files = match &condition {
            Condition::Expression(expression) => expression.asks_for_files(),
            Condition::Text(text) => text
                .expressions()
                .any(crate::expression::Expression::asks_for_files),
        };
        let references = condition.references();
        if files
            || condition.asks_for_status()
            || !references.iter().all(|reference| self.has(reference))
        {
            return None;
        }
        let value = condition.evaluate(self).ok()?;
        Some(value.is_truthy())
    }

    /// The node with the values of all expressions for which nothing is missing. Conditions stay as they are.
    pub(super) fn reduce(&self, node: &Node) -> Node {
        self.room.take(node.as_str().unwrap_or_default());
        let content = match &node.content {
            Content::String(text, _) if text.contains("${{") && !self.room.is_used_up() => {
                match self.text(text) {
                    // Text that looks like an expression came from outside, and must not become one.
                    Some(value) if !self.room.takes_expression(&value) => {
                        return scalar::node(&value, &node.location);
                    }
                    _ => node.content.clone(),
                }
            }
            Content::Sequence(items) => {
                Content::Sequence(items.iter().map(|item| self.reduce(item)).collect())
            }
            Content::Mapping(entries) => Content::Mapping(
                entries
                    .iter()
                    .map(|(key, node)| {
                        let node = if key.name == "if" {
                            node.clone()
                        } else {
                            self.reduce(node)
                        };
                        (key.clone(), node)
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node {
            location: node.location.clone(),
            content,
        }
    }
}

/// How what comes before must have ended, for the conditions that say nothing else.
pub(super) fn by_status(text: &str) -> Option<RunWhen> {
    let text = text.trim();
    let bare = text
        .strip_prefix("${{")
        .and_then(|text| text.strip_suffix("}}"))
        .unwrap_or(text);
    let (success, failure) = match bare.trim() {
        "always()" => (true, true),
        "success()" => (true, false),
        "failure()" => (false, true),
        _ => return None,
    };
    Some(RunWhen::Status { success, failure })
}
