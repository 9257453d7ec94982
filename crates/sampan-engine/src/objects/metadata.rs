//! Reading and writing `metadata` of objects that are JSON values.

use serde_json::{Map, Value};

/// The text of a field of `metadata`.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get(field)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// `metadata` for writing; made when missing. Anything that is not an object there is replaced.
pub(super) fn of(object: &mut Value) -> &mut Map<String, Value> {
    field_map(map(object), "metadata")
}

/// A value as a map; anything else is replaced by an empty one.
pub(super) fn map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was just made an object")
}

/// A field as a map; anything else is replaced by an empty one.
pub(super) fn field_map<'a>(
    object: &'a mut Map<String, Value>,
    field: &str,
) -> &'a mut Map<String, Value> {
    map(object.entry(field).or_insert(Value::Null))
}

/// Sets a field of `metadata`, or removes it.
pub(super) fn set(object: &mut Value, field: &str, value: Option<Value>) {
    let metadata = of(object);
    match value {
        Some(value) => metadata.insert(field.to_owned(), value),
        None => metadata.remove(field),
    };
}

/// Copies a field of `metadata` from one object to another, absence included.
pub(super) fn copy(from: &Value, to: &mut Value, field: &str) {
    let value = from
        .get("metadata")
        .and_then(|metadata| metadata.get(field))
        .cloned();
    set(to, field, value);
}

/// The finalizers that hold an object.
pub(super) fn finalizers(object: &Value) -> Vec<&str> {
    object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Adds a finalizer, once.
pub(super) fn add_finalizer(object: &mut Value, finalizer: &str) {
    if finalizers(object).contains(&finalizer) {
        return;
    }
    let list = of(object)
        .entry("finalizers")
        .or_insert_with(|| Value::Array(Vec::new()));
    match list {
        Value::Array(list) => list.push(finalizer.into()),
        other => *other = Value::Array(vec![finalizer.into()]),
    }
}

/// Removes a finalizer.
pub(super) fn remove_finalizer(object: &mut Value, finalizer: &str) {
    let metadata = of(object);
    if let Some(Value::Array(list)) = metadata.get_mut("finalizers") {
        list.retain(|entry| entry != finalizer);
        if list.is_empty() {
            metadata.remove("finalizers");
        }
    }
}

/// Whether the object is on its way out.
pub(super) fn is_terminating(object: &Value) -> bool {
    text(object, "deletionTimestamp").is_some()
}

/// Sets the revision of an object that was read or written.
pub(super) fn set_revision(object: &mut Value, revision: sampan_store::objects::Revision) {
    set(object, "resourceVersion", Some(revision.to_string().into()));
}
