//! Lists of a strategic merge patch, and the order of their items.

use serde_json::{Map, Value};

use super::{DIRECTIVE, cleaned};
use crate::patch::PatchError;
use crate::schema::{Patch, Struct};

/// A list whose order the patch prescribes with `$setElementOrder`.
pub(super) struct Prescribed<'a> {
    pub(super) order: &'a [Value],
    pub(super) patch: Patch,
    pub(super) rules: &'static Struct,
}

impl Prescribed<'_> {
    /// The merged list, or `None` when neither side has one.
    pub(super) fn merge(
        &self,
        original: Option<&Value>,
        patched: Option<Value>,
    ) -> Result<Option<Vec<Value>>, PatchError> {
        let malformed = || PatchError::malformed("invalid patch format of setElementOrder list");
        let original = original
            .map(|value| value.as_array().ok_or_else(malformed))
            .transpose()?;
        let patched = match patched {
            Some(Value::Array(items)) => Some(items),
            Some(_) => return Err(malformed()),
            None => None,
        };
        let live = original.cloned().unwrap_or_default();
        let merged = match (original, patched) {
            (None, None) => return Ok(None),
            (Some(original), None) => original.clone(),
            (None, Some(items)) => items.into_iter().filter_map(cleaned).collect(),
            (Some(original), Some(items)) => {
                merge(original.clone(), items, self.patch, self.rules)?
            }
        };
        Ok(Some(ordered(
            merged,
            self.order,
            &live,
            merge_key(self.patch),
        )))
    }
}

/// Merges the items of the patch into those of the list.
pub(super) fn merge(
    original: Vec<Value>,
    patched: Vec<Value>,
    patch: Patch,
    rules: &'static Struct,
) -> Result<Vec<Value>, PatchError> {
    match patch {
        Patch::Default | Patch::Replace => Ok(patched.into_iter().filter_map(cleaned).collect()),
        Patch::MergeScalars => {
            let live = original.clone();
            let order = patched.clone();
            let mut merged = original;
            for item in patched {
                if !merged.contains(&item) {
                    merged.push(item);
                }
            }
            Ok(ordered(merged, &order, &live, None))
        }
        Patch::MergeBy(key) => merge_keyed(original, patched, key, rules),
    }
}

fn merge_keyed(
    mut original: Vec<Value>,
    patched: Vec<Value>,
    key: &'static str,
    rules: &'static Struct,
) -> Result<Vec<Value>, PatchError> {
    let mut replace = false;
    let mut items = Vec::with_capacity(patched.len());
    for item in patched {
        let Value::Object(mut item) = item else {
            return Err(PatchError::rejected(format!(
                "an item to be merged by its `{key}` must be an object"
            )));
        };
        match item.get(DIRECTIVE).map(Value::as_str) {
            None => items.push(item),
            Some(Some("replace")) => replace = true,
            Some(Some("delete")) => {
                let identity = identity(&item, key)?;
                original.retain(|entry| entry.get(key) != Some(&identity));
            }
            Some(Some("merge")) => {
                item.remove(DIRECTIVE);
                items.push(item);
            }
            Some(other) => {
                let other = other.unwrap_or_default();
                return Err(PatchError::rejected(format!("unknown patch type: {other}")));
            }
        }
    }
    if replace {
        return Ok(items
            .into_iter()
            .filter_map(|item| cleaned(Value::Object(item)))
            .collect());
    }
    let live = original.clone();
    let order: Vec<Value> = items.iter().cloned().map(Value::Object).collect();
    for item in items {
        let identity = identity(&item, key)?;
        match original
            .iter_mut()
            .find(|entry| entry.get(key) == Some(&identity))
        {
            Some(Value::Object(entry)) => super::merge(entry, item, rules)?,
            _ => original.extend(cleaned(Value::Object(item))),
        }
    }
    Ok(ordered(original, &order, &live, Some(key)))
}

/// Removes scalars from the list of that name, if there is one.
pub(super) fn delete_scalars(
    original: &mut Map<String, Value>,
    name: &str,
    deleted: &Value,
) -> Result<(), PatchError> {
    let Some(deleted) = deleted.as_array() else {
        return Err(PatchError::malformed(
            "invalid patch format of primitive list",
        ));
    };
    if let Some(Value::Array(items)) = original.get_mut(name) {
        items.retain(|item| !deleted.contains(item));
    }
    Ok(())
}

fn identity(item: &Map<String, Value>, key: &str) -> Result<Value, PatchError> {
    item.get(key).cloned().ok_or_else(|| {
        PatchError::rejected(format!(
            "map: {} does not contain declared merge key: {key}",
            Value::Object(item.clone())
        ))
    })
}

fn merge_key(patch: Patch) -> Option<&'static str> {
    match patch {
        Patch::MergeBy(key) => Some(key),
        _ => None,
    }
}

/// Orders the items: those that `order` names in its order, the others in the order they have in
/// the live list, interleaved so that the live list's order is kept where both allow it.
fn ordered(items: Vec<Value>, order: &[Value], live: &[Value], key: Option<&str>) -> Vec<Value> {
    let position = |list: &[Value], item: &Value| {
        list.iter().position(|other| match key {
            Some(key) => other.get(key) == item.get(key),
            None => other == item,
        })
    };
    let (mut named, mut others): (Vec<Value>, Vec<Value>) = items
        .into_iter()
        .partition(|item| position(order, item).is_some());
    named.sort_by_key(|item| position(order, item));
    others.sort_by_key(|item| position(live, item).unwrap_or(usize::MAX));
    let mut merged = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        let place = position(live, &item);
        let before = |other: &Value| matches!((position(live, other), place), (Some(other), Some(place)) if other < place);
        while let Some(other) = others.next_if(before) {
            merged.push(other);
        }
        merged.push(item);
    }
    merged.extend(others);
    merged
}
