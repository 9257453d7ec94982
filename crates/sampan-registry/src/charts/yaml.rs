//! YAML that every reader takes alike.
//!
//! Texts and keys are always quoted: readers of YAML 1.1 and 1.2 disagree on which plain words are texts, and versions such
//! as `1.10` must stay what they are.

use std::fmt::Write as _;

use serde_json::Value;

/// The document of a value; mappings are in the order of their keys.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    block(&mut text, value, 0);
    text
}

/// Writes a value where a line begins; what contains more goes on in the lines below.
fn block(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            for (place, (name, value)) in fields.into_iter().enumerate() {
                // The first one stands behind the dash of a list, if there is one.
                if place > 0 || text.ends_with('\n') {
                    indent(text, depth);
                }
                key(text, name);
                text.push(':');
                child(text, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                indent(text, depth);
                text.push_str("- ");
                block(text, item, depth + 1);
            }
        }
        scalar => {
            flow(text, scalar);
            text.push('\n');
        }
    }
}

/// Writes the value behind a key.
fn child(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            block(text, value, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            block(text, value, depth);
        }
        scalar => {
            text.push(' ');
            flow(text, scalar);
            text.push('\n');
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// Fields have names that nobody takes for anything else.
fn key(text: &mut String, name: &str) {
    let is_word = name.len() > 3 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_word
        && !matches!(
            name.to_ascii_lowercase().as_str(),
            "true" | "false" | "null"
        )
    {
        text.push_str(name);
    } else {
        quoted(text, name);
    }
}

fn flow(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => quoted(text, string),
        other => write!(text, "{other}").expect("writing to a string cannot fail"),
    }
}

/// A text between double quotes. What JSON may leave as it is but YAML may not has its number.
fn quoted(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            ' '..='~' | '\u{10000}'.. => text.push(character),
            '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
                if !matches!(character, '\u{2028}' | '\u{2029}') =>
            {
                text.push(character);
            }
            other => write!(text, "\\u{:04x}", u32::from(other))
                .expect("writing to a string cannot fail"),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let value = json!({
            "entries": {"web": [{"version": "1.10", "urls": ["a", "b"], "list": [[1, 2], [], {}], "on": "yes"}, {"a": {}}]},
            "no": [], "text": "a: b # c\n\t\"d\" \\ é 😀 \u{1}\u{7f}\u{85}\u{feff}\u{2028}", "null": null, "x": true, "1": 1.5,
        });
        let text = document(&value);
        let documents = sampan_model::yaml::documents("index.yaml", &text).unwrap();
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].to_json(), value, "{text}");
    }

    #[test]
    fn it_looks_like_other_indexes() {
        let value = json!({"entries": {"web": [{"name": "web", "urls": ["a"]}, {"name": "web"}]}, "apiVersion": "v1"});
        assert_eq!(
            document(&value),
            "apiVersion: \"v1\"\nentries:\n  \"web\":\n  - name: \"web\"\n    urls:\n    - \"a\"\n  - name: \"web\"\n"
        );
    }
}
