//! Walks over objects that know the schema: which fields an object has, how two objects differ,
//! what both give together, and an object without some fields.

mod compare;
mod merge;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::PatchError;
use super::fields::{FieldSet, Path, Step};
use crate::schema::{Key, PLAIN, Shape, Struct};

pub(super) use compare::{Comparison, compare};
pub(super) use merge::merge;

/// How a field is looked at: by its rule, else by the value it has.
fn shape_of(rules: &Struct, name: &str, value: Option<&Value>) -> Shape {
    match rules.field(name) {
        Some(field) => field.shape,
        None => shape_of_unlisted(value),
    }
}

/// How a value without a rule is looked at.
fn shape_of_unlisted(value: Option<&Value>) -> Shape {
    match value {
        Some(Value::Object(_)) => Shape::Struct(&PLAIN),
        _ => Shape::Atomic,
    }
}

/// The step to an item of a keyed list.
fn key_step(keys: &[Key], item: &Value) -> Result<Step, PatchError> {
    let Value::Object(item) = item else {
        return Err(PatchError::malformed(
            "associative list with keys may not have non-map elements",
        ));
    };
    let found: Map<String, Value> = keys
        .iter()
        .filter_map(|key| {
            let value = item
                .get(key.name)
                .cloned()
                .or_else(|| key.default.map(Value::from))?;
            Some((key.name.to_owned(), value))
        })
        .collect();
    if found.is_empty() {
        let names: Vec<String> = keys.iter().map(|key| format!("{:?}", key.name)).collect();
        return Err(PatchError::malformed(format!(
            "associative list with keys has an element that omits all key fields [{}] (and \
             doesn't have default values for any key fields)",
            names.join(" ")
        )));
    }
    Ok(Step::key(found))
}

/// The steps to all items of a list.
fn item_steps(shape: Shape, items: &[Value]) -> Result<Vec<Step>, PatchError> {
    items
        .iter()
        .map(|item| match shape {
            Shape::Keyed(keys, _) => key_step(keys, item),
            _ => Ok(Step::Value(item.to_string())),
        })
        .collect()
}

/// How the items of a list are looked at.
fn item_shape(shape: Shape) -> Shape {
    match shape {
        Shape::Keyed(_, rules) => Shape::Struct(rules),
        _ => Shape::Atomic,
    }
}

/// The fields that an applied object has.
///
/// # Errors
/// When an item of a keyed list lacks its keys, or two items have the same.
pub(super) fn field_set(object: &Value, rules: &'static Struct) -> Result<FieldSet, PatchError> {
    let mut walk = Collect {
        path: Vec::new(),
        set: FieldSet::default(),
        duplicates: false,
    };
    walk.value(object, Shape::Struct(rules))?;
    Ok(walk.set)
}

/// The fields that an object in the store has, where items of a list may share their keys.
///
/// # Errors
/// When an item of a keyed list lacks its keys.
pub(super) fn field_set_of_live(
    object: &Value,
    rules: &'static Struct,
) -> Result<FieldSet, PatchError> {
    let mut walk = Collect {
        path: Vec::new(),
        set: FieldSet::default(),
        duplicates: true,
    };
    walk.value(object, Shape::Struct(rules))?;
    Ok(walk.set)
}

struct Collect {
    path: Path,
    set: FieldSet,
    /// Whether items of a list may share their keys; they are then owned as one.
    duplicates: bool,
}

impl Collect {
    fn value(&mut self, value: &Value, shape: Shape) -> Result<(), PatchError> {
        match (shape, value) {
            (Shape::Struct(_) | Shape::Map, Value::Object(map)) => {
                if map.is_empty() {
                    self.set.insert(&self.path);
                }
                for (name, value) in map {
                    let shape = match shape {
                        Shape::Struct(rules) => shape_of(rules, name, Some(value)),
                        _ => shape_of_unlisted(Some(value)),
                    };
                    self.path.push(Step::Field(name.clone()));
                    self.value(value, shape)?;
                    self.path.pop();
                }
                Ok(())
            }
            (Shape::Keyed(..) | Shape::Set, Value::Array(items)) => self.items(items, shape),
            _ => {
                self.set.insert(&self.path);
                Ok(())
            }
        }
    }

    fn items(&mut self, items: &[Value], shape: Shape) -> Result<(), PatchError> {
        let steps = item_steps(shape, items)?;
        for (item, step) in items.iter().zip(&steps) {
            let shared = steps.iter().filter(|other| *other == step).count() > 1;
            if shared && !self.duplicates {
                let list = display(&self.path);
                return Err(PatchError::malformed(format!(
                    "{list}: duplicate entries for key {step}"
                )));
            }
            self.path.push(step.clone());
            if !shared {
                self.value(item, item_shape(shape))?;
            }
            self.set.insert(&self.path);
            self.path.pop();
        }
        Ok(())
    }
}

/// A path as Kubernetes writes it: `.spec.ports[port=80].name`.
pub(super) fn display(path: &[Step]) -> String {
    path.iter().map(ToString::to_string).collect()
}

/// The object without the fields of a set; what becomes empty by that goes as well.
pub(super) fn remove(value: &Value, set: &FieldSet, rules: &'static Struct) -> Value {
    removed(value, set, Shape::Struct(rules)).unwrap_or_else(|| Value::Object(Map::new()))
}

fn removed(value: &Value, set: &FieldSet, shape: Shape) -> Option<Value> {
    match (shape, value) {
        (Shape::Struct(_) | Shape::Map, Value::Object(map)) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter_map(|(name, value)| {
                    let step = Step::Field(name.clone());
                    let shape = match shape {
                        Shape::Struct(rules) => shape_of(rules, name, Some(value)),
                        _ => shape_of_unlisted(Some(value)),
                    };
                    Some((name.clone(), kept(value, set, &step, shape)?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        (Shape::Keyed(..) | Shape::Set, Value::Array(items)) => {
            let rest: Vec<Value> = items
                .iter()
                .filter_map(|item| {
                    match item_steps(shape, std::slice::from_ref(item)).ok()?.pop() {
                        Some(step) => kept(item, set, &step, item_shape(shape)),
                        None => Some(item.clone()),
                    }
                })
                .collect();
            (!rest.is_empty()).then_some(Value::Array(rest))
        }
        _ => Some(value.clone()),
    }
}

fn kept(value: &Value, set: &FieldSet, step: &Step, shape: Shape) -> Option<Value> {
    if set.has_step(step) {
        return None;
    }
    match set.below(step) {
        Some(below) => removed(value, below, shape),
        None => Some(value.clone()),
    }
}

/// The set with each structure's field that has something below it as a member of its own.
pub(super) fn with_named_fields(set: &FieldSet, shape: Shape) -> FieldSet {
    let (members, children) = set.parts();
    let mut members = members.clone();
    let mut below = BTreeMap::new();
    for (step, child) in children {
        let child_shape = match (shape, step) {
            (Shape::Struct(rules), Step::Field(name)) => {
                members.insert(step.clone());
                rules
                    .field(name)
                    .map_or(Shape::Struct(&PLAIN), |field| field.shape)
            }
            (Shape::Keyed(_, rules), _) => Shape::Struct(rules),
            _ => Shape::Atomic,
        };
        below.insert(step.clone(), with_named_fields(child, child_shape));
    }
    FieldSet::from_parts(members, below)
}
