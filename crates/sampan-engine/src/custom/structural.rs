//! The schemas of custom resources: defaults, unknown fields, and values that are not allowed.
//!
//! What a schema says of types, fields, numbers, lengths, enumerations and lists is applied. Expressions
//! (`x-kubernetes-validations`), patterns, and combinations (`anyOf` and the like) are kept and not applied.

use serde_json::{Map, Value};

use crate::error::{Cause, CauseReason};

/// How deep schemas are followed.
const DEEPEST: usize = 64;

/// Fields of every object that no schema describes.
const OF_ALL: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// A step into an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Item(usize),
}

/// Fills in what the schema gives defaults for.
pub(crate) fn fill(schema: &Value, value: &mut Value) {
    fill_at(schema, value, 0);
}

fn fill_at(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, schema) in properties(schema) {
                if depth == 0 && OF_ALL.contains(&name.as_str()) {
                    continue;
                }
                if !fields.contains_key(name)
                    && let Some(default) = schema.get("default")
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(child) = fields.get_mut(name) {
                    fill_at(schema, child, depth + 1);
                }
            }
            if let Some(others) = others(schema) {
                let named = |name: &str| schema["properties"].get(name).is_some();
                for (name, child) in fields.iter_mut() {
                    if !named(name) {
                        fill_at(others, child, depth + 1);
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                fill_at(&schema["items"], item, depth + 1);
            }
        }
        _ => {}
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The schema of fields that are data, not names.
fn others(schema: &Value) -> Option<&Value> {
    schema
        .get("additionalProperties")
        .filter(|others| others.is_object())
}

fn keeps_unknown(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
        || schema["additionalProperties"] == true
        // Without any word about fields there is nothing to compare with.
        || schema.get("properties").is_none() && schema.get("additionalProperties").is_none() && schema["type"] != "object"
}

/// The places of fields that the schema does not know.
pub(crate) fn unknown(schema: &Value, object: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    if !schema.is_null() {
        unknown_at(schema, object, &mut Vec::new(), &mut found);
    }
    found
}

fn unknown_at(schema: &Value, value: &Value, place: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if place.len() > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, child) in fields {
                let embedded = place.is_empty() || schema["x-kubernetes-embedded-resource"] == true;
                if embedded && OF_ALL.contains(&name.as_str()) {
                    continue;
                }
                place.push(Step::Field(name.clone()));
                match schema["properties"].get(name).or_else(|| others(schema)) {
                    Some(schema) => unknown_at(schema, child, place, found),
                    None if keeps_unknown(schema) => {}
                    None => found.push(place.clone()),
                }
                place.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                place.push(Step::Item(index));
                unknown_at(&schema["items"], item, place, found);
                place.pop();
            }
        }
        _ => {}
    }
}

/// What is wrong with the values of an object.
pub(crate) fn causes(schema: &Value, object: &Value) -> Vec<Cause> {
    let mut found = Vec::new();
    check(schema, object, "", 0, &mut found);
    found
}

fn check(schema: &Value, value: &Value, path: &str, depth: usize, found: &mut Vec<Cause>) {
    if depth > DEEPEST || value.is_null() && schema["nullable"] == true {
        return;
    }
    let invalid = |reason, message: String| Cause {
        reason,
        field: if path.is_empty() {
            "<nil>".to_owned()
        } else {
            path.to_owned()
        },
        message,
    };
    if let Some(wanted) = wrong_type(schema, value) {
        let message = format!(
            "Invalid value: {value}: {} in body must be of type {wanted}: \"{}\"",
            if path.is_empty() { "<nil>" } else { path },
            type_name(value)
        );
        found.push(invalid(CauseReason::TypeInvalid, message));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let message = format!(
            "Unsupported value: {value}: supported values: {}",
            list.join(", ")
        );
        found.push(invalid(CauseReason::NotSupported, message));
    }
    for complaint in bounds(schema, value) {
        let message = format!("Invalid value: {value}: {path} in body {complaint}");
        found.push(invalid(CauseReason::Invalid, message));
    }
    match value {
        Value::Object(fields) => check_fields(schema, fields, path, depth, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(
                    &schema["items"],
                    item,
                    &format!("{path}[{index}]"),
                    depth + 1,
                    found,
                );
            }
        }
        _ => {}
    }
}

fn check_fields(
    schema: &Value,
    fields: &Map<String, Value>,
    path: &str,
    depth: usize,
    found: &mut Vec<Cause>,
) {
    let place = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if !fields.contains_key(name) {
            found.push(Cause {
                reason: CauseReason::Required,
                field: place(name),
                message: "Required value".to_owned(),
            });
        }
    }
    for (name, child) in fields {
        if depth == 0 && OF_ALL.contains(&name.as_str()) {
            continue;
        }
        if let Some(schema) = schema["properties"].get(name).or_else(|| others(schema)) {
            check(schema, child, &place(name), depth + 1, found);
        }
    }
}

/// The type that a value should have and has not.
fn wrong_type<'a>(schema: &'a Value, value: &Value) -> Option<&'a str> {
    if schema["x-kubernetes-int-or-string"] == true {
        let fits = value.is_string() || value.is_i64() || value.is_u64();
        return (!fits).then_some("integer,string");
    }
    let wanted = schema["type"].as_str()?;
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        "number" => value.is_number(),
        _ => true,
    };
    (!fits).then_some(wanted)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn bounds(schema: &Value, value: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let limit = |name: &str| schema[name].as_f64();
    if let Some(number) = value.as_f64() {
        let exclusive = |name: &str| schema[name] == true;
        if let Some(least) = limit("minimum") {
            if exclusive("exclusiveMinimum") && number <= least {
                complaints.push(format!("should be greater than {least}"));
            } else if number < least {
                complaints.push(format!("should be greater than or equal to {least}"));
            }
        }
        if let Some(most) = limit("maximum") {
            if exclusive("exclusiveMaximum") && number >= most {
                complaints.push(format!("should be less than {most}"));
            } else if number > most {
                complaints.push(format!("should be less than or equal to {most}"));
            }
        }
    }
    let (count, least, most, what) = match value {
        Value::String(text) => (text.chars().count(), "minLength", "maxLength", "chars long"),
        Value::Array(items) => (items.len(), "minItems", "maxItems", "items"),
        Value::Object(fields) => (fields.len(), "minProperties", "maxProperties", "properties"),
        _ => return complaints,
    };
    let amount = |name: &str| {
        schema[name]
            .as_u64()
            .and_then(|amount| usize::try_from(amount).ok())
    };
    if let Some(least) = amount(least).filter(|least| count < *least) {
        complaints.push(format!("should be at least {least} {what}"));
    }
    if let Some(most) = amount(most).filter(|most| count > *most) {
        complaints.push(format!("should be at most {most} {what}"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({"type": "object", "properties": {
            "spec": {"type": "object", "required": ["size"], "properties": {
                "size": {"type": "integer", "minimum": 1},
                "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "ports": {"type": "array", "maxItems": 1, "items": {"type": "object", "properties": {
                    "port": {"x-kubernetes-int-or-string": true},
                    "protocol": {"type": "string", "default": "TCP"}}}},
            }},
        }})
    }

    #[test]
    fn defaults_are_filled_in_where_their_parents_are() {
        let mut object = json!({"metadata": {}, "spec": {"size": 1, "ports": [{"port": 80}]}});
        fill(&schema(), &mut object);
        assert_eq!(object["spec"]["mode"], "a");
        assert_eq!(object["spec"]["ports"][0]["protocol"], "TCP");
        let mut empty = json!({"metadata": {}});
        fill(&schema(), &mut empty);
        assert_eq!(empty, json!({"metadata": {}}));
    }

    #[test]
    fn unknown_fields_are_found_unless_they_are_kept() {
        let object = json!({"kind": "X", "metadata": {"name": "x"}, "top": 1, "spec": {
            "siez": 1, "free": {"any": {"thing": 1}}, "labels": {"a": "b"}, "ports": [{"prot": 1}]}});
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(
            unknown(&schema(), &object),
            [
                vec![field("spec"), field("ports"), Step::Item(0), field("prot")],
                vec![field("spec"), field("siez")],
                vec![field("top")],
            ]
        );
    }

    #[test]
    fn wrong_values_are_named() {
        let object = json!({"spec": {"size": 0, "mode": "c", "labels": {"a": 1}, "ports": [{}, {"port": true}]}});
        let mut found: Vec<String> = causes(&schema(), &object)
            .iter()
            .map(ToString::to_string)
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "spec.labels.a: Invalid value: 1: spec.labels.a in body must be of type string: \"integer\"",
                "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"",
                "spec.ports: Invalid value: [{},{\"port\":true}]: spec.ports in body should be at most 1 items",
                "spec.ports[1].port: Invalid value: true: spec.ports[1].port in body must be of type integer,string: \"boolean\"",
                "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
            ]
        );
        let missing = causes(&schema(), &json!({"spec": {}}));
        assert_eq!(missing[0].to_string(), "spec.size: Required value");
    }
}
