//! What differs between two states of an object, field by field, for people.

use sampan_model::shortened;
use serde::Serialize;
use serde_json::{Map, Value};

/// A field that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Its path, such as `spec.template.spec.containers[web].image`.
    pub path: String,
    /// What it is, if it is there.
    pub before: Option<String>,
    /// What it would be, if it would be there.
    pub after: Option<String>,
}

/// What the server itself writes into objects; no one's intention.
const METADATA: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
];

/// The fields in which `next` differs from `live`.
pub(super) fn between(live: &Value, next: &Value) -> Vec<FieldChange> {
    let secret = next.get("kind").and_then(Value::as_str) == Some("Secret");
    let mut changes = Vec::new();
    compare(&intention(live), &intention(next), "", &mut changes);
    if secret {
        hide(&mut changes);
    }
    changes
}

fn intention(object: &Value) -> Value {
    let mut object = object.clone();
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
        if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
            metadata.retain(|key, _| !METADATA.contains(&key.as_str()));
        }
    }
    object
}

/// Values of secrets never leave the target.
fn hide(changes: &mut [FieldChange]) {
    for change in changes
        .iter_mut()
        .filter(|change| change.path.starts_with("data") || change.path.starts_with("stringData"))
    {
        let hidden = |value: &Option<String>| value.as_ref().map(|_| "(hidden)".to_owned());
        change.before = hidden(&change.before);
        change.after = hidden(&change.after);
    }
}

fn compare(before: &Value, after: &Value, path: &str, changes: &mut Vec<FieldChange>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => compare_maps(before, after, path, changes),
        (Value::Array(before), Value::Array(after)) => compare_lists(before, after, path, changes),
        _ if before == after => {}
        _ => changes.push(FieldChange {
            path: path.to_owned(),
            before: shown(before),
            after: shown(after),
        }),
    }
}

fn compare_maps(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    path: &str,
    changes: &mut Vec<FieldChange>,
) {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let path = join(path, key);
        let (before, after) = (
            before.get(key).unwrap_or(&Value::Null),
            after.get(key).unwrap_or(&Value::Null),
        );
        compare(before, after, &path, changes);
    }
}

/// Lists of named things are compared by name, others by position.
fn compare_lists(before: &[Value], after: &[Value], path: &str, changes: &mut Vec<FieldChange>) {
    let (Some(old), Some(new)) = (named(before), named(after)) else {
        for at in 0..before.len().max(after.len()) {
            let (before, after) = (
                before.get(at).unwrap_or(&Value::Null),
                after.get(at).unwrap_or(&Value::Null),
            );
            compare(before, after, &format!("{path}[{at}]"), changes);
        }
        return;
    };
    let mut names: Vec<&str> = old.iter().map(|(name, _)| *name).collect();
    for (name, _) in &new {
        if !names.contains(name) {
            names.push(name);
        }
    }
    for name in names {
        let find = |list: &[(&str, &Value)]| {
            list.iter()
                .find(|(known, _)| *known == name)
                .map_or(Value::Null, |(_, value)| (*value).clone())
        };
        compare(
            &find(&old),
            &find(&new),
            &format!("{path}[{name}]"),
            changes,
        );
    }
}

fn named(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let named: Vec<(&str, &Value)> = list
        .iter()
        .map(|item| Some((item.get("name")?.as_str()?, item)))
        .collect::<Option<_>>()?;
    let distinct: std::collections::HashSet<&str> = named.iter().map(|(name, _)| *name).collect();
    (distinct.len() == named.len()).then_some(named)
}

fn join(path: &str, key: &str) -> String {
    let plain = key
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (path.is_empty(), plain) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (false, false) => format!("{path}[{key}]"),
    }
}

fn shown(value: &Value) -> Option<String> {
    const LONGEST: usize = 120;
    let text = match value {
        Value::Null => return None,
        Value::String(text) => short_digest(text),
        other => other.to_string(),
    };
    Some(shortened(&text.replace('\n', "⏎"), LONGEST))
}

/// Images by the first digits of their digest, as people compare them.
fn short_digest(text: &str) -> String {
    match text.split_once("@sha256:") {
        Some((name, hex)) => format!("{name}@{}", hex.chars().take(12).collect::<String>()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::between;

    fn text(live: &serde_json::Value, next: &serde_json::Value) -> String {
        let mut text = String::new();
        for change in between(live, next) {
            let side = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            writeln!(
                text,
                "{}: {} => {}",
                change.path,
                side(change.before),
                side(change.after)
            )
            .expect("a string takes any text");
        }
        text
    }

    #[test]
    fn fields_are_named_as_people_name_them() {
        let image = |digit: &str| format!("web@sha256:{}", digit.repeat(64));
        let live = json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "resourceVersion": "7", "annotations": {"a.b/c": "1"}},
            "spec": {"replicas": 1, "args": ["a", "b"], "containers": [
                {"name": "web", "image": image("a")}, {"name": "old", "image": "x"}]},
            "status": {"replicas": 1},
        });
        let next = json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {"a.b/c": "2"}},
            "spec": {"replicas": 2, "args": ["a"], "containers": [
                {"name": "new"}, {"name": "web", "image": image("b"), "command": ["x"]}]},
        });
        insta::assert_snapshot!(text(&live, &next));
    }

    #[test]
    fn values_of_secrets_are_hidden() {
        let live = json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "c2VjcmV0", "b": "eA=="}});
        let next = json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "bmV3", "c": "eQ=="}});
        insta::assert_snapshot!(text(&live, &next));
    }

    #[test]
    fn equal_objects_do_not_differ() {
        let object =
            json!({"kind": "Pod", "metadata": {"name": "p", "uid": "1"}, "spec": {"a": [1, 2]}});
        assert_eq!(between(&object, &object), []);
    }
}
