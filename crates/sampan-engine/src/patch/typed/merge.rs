//! The live object with the applied one laid over it.

use serde_json::{Map, Value};

use super::{item_shape, item_steps, shape_of, shape_of_unlisted};
use crate::patch::PatchError;
use crate::patch::fields::Step;
use crate::schema::{Shape, Struct};

/// Lays `config` over `live`: fields that both have come from `config`, lists keep the order that
/// `config` gives to its items.
///
/// # Errors
/// When an item of a keyed list lacks its keys.
pub(in crate::patch) fn merge(
    live: &Value,
    config: &Value,
    rules: &'static Struct,
) -> Result<Value, PatchError> {
    let merged = merge_value(Some(live), Some(config), Shape::Struct(rules))?;
    Ok(merged.unwrap_or_else(|| Value::Object(Map::new())))
}

fn merge_value(
    live: Option<&Value>,
    config: Option<&Value>,
    shape: Shape,
) -> Result<Option<Value>, PatchError> {
    match (shape, live, config) {
        (_, Some(value), None) | (Shape::Atomic, _, Some(value)) => Ok(Some(value.clone())),
        (_, None, None) => Ok(None),
        (Shape::Struct(_) | Shape::Map, live, Some(Value::Object(config)))
            if !config.is_empty() && live.is_none_or(Value::is_object) =>
        {
            merge_fields(live.and_then(Value::as_object), config, shape)
        }
        (Shape::Keyed(..) | Shape::Set, live, Some(Value::Array(config)))
            if !config.is_empty() && live.is_none_or(Value::is_array) =>
        {
            let live = live
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            merge_items(live, config, shape).map(Some)
        }
        // An empty or null map or list adds nothing to one that has content.
        (Shape::Struct(_) | Shape::Map, Some(live @ Value::Object(map)), Some(config))
            if !map.is_empty() && (config.is_null() || config.is_object()) =>
        {
            Ok(Some(live.clone()))
        }
        (Shape::Keyed(..) | Shape::Set, Some(live @ Value::Array(items)), Some(config))
            if !items.is_empty() && (config.is_null() || config.is_array()) =>
        {
            Ok(Some(live.clone()))
        }
        (_, _, Some(config)) => Ok(Some(config.clone())),
    }
}

fn merge_fields(
    live: Option<&Map<String, Value>>,
    config: &Map<String, Value>,
    shape: Shape,
) -> Result<Option<Value>, PatchError> {
    let mut merged = live.cloned().unwrap_or_default();
    for (name, value) in config {
        let current = live.and_then(|live| live.get(name));
        let shape = match shape {
            Shape::Struct(rules) => shape_of(rules, name, Some(value)),
            _ => shape_of_unlisted(Some(value)),
        };
        if let Some(value) = merge_value(current, Some(value), shape)? {
            merged.insert(name.clone(), value);
        }
    }
    Ok((!merged.is_empty()).then_some(Value::Object(merged)))
}

/// Merges two lists: the applied items in their order, and each item that only the live list has
/// as near to its old neighbours as that order allows.
fn merge_items(live: &[Value], config: &[Value], shape: Shape) -> Result<Value, PatchError> {
    let (live_steps, steps) = (item_steps(shape, live)?, item_steps(shape, config)?);
    let mut shared = steps
        .iter()
        .filter(|step| live_steps.contains(step))
        .peekable();
    let live_item = |step: &Step| {
        let mut found = live_steps
            .iter()
            .zip(live)
            .filter(|(other, _)| *other == step);
        // Duplicates in the live list are replaced as a whole.
        match (found.next(), found.next()) {
            (Some((_, item)), None) => Some(item),
            _ => None,
        }
    };
    let merge_item = |index: usize| -> Result<Option<Value>, PatchError> {
        merge_value(
            live_item(&steps[index]),
            Some(&config[index]),
            item_shape(shape),
        )
    };
    let mut merged = Vec::with_capacity(live.len().max(config.len()));
    let (mut left, mut right) = (0, 0);
    while left < live.len() || right < config.len() {
        if left < live.len() && right < config.len() {
            if live_steps[left] == steps[right] {
                merged.extend(merge_item(right)?);
                (left, right) = (left + 1, right + 1);
                shared.next();
                continue;
            }
            let comes_elsewhere = steps.contains(&live_steps[left])
                && shared.peek().is_some_and(|next| **next != live_steps[left]);
            if comes_elsewhere {
                left += 1;
                continue;
            }
        }
        if left < live.len() {
            if !steps.contains(&live_steps[left]) {
                merged.push(live[left].clone());
                left += 1;
                continue;
            }
            if steps[..right].contains(&live_steps[left]) {
                left += 1;
            }
        }
        if right < config.len() {
            merged.extend(merge_item(right)?);
            if shared.peek().is_some_and(|next| **next == steps[right]) {
                shared.next();
            }
            right += 1;
        }
    }
    Ok(Value::Array(merged))
}
