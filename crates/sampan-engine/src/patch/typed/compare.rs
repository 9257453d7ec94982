//! How two states of an object differ.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{item_shape, item_steps, shape_of, shape_of_unlisted};
use crate::patch::PatchError;
use crate::patch::fields::{FieldSet, Path, Step};
use crate::schema::{Shape, Struct};

/// The fields in which two states of an object differ.
#[derive(Debug, Clone, Default)]
pub(in crate::patch) struct Comparison {
    pub(in crate::patch) removed: FieldSet,
    pub(in crate::patch) modified: FieldSet,
    pub(in crate::patch) added: FieldSet,
}

impl Comparison {
    /// The comparison without the fields that the request cannot set.
    pub(in crate::patch) fn outside(&self, reset: &FieldSet) -> Self {
        Self {
            removed: self.removed.outside(reset),
            modified: self.modified.outside(reset),
            added: self.added.outside(reset),
        }
    }
}

/// What counts for a structure that is always written but absent.
static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// Compares two states of an object.
///
/// # Errors
/// When an item of a keyed list lacks its keys.
pub(in crate::patch) fn compare(
    before: &Value,
    after: &Value,
    rules: &'static Struct,
) -> Result<Comparison, PatchError> {
    let mut walk = Walk {
        path: Vec::new(),
        result: Comparison::default(),
    };
    walk.fields(before.as_object(), after.as_object(), Shape::Struct(rules))?;
    Ok(walk.result)
}

struct Walk {
    path: Path,
    result: Comparison,
}

impl Walk {
    fn value(
        &mut self,
        before: Option<&Value>,
        after: Option<&Value>,
        shape: Shape,
    ) -> Result<(), PatchError> {
        let fits = |value: Option<&Value>| match shape {
            Shape::Struct(_) | Shape::Map => value.is_none_or(Value::is_object),
            Shape::Keyed(..) | Shape::Set => value.is_none_or(Value::is_array),
            Shape::Atomic => false,
        };
        let empty = |value: Option<&Value>| match value {
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            _ => true,
        };
        if !(fits(before) && fits(after)) || (empty(before) && empty(after)) {
            self.leaf(before, after);
            return Ok(());
        }
        match shape {
            Shape::Keyed(..) | Shape::Set => {
                self.items(
                    before.and_then(Value::as_array),
                    after.and_then(Value::as_array),
                    shape,
                )?;
            }
            _ => self.fields(
                before.and_then(Value::as_object),
                after.and_then(Value::as_object),
                shape,
            )?,
        }
        self.presence(before, after);
        Ok(())
    }

    fn leaf(&mut self, before: Option<&Value>, after: Option<&Value>) {
        if before.is_some() && after.is_some() {
            if before != after {
                self.result.modified.insert(&self.path);
            }
        } else {
            self.presence(before, after);
        }
    }

    fn presence(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (None, Some(_)) => self.result.added.insert(&self.path),
            (Some(_), None) => self.result.removed.insert(&self.path),
            _ => {}
        }
    }

    fn fields(
        &mut self,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
        shape: Shape,
    ) -> Result<(), PatchError> {
        let names: BTreeSet<&String> = before
            .into_iter()
            .chain(after)
            .flat_map(Map::keys)
            .collect();
        for name in names {
            let always = match shape {
                Shape::Struct(rules) => rules.field(name).is_some_and(|field| field.always),
                _ => false,
            };
            let (old, new) = (side(before, name, always), side(after, name, always));
            let present = new.or(old);
            let shape = match shape {
                Shape::Struct(rules) => shape_of(rules, name, present),
                _ => shape_of_unlisted(present),
            };
            self.path.push(Step::Field(name.clone()));
            self.value(old, new, shape)?;
            self.path.pop();
        }
        Ok(())
    }

    fn items(
        &mut self,
        before: Option<&Vec<Value>>,
        after: Option<&Vec<Value>>,
        shape: Shape,
    ) -> Result<(), PatchError> {
        let (before, after) = (
            before.map_or(&[][..], Vec::as_slice),
            after.map_or(&[][..], Vec::as_slice),
        );
        let (old_steps, new_steps) = (item_steps(shape, before)?, item_steps(shape, after)?);
        let steps: BTreeSet<&Step> = old_steps.iter().chain(&new_steps).collect();
        for step in steps {
            let with = |steps: &[Step], items: &[Value]| -> Vec<Value> {
                let pairs = steps.iter().zip(items);
                pairs
                    .filter(|(other, _)| *other == step)
                    .map(|(_, item)| item.clone())
                    .collect()
            };
            let (old, new) = (with(&old_steps, before), with(&new_steps, after));
            self.path.push(step.clone());
            // Items that share their keys are owned as one.
            if old.len() > 1 || new.len() > 1 {
                let as_one = |items: Vec<Value>| (!items.is_empty()).then_some(Value::Array(items));
                self.leaf(as_one(old).as_ref(), as_one(new).as_ref());
            } else {
                self.value(old.first(), new.first(), item_shape(shape))?;
            }
            self.path.pop();
        }
        Ok(())
    }
}

/// A field of one side; a structure that is always written counts as empty where it is absent.
fn side<'a>(map: Option<&'a Map<String, Value>>, name: &str, always: bool) -> Option<&'a Value> {
    map?.get(name).or_else(|| always.then(|| &*EMPTY))
}
