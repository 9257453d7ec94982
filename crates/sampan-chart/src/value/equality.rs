//! Deep equality as Go's `reflect.DeepEqual` has it: types count as well as values.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use super::{Allowance, Dict, List, MAX_DEPTH, Text, TooLarge, Value};

impl Value {
    /// Whether both are of the same type and equal in depth. NaN equals nothing; a nil slice and an empty one differ.
    /// A map can be put into itself: what is nested too deep is taken for different.
    ///
    /// # Errors
    /// When both are alike for longer than may be looked at.
    pub fn deep_equals(&self, other: &Self) -> Result<bool, TooLarge> {
        self.deep_equals_within(other, &mut Allowance::new())
    }

    /// The same as a part of a longer walk.
    pub(crate) fn deep_equals_within(
        &self,
        other: &Self,
        allowance: &mut Allowance,
    ) -> Result<bool, TooLarge> {
        values(self, other, MAX_DEPTH, allowance)
    }
}

/// How far down a value is looked at for its hash; what lies deeper does not count.
const HASH_DEPTH: usize = 4;

/// How many parts of a value count for its hash, those of its parts included.
const HASH_PARTS: usize = 256;

impl Value {
    /// A number that is the same for values that are equal in depth, and most often another for others.
    #[must_use]
    pub fn deep_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut parts = HASH_PARTS;
        hash(self, HASH_DEPTH, &mut parts, &mut hasher);
        hasher.finish()
    }
}

fn hash(value: &Value, depth: usize, parts: &mut usize, hasher: &mut DefaultHasher) {
    let Some(left) = parts.checked_sub(1) else {
        return;
    };
    *parts = left;
    value.type_name().hash(hasher);
    match value {
        Value::Bool(value) => value.hash(hasher),
        Value::Integer(integer) => integer.value.hash(hasher),
        // Both zeros are equal.
        Value::Float(value) => (value + 0.0).to_bits().hash(hasher),
        Value::Text(text) => text.hash(hasher),
        Value::List(list) if depth > 0 => {
            list.items().len().hash(hasher);
            for item in list.items().iter().take(HASH_PARTS) {
                hash(item, depth - 1, parts, hasher);
            }
        }
        Value::Dict(dict) if depth > 0 => {
            dict.entries().len().hash(hasher);
            for (key, value) in dict.entries().iter().take(HASH_PARTS) {
                key.hash(hasher);
                hash(value, depth - 1, parts, hasher);
            }
        }
        _ => {}
    }
}

fn values(
    one: &Value,
    other: &Value,
    depth: usize,
    allowance: &mut Allowance,
) -> Result<bool, TooLarge> {
    allowance.node()?;
    Ok(match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Integer(one), Value::Integer(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => {
            one.partial_cmp(other).is_some_and(Ordering::is_eq)
        }
        (Value::Complex(..), Value::Complex(..)) => complex(one, other),
        (Value::Text(one), Value::Text(other)) => texts(one, other, allowance)?,
        (Value::List(one), Value::List(other)) => {
            depth > 0 && lists(one, other, depth - 1, allowance)?
        }
        (Value::Dict(one), Value::Dict(other)) => {
            depth > 0 && dicts(one, other, depth - 1, allowance)?
        }
        (Value::Object(one), Value::Object(other)) => {
            let same_type = one.type_name() == other.type_name();
            Rc::ptr_eq(one, other) || (same_type && one.print() == other.print())
        }
        _ => false,
    })
}

fn complex(one: &Value, other: &Value) -> bool {
    let parts = |value: &Value| match value {
        Value::Complex(real, imaginary) => Some((*real, *imaginary)),
        _ => None,
    };
    parts(one)
        .partial_cmp(&parts(other))
        .is_some_and(Ordering::is_eq)
}

/// Only texts of one length are looked at.
fn texts(one: &Text, other: &Text, allowance: &mut Allowance) -> Result<bool, TooLarge> {
    if one.len() != other.len() {
        return Ok(false);
    }
    allowance.bytes(one.len())?;
    Ok(one == other)
}

fn lists(
    one: &List,
    other: &List,
    depth: usize,
    allowance: &mut Allowance,
) -> Result<bool, TooLarge> {
    let alike = one.list_type() == other.list_type() && one.is_nil() == other.is_nil();
    let (one, other) = (one.items(), other.items());
    if !alike || one.len() != other.len() {
        return Ok(false);
    }
    for (one, other) in one.iter().zip(other) {
        if !values(one, other, depth, allowance)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn dicts(
    one: &Dict,
    other: &Dict,
    depth: usize,
    allowance: &mut Allowance,
) -> Result<bool, TooLarge> {
    if one.is_same(other) {
        return Ok(true);
    }
    if one.dict_type() != other.dict_type() || one.is_nil() != other.is_nil() {
        return Ok(false);
    }
    let (one, other) = (one.entries(), other.entries());
    if one.len() != other.len() {
        return Ok(false);
    }
    for ((key, one), (other_key, other)) in one.iter().zip(other.iter()) {
        if !texts(key, other_key, allowance)? || !values(one, other, depth, allowance)? {
            return Ok(false);
        }
    }
    Ok(true)
}
