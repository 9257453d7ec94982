//! Small steps on JSON objects.

use serde_json::{Map, Value};

use crate::validate::Quantity;

/// Sets a field that is absent.
pub(super) fn set(object: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    if !object.contains_key(name) {
        object.insert(name.to_owned(), value.into());
    }
}

/// Fills in a structure, which is created if it is absent.
pub(super) fn child(
    object: &mut Map<String, Value>,
    name: &str,
    fill: impl FnOnce(&mut Map<String, Value>),
) {
    set(object, name, Map::new());
    present(object, name, fill);
}

/// Fills in a structure if it is there.
pub(super) fn present(
    object: &mut Map<String, Value>,
    name: &str,
    fill: impl FnOnce(&mut Map<String, Value>),
) {
    if let Some(Value::Object(child)) = object.get_mut(name) {
        fill(child);
    }
}

/// Fills in each structure of a list.
pub(super) fn each(
    object: &mut Map<String, Value>,
    name: &str,
    mut fill: impl FnMut(&mut Map<String, Value>),
) {
    if let Some(Value::Array(items)) = object.get_mut(name) {
        for item in items {
            if let Value::Object(item) = item {
                fill(item);
            }
        }
    }
}

/// The text of a field, empty when it is absent.
pub(super) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Writes the quantities of a map in their canonical form; malformed ones are left to validation.
pub(super) fn canonical_quantities(object: &mut Map<String, Value>, name: &str) {
    present(object, name, |amounts| {
        for amount in amounts.values_mut() {
            canonical_quantity(amount);
        }
    });
}

/// Writes a quantity, which may be given as a number, in its canonical form.
pub(super) fn canonical_quantity(amount: &mut Value) {
    let text = match &*amount {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Some(quantity) = Quantity::parse(&text) {
        *amount = Value::String(quantity.canonical());
    }
}

/// Removes nulls, which say that a field is not set.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
