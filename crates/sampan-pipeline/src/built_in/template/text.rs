//! Values as text.

use super::Value;

/// A value as it is printed.
pub(super) fn of(value: &Value) -> String {
    match value {
        Value::Nothing => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(items) => items.iter().map(of).collect(),
        Value::Record(record) => record.text.clone().unwrap_or_else(|| {
            // As Go prints a struct.
            let fields: Vec<_> = record.fields.iter().map(|(_, value)| of(value)).collect();
            format!("{{{}}}", fields.join(" "))
        }),
    }
}

/// About what it costs to make or copy a value, in items and in pieces of text.
pub(super) fn weight(value: &Value) -> usize {
    const PIECE_BYTES: usize = 256;
    match value {
        Value::Text(text) => text.len() / PIECE_BYTES,
        Value::List(items) => items.iter().map(|item| 1 + weight(item)).sum(),
        // Records are shared.
        _ => 0,
    }
}

/// Whether a value counts as something.
pub(super) fn is_something(value: &Value) -> bool {
    match value {
        Value::Nothing => false,
        Value::Bool(value) => *value,
        Value::Number(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Record(_) => true,
    }
}

/// The text with the characters escaped that mean something in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => result.push_str("&amp;"),
            '\'' => result.push_str("&apos;"),
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '"' => result.push_str("&quot;"),
            c => result.push(c),
        }
    }
    result
}

/// The text with each word's first letter as a capital.
pub(super) fn title(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut is_start = true;
    for c in text.chars() {
        if is_start {
            result.extend(c.to_uppercase());
        } else {
            result.push(c);
        }
        is_start = !(c.is_alphanumeric() || c == '_');
    }
    result
}
