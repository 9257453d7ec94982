//! Strategic merge: tables are merged field by field, lists of known kinds item by item, all else is replaced.

use sampan_kubernetes::Catalog;
use sampan_kubernetes::structure::{StructureId, Type, Unique};
use serde_json::{Map, Value};

/// What a patch says to do with what it is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Where in the catalogue of kinds a value stands.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    value: Option<&'a Type>,
    unique: &'a Unique,
}

const UNKNOWN: Place<'static> = Place {
    value: None,
    unique: &Unique::Nothing,
};

/// Puts a patch on a resource; nothing is left when the patch deletes it.
pub(super) fn apply(
    mut resource: Map<String, Value>,
    patch: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let text = |key: &str| {
        resource
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let kind = Catalog::get().kind_of(text("apiVersion"), text("kind"));
    let structure = kind.and_then(|kind| kind.structure);
    match directive(patch) {
        Directive::Delete => return None,
        Directive::Replace => return Some(plain(patch)),
        Directive::Merge => tables(&mut resource, patch, structure),
    }
    Some(resource)
}

fn directive(patch: &Map<String, Value>) -> Directive {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("delete") => Directive::Delete,
        Some("replace") => Directive::Replace,
        _ => Directive::Merge,
    }
}

/// A part of a patch as a value: without directives and nulls.
fn plain(patch: &Map<String, Value>) -> Map<String, Value> {
    let kept = patch
        .iter()
        .filter(|(key, value)| *key != "$patch" && !value.is_null());
    kept.map(|(key, value)| (key.clone(), plain_value(value)))
        .collect()
}

fn plain_value(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(plain(map)),
        Value::Array(items) => {
            let items = items.iter().filter(|item| match item {
                Value::Object(map) => {
                    directive(map) != Directive::Delete
                        && !(map.len() == 1 && map.contains_key("$patch"))
                }
                _ => true,
            });
            Value::Array(items.map(plain_value).collect())
        }
        other => other.clone(),
    }
}

fn tables(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    within: Option<StructureId>,
) {
    for (key, part) in patch {
        if key == "$patch" {
            continue;
        }
        let field = within.and_then(|id| Catalog::get().field_of_any_version(id, key));
        let place = field.map_or(UNKNOWN, |field| Place {
            value: Some(&field.value),
            unique: &field.unique,
        });
        if let Some(value) = merged(target.remove(key), part, place) {
            target.insert(key.clone(), value);
        }
    }
}

fn merged(target: Option<Value>, patch: &Value, place: Place<'_>) -> Option<Value> {
    match (target, patch) {
        (_, Value::Null) => None,
        (target, Value::Object(patch)) => match (directive(patch), target) {
            (Directive::Delete, _) => None,
            (Directive::Merge, Some(Value::Object(mut target))) => {
                tables(&mut target, patch, structure(place.value));
                Some(Value::Object(target))
            }
            _ => Some(Value::Object(plain(patch))),
        },
        (Some(Value::Array(target)), Value::Array(patch)) => lists(target, patch, place),
        (_, other) => Some(plain_value(other)),
    }
}

fn structure(value: Option<&Type>) -> Option<StructureId> {
    match value {
        Some(Type::Structure(id)) => Some(*id),
        _ => None,
    }
}

fn item_type(value: Option<&Type>) -> Option<&Type> {
    match value {
        Some(Type::List(item) | Type::NamedList(item)) => Some(item),
        _ => None,
    }
}

/// Items of the patch come first, merged with those that they are for; then the others as they were.
fn lists(target: Vec<Value>, patch: &[Value], place: Place<'_>) -> Option<Value> {
    let of_list = |item: &Value| item.as_object().map_or(Directive::Merge, directive);
    let alone = |item: &&Value| item.as_object().is_some_and(|map| map.len() == 1);
    if let Some(item) = patch
        .iter()
        .filter(alone)
        .find(|item| of_list(item) != Directive::Merge)
    {
        return match of_list(item) {
            Directive::Delete => None,
            _ => Some(plain_value(&Value::Array(patch.to_vec()))),
        };
    }
    match place.unique {
        Unique::Nothing => Some(plain_value(&Value::Array(patch.to_vec()))),
        Unique::Values => {
            let mut merged = patch.to_vec();
            merged.extend(target.into_iter().filter(|item| !patch.contains(item)));
            Some(Value::Array(merged))
        }
        Unique::Keys(keys) => {
            let within = structure(item_type(place.value));
            Some(Value::Array(keyed(target, patch, keys, within)))
        }
    }
}

fn keyed(
    target: Vec<Value>,
    patch: &[Value],
    keys: &[&str],
    within: Option<StructureId>,
) -> Vec<Value> {
    let used = |key: &&&str| {
        target
            .iter()
            .chain(patch)
            .any(|item| item.get(**key).is_some())
    };
    let in_place = keys.iter().filter(used).count() > 1;
    let mut old: Vec<Option<Value>> = target.into_iter().map(Some).collect();
    let mut first = Vec::new();
    for item in patch {
        let is_it = |there: &Option<Value>| there.as_ref().is_some_and(|one| same(one, item, keys));
        let found = old.iter().position(is_it);
        let new = item_merged(found.and_then(|index| old[index].take()), item, within);
        match found {
            // With several keys, items stay where they were.
            Some(index) if in_place => old[index] = new,
            _ => first.extend(new),
        }
    }
    first.extend(old.into_iter().flatten());
    first
}

fn item_merged(old: Option<Value>, item: &Value, within: Option<StructureId>) -> Option<Value> {
    match (old, item) {
        (Some(Value::Object(mut old)), Value::Object(item)) => match directive(item) {
            Directive::Delete => None,
            Directive::Replace => Some(Value::Object(plain(item))),
            Directive::Merge => {
                tables(&mut old, item, within);
                Some(Value::Object(old))
            }
        },
        (old, item) => merged(old, item, UNKNOWN),
    }
}

/// Whether two items are the same one: all keys are equal, where both have them, and one is.
fn same(one: &Value, other: &Value, keys: &[&str]) -> bool {
    let mut common = false;
    for key in keys {
        match (one.get(key), other.get(key)) {
            (Some(one), Some(other)) if one == other => common = true,
            (Some(_), Some(_)) => return false,
            _ => {}
        }
    }
    common
}
