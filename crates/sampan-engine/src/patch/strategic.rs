//! Strategic merge patches: merge patches that know which lists have keys.
//!
//! The directives are `$patch: replace|delete|merge`, `$retainKeys: […]`,
//! `$deleteFromPrimitiveList/FIELD: […]` and `$setElementOrder/FIELD: […]`.

mod list;

use serde_json::{Map, Value};

use super::PatchError;
use crate::schema::{PLAIN, Patch, Shape, Struct};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";

/// Merges `patch` into `original` by the rules of the kind.
///
/// # Errors
/// When a directive is malformed or an item of a keyed list lacks its key.
pub(super) fn merge(
    original: &mut Map<String, Value>,
    mut patch: Map<String, Value>,
    rules: &Struct,
) -> Result<(), PatchError> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        match directive.as_str() {
            Some("replace") => {
                *original = without_directives(patch);
                return Ok(());
            }
            Some("delete") => {
                original.clear();
                return Ok(());
            }
            Some("merge") => {}
            _ => {
                return Err(PatchError::rejected(format!(
                    "unknown patch type: {directive}"
                )));
            }
        }
    }
    if let Some(keys) = patch.remove(RETAIN_KEYS) {
        retain_keys(original, &patch, &keys)?;
    }
    reorder_lists(original, &mut patch, rules)?;
    for (name, value) in patch {
        if let Some(name) = name.strip_prefix(DELETE_FROM_LIST) {
            list::delete_scalars(original, name, &value)?;
        } else if value.is_null() {
            original.remove(&name);
        } else {
            merge_field(original, name, value, rules)?;
        }
    }
    Ok(())
}

/// Merges one field that the patch sets.
fn merge_field(
    original: &mut Map<String, Value>,
    name: String,
    value: Value,
    rules: &Struct,
) -> Result<(), PatchError> {
    let rule = rules.field(&name);
    let patch = rule.map_or(Patch::Default, |field| field.patch);
    match (original.get_mut(&name), value) {
        (Some(Value::Object(current)), Value::Object(value)) if patch != Patch::Replace => {
            merge(current, value, nested(rule.map(|field| field.shape)))
        }
        (Some(Value::Array(current)), Value::Array(value)) => {
            let shape = rule.map(|field| field.shape);
            *current = list::merge(std::mem::take(current), value, patch, item_rules(shape))?;
            Ok(())
        }
        (_, value) => {
            match cleaned(value) {
                Some(value) => original.insert(name, value),
                None => original.remove(&name),
            };
            Ok(())
        }
    }
}

/// Keeps only the named keys of the original; the patch may set no other.
fn retain_keys(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    keys: &Value,
) -> Result<(), PatchError> {
    let malformed = || PatchError::malformed("invalid patch format of retainKeys");
    let keys = keys.as_array().ok_or_else(malformed)?;
    let retained = |name: &str| keys.iter().any(|key| key.as_str() == Some(name));
    let sets_another = patch
        .iter()
        .any(|(name, value)| !value.is_null() && !name.starts_with('$') && !retained(name));
    if sets_another {
        return Err(malformed());
    }
    original.retain(|name, _| retained(name));
    Ok(())
}

/// Merges the lists for which the patch prescribes the order of the items.
fn reorder_lists(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    rules: &Struct,
) -> Result<(), PatchError> {
    let ordered: Vec<String> = patch
        .keys()
        .filter(|name| name.starts_with(ELEMENT_ORDER))
        .cloned()
        .collect();
    for directive in ordered {
        let name = &directive[ELEMENT_ORDER.len()..];
        let (Some(Value::Array(order)), patched) = (patch.remove(&directive), patch.remove(name))
        else {
            return Err(PatchError::malformed(
                "invalid patch format of setElementOrder list",
            ));
        };
        let rule = rules.field(name);
        let prescribed = list::Prescribed {
            order: &order,
            patch: rule.map_or(Patch::Default, |field| field.patch),
            rules: item_rules(rule.map(|field| field.shape)),
        };
        if let Some(Value::Null) = patched {
            original.remove(name);
        } else if let Some(merged) = prescribed.merge(original.get(name), patched)? {
            original.insert(name.to_owned(), Value::Array(merged));
        }
    }
    Ok(())
}

/// The value as it is when there is nothing to merge it with: without directives and nulls;
/// `None` when the value itself is only a directive.
fn cleaned(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => Some(Value::Object(without_directives(map))),
        Value::Array(items) => Some(Value::Array(
            items.into_iter().filter_map(cleaned).collect(),
        )),
        scalar => Some(scalar),
    }
}

fn without_directives(map: Map<String, Value>) -> Map<String, Value> {
    let is_directive = |name: &str| {
        name == RETAIN_KEYS || name.starts_with(DELETE_FROM_LIST) || name.starts_with(ELEMENT_ORDER)
    };
    map.into_iter()
        .filter(|(name, value)| !value.is_null() && !is_directive(name))
        .filter_map(|(name, value)| Some((name, cleaned(value)?)))
        .collect()
}

fn nested(shape: Option<Shape>) -> &'static Struct {
    match shape {
        Some(Shape::Struct(rules)) => rules,
        _ => &PLAIN,
    }
}

fn item_rules(shape: Option<Shape>) -> &'static Struct {
    match shape {
        Some(Shape::Keyed(_, rules)) => rules,
        _ => &PLAIN,
    }
}
