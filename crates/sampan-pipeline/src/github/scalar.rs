//! Scalars as GitHub reads them: YAML 1.2, in which `on` and `yes` are texts and `010` is ten.
//!
//! What is a number is a number everywhere, also where text is asked for: `python-version: 3.10` is the text `3.1`.

use sampan_model::yaml::{Content, Key, Location, Node, ScalarStyle, Written};
use serde_json::Number;

use crate::expression::Value;

/// The value of a node; expressions in it stay texts.
pub(super) fn value(node: &Node) -> Value {
    match &node.content {
        Content::Null => Value::Null,
        Content::Bool(written) => match &*written.text {
            "true" | "True" | "TRUE" => Value::Boolean(true),
            "false" | "False" | "FALSE" => Value::Boolean(false),
            text => Value::text(text),
        },
        Content::Number(written) => {
            number(&written.text).map_or_else(|| Value::text(&written.text), Value::Number)
        }
        Content::String(text, _) => Value::text(text),
        Content::Sequence(items) => Value::list(items.iter().map(value)),
        Content::Mapping(entries) => {
            Value::object(entries.iter().map(|(key, node)| (&key.name, value(node))))
        }
    }
}

/// The text of a scalar; nothing for lists and mappings.
pub(super) fn text(node: &Node) -> Option<String> {
    match &node.content {
        Content::Sequence(_) | Content::Mapping(_) => None,
        Content::String(text, _) => Some(text.clone()),
        _ => Some(value(node).to_text().to_string()),
    }
}

/// A node that stands for a value.
pub(super) fn node(value: &Value, location: &Location) -> Node {
    let content = match value {
        Value::Null => Content::Null,
        Value::Boolean(value) => Content::Bool(Written {
            value: *value,
            text: value.to_string(),
        }),
        Value::Number(number) => match Number::from_f64(*number) {
            Some(value) => Content::Number(Written {
                value,
                // With all digits: a number that is text later is cut to 15 of them there.
                text: number.to_string(),
            }),
            None => Content::String(value_text(value), ScalarStyle::Text),
        },
        Value::String(_) => Content::String(value_text(value), ScalarStyle::Text),
        Value::Array(items) | Value::Filtered(items) => {
            Content::Sequence(items.iter().map(|item| node(item, location)).collect())
        }
        Value::Object(object) => Content::Mapping(
            object
                .iter()
                .map(|(name, value)| {
                    let key = Key {
                        name: name.to_owned(),
                        location: location.clone(),
                    };
                    (key, node(value, location))
                })
                .collect(),
        ),
    };
    Node {
        location: location.clone(),
        content,
    }
}

fn value_text(value: &Value) -> String {
    value.to_text().to_string()
}

/// The number of an unquoted text by the core schema of YAML 1.2.
fn number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(wide);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(wide);
    }
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    text.chars()
        .all(decimal)
        .then(|| text.parse().ok())
        .flatten()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are no other numbers than double precision"
)]
fn wide(number: u64) -> f64 {
    number as f64
}
