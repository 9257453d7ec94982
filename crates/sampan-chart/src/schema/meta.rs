//! What a schema must be itself, which Helm 4 looks at first.

use super::json::Json;
use super::node::TYPES;

/// The faults of a document as a schema, in lines; none for a good one.
pub(super) fn faults(document: &Json, draft: u32) -> Option<String> {
    let mut lines = Vec::new();
    match document {
        Json::Object(_) => schema(document, "", draft, &mut lines),
        Json::Bool(_) if draft >= 6 => {}
        other => {
            let wanted = if draft >= 6 {
                "boolean or object"
            } else {
                "object"
            };
            lines.push(format!("at '': got {}, want {wanted}", other.type_name()));
        }
    }
    if lines.is_empty() {
        return None;
    }
    if draft < 2019 {
        let lines: Vec<_> = lines.iter().map(|line| indented(line, "- ", 0)).collect();
        return Some(lines.join("\n"));
    }
    // The newer editions are put together of several vocabularies.
    if matches!(document, Json::Object(_)) {
        let lines: Vec<_> = lines.iter().map(|line| indented(line, "- ", 1)).collect();
        return Some(format!("- at '': 'allOf' failed\n{}", lines.join("\n")));
    }
    Some(format!("- {}", lines.join("\n- ")))
}

/// A fault and its causes, one deeper each.
fn indented(fault: &str, mark: &str, by: usize) -> String {
    let lines = fault.lines().map(|line| {
        let own = line.len() - line.trim_start().len();
        format!("{}{mark}{}", " ".repeat(by * 2 + own), line.trim_start())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Keywords whose values are schemas.
const SCHEMAS: [&str; 11] = [
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "additionalProperties",
    "additionalItems",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];

/// Keywords whose values are tables of schemas.
const TABLES: [&str; 5] = [
    "properties",
    "patternProperties",
    "definitions",
    "$defs",
    "dependentSchemas",
];

/// Keywords whose values are lists of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords with plain values, and what these must be.
const PLAIN: [(&str, &str); 24] = [
    ("$id", "string"),
    ("$ref", "string"),
    ("$comment", "string"),
    ("title", "string"),
    ("description", "string"),
    ("pattern", "string"),
    ("format", "string"),
    ("enum", "array"),
    ("required", "array"),
    ("uniqueItems", "boolean"),
    ("multipleOf", "number"),
    ("minimum", "number"),
    ("maximum", "number"),
    ("exclusiveMinimum", "number"),
    ("exclusiveMaximum", "number"),
    ("minLength", "integer"),
    ("maxLength", "integer"),
    ("minItems", "integer"),
    ("maxItems", "integer"),
    ("minProperties", "integer"),
    ("maxProperties", "integer"),
    ("minContains", "integer"),
    ("maxContains", "integer"),
    ("dependentRequired", "object"),
];

fn schema(json: &Json, at: &str, draft: u32, lines: &mut Vec<String>) {
    let Json::Object(entries) = json else {
        if !matches!(json, Json::Bool(_)) {
            lines.push(format!(
                "at '{at}': got {}, want boolean or object",
                json.type_name()
            ));
        }
        return;
    };
    for (key, value) in entries {
        let at = format!("{at}/{key}");
        if SCHEMAS.contains(&key.as_str()) || (key == "items" && draft >= 2020) {
            schema(value, &at, draft, lines);
        } else if TABLES.contains(&key.as_str()) {
            parts(value, "object", &at, draft, lines);
        } else if LISTS.contains(&key.as_str())
            || (key == "items" && matches!(value, Json::Array(_)))
        {
            parts(value, "array", &at, draft, lines);
        } else if key == "items" {
            schema(value, &at, draft, lines);
        } else if key == "type" {
            types(value, &at, lines);
        } else if let Some((_, wanted)) = PLAIN.iter().find(|(known, _)| known == key) {
            plain(value, wanted, &at, draft, lines);
        }
    }
}

fn plain(value: &Json, wanted: &str, at: &str, draft: u32, lines: &mut Vec<String>) {
    let is_count = matches!(value, Json::Number(number) if number.is_whole());
    let is_switch = draft == 4 && at.contains("/exclusiveM") && matches!(value, Json::Bool(_));
    match value {
        _ if is_switch || value.type_name() == wanted || (wanted == "integer" && is_count) => {
            if let Json::Number(number) = value {
                if wanted == "integer" && number.is_negative() {
                    lines.push(format!(
                        "at '{at}': minimum: got {}, want 0",
                        number.english()
                    ));
                }
                if at.ends_with("/multipleOf") && (number.is_negative() || number.is_zero()) {
                    lines.push(format!(
                        "at '{at}': exclusiveMinimum: got {}, want 0",
                        number.english()
                    ));
                }
            }
        }
        other => lines.push(format!(
            "at '{at}': got {}, want {wanted}",
            other.type_name()
        )),
    }
}

fn parts(value: &Json, wanted: &str, at: &str, draft: u32, lines: &mut Vec<String>) {
    match value {
        Json::Object(entries) if wanted == "object" => {
            for (key, value) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                schema(value, &format!("{at}/{key}"), draft, lines);
            }
        }
        Json::Array(items) if wanted == "array" => {
            for (index, item) in items.iter().enumerate() {
                schema(item, &format!("{at}/{index}"), draft, lines);
            }
        }
        other => lines.push(format!(
            "at '{at}': got {}, want {wanted}",
            other.type_name()
        )),
    }
}

fn types(value: &Json, at: &str, lines: &mut Vec<String>) {
    let known = |value: &Json| matches!(value, Json::Text(name) if TYPES.contains(&name.as_str()));
    let names =
        "value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'";
    let list = match value {
        Json::Array(items) if items.iter().all(known) => return,
        value if known(value) => return,
        Json::Array(items) => {
            let wrong = items.iter().position(|item| !known(item)).unwrap_or(0);
            format!("at '{at}/{wrong}': {names}")
        }
        other => format!("at '{at}': got {}, want array", other.type_name()),
    };
    lines.push(format!(
        "at '{at}': 'anyOf' failed\n  at '{at}': {names}\n  {list}"
    ));
}
