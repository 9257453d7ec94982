//! The columns that a definition adds to the tables of its objects.

use jiff::Timestamp;
use serde_json::{Value, json};

/// A column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Printer {
    name: String,
    kind: String,
    format: String,
    priority: i64,
    path: String,
}

impl Printer {
    /// Reads the columns of a version; without any there is the age.
    pub(super) fn all(columns: &Value) -> Vec<Self> {
        let text =
            |column: &Value, field: &str| column[field].as_str().unwrap_or_default().to_owned();
        let columns = columns.as_array().map(|columns| {
            let columns = columns.iter().map(|column| Self {
                name: text(column, "name"),
                kind: text(column, "type"),
                format: text(column, "format"),
                priority: column["priority"].as_i64().unwrap_or(0),
                path: text(column, "jsonPath"),
            });
            columns.collect()
        });
        columns
            .filter(|columns: &Vec<Self>| !columns.is_empty())
            .unwrap_or_else(|| {
                vec![Self {
                    name: "Age".to_owned(),
                    kind: "date".to_owned(),
                    format: String::new(),
                    priority: 0,
                    path: ".metadata.creationTimestamp".to_owned(),
                }]
            })
    }

    /// The column's definition in a table.
    pub(crate) fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": "",
            "priority": self.priority,
        })
    }

    /// The column's cell for an object.
    pub(crate) fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let found = find(object, &self.path);
        match found.as_slice() {
            [] => Value::Null,
            [one] if self.kind == "date" => {
                let time = one.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                let text = time.map_or_else(
                    || "<invalid>".to_owned(),
                    |time| crate::table::age(now.as_second() - time.as_second()),
                );
                text.into()
            }
            [one] if self.kind == "string" && !one.is_string() => one.to_string().into(),
            [one] => (*one).clone(),
            several => {
                let texts: Vec<String> = several.iter().map(|one| written(one)).collect();
                texts.join(",").into()
            }
        }
    }
}

/// A value as text: a text without its quotes.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a simple JSON path finds: fields, indexes, `[*]` and `[?(@.field=="value")]`.
fn find<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![object];
    let mut rest = path.trim_start_matches('{').trim_end_matches('}');
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let Some((step, after)) = split_bracket(inner) else {
                return Vec::new();
            };
            found = found
                .into_iter()
                .flat_map(|value| take(value, step))
                .collect();
            rest = after;
        } else {
            let name = rest.trim_start_matches('.');
            let end = field_end(name);
            let (field, after) = name.split_at(end);
            if field.is_empty() {
                return Vec::new();
            }
            let field = field.replace("\\.", ".");
            found = found
                .into_iter()
                .filter_map(|value| value.get(&field))
                .collect();
            rest = after;
        }
    }
    found
}

/// Where the name of a field ends: at a dot that is not escaped, or at a bracket.
fn field_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .find(|&at| bytes[at] == b'[' || bytes[at] == b'.' && (at == 0 || bytes[at - 1] != b'\\'))
        .unwrap_or(bytes.len())
}

/// What is in brackets, which may be nested in a filter, and what follows.
fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0;
    for (at, sign) in text.char_indices() {
        match sign {
            '[' => depth += 1,
            ']' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn take<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    let items = || value.as_array().into_iter().flatten();
    if step == "*" {
        return items().collect();
    }
    if let Some(filter) = step
        .strip_prefix("?(@")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let Some((path, wanted)) = filter.split_once("==") else {
            return Vec::new();
        };
        let wanted = wanted.trim().trim_matches(['"', '\'']);
        let fits = |item: &&Value| {
            let found = find(item, path.trim());
            found.into_iter().any(|found| written(found) == wanted)
        };
        return items().filter(fits).collect();
    }
    let name = step.trim_matches(['"', '\'']);
    let found = match step.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(name),
    };
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_fields_items_and_conditions() {
        let object = json!({
            "metadata": {"annotations": {"a.b/c": "x"}},
            "spec": {"size": 3, "hosts": [{"name": "a"}, {"name": "b"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        for (path, expected) in [
            (".spec.size", vec![json!(3)]),
            (".spec.hosts[*].name", vec![json!("a"), json!("b")]),
            (".spec.hosts[1].name", vec![json!("b")]),
            (
                r#".status.conditions[?(@.type=="Ready")].status"#,
                vec![json!("True")],
            ),
            (r".metadata.annotations.a\.b/c", vec![json!("x")]),
            (".spec.none.deep", vec![]),
        ] {
            let found: Vec<Value> = find(&object, path).into_iter().cloned().collect();
            assert_eq!(found, expected, "{path}");
        }
    }
}
