//! Deep equality as Go's `reflect.DeepEqual` has it: types count as well as values.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use super::{Dict, List, MAX_DEPTH, Value};

impl Value {
    /// Whether both are of the same type and equal in depth. NaN equals nothing; a nil slice and an empty one differ.
    /// A map can be put into itself: what is nested too deep is taken for different.
    #[must_use]
    pub fn deep_equals(&self, other: &Self) -> bool {
        values(self, other, MAX_DEPTH)
    }
}

/// How far down a value is looked at for its hash; what lies deeper does not count.
const HASH_DEPTH: usize = 4;

/// How many parts of a list or map count for its hash.
const HASH_PARTS: usize = 64;

impl Value {
    /// A number that is the same for values that are equal in depth, and most often another for others.
    #[must_use]
    pub fn deep_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash(self, HASH_DEPTH, &mut hasher);
        hasher.finish()
    }
}

fn hash(value: &Value, depth: usize, hasher: &mut DefaultHasher) {
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
                hash(item, depth - 1, hasher);
            }
        }
        Value::Dict(dict) if depth > 0 => {
            dict.entries().len().hash(hasher);
            for (key, value) in dict.entries().iter().take(HASH_PARTS) {
                key.hash(hasher);
                hash(value, depth - 1, hasher);
            }
        }
        _ => {}
    }
}

fn values(one: &Value, other: &Value, depth: usize) -> bool {
    match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Integer(one), Value::Integer(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => {
            one.partial_cmp(other).is_some_and(Ordering::is_eq)
        }
        (Value::Complex(..), Value::Complex(..)) => complex(one, other),
        (Value::Text(one), Value::Text(other)) => one == other,
        (Value::List(one), Value::List(other)) => depth > 0 && lists(one, other, depth - 1),
        (Value::Dict(one), Value::Dict(other)) => depth > 0 && dicts(one, other, depth - 1),
        (Value::Object(one), Value::Object(other)) => {
            let same_type = one.type_name() == other.type_name();
            Rc::ptr_eq(one, other) || (same_type && one.print() == other.print())
        }
        _ => false,
    }
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

fn lists(one: &List, other: &List, depth: usize) -> bool {
    let alike = one.list_type() == other.list_type() && one.is_nil() == other.is_nil();
    let (one, other) = (one.items(), other.items());
    alike
        && one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| values(one, other, depth))
}

fn dicts(one: &Dict, other: &Dict, depth: usize) -> bool {
    if one.is_same(other) {
        return true;
    }
    if one.dict_type() != other.dict_type() || one.is_nil() != other.is_nil() {
        return false;
    }
    let (one, other) = (one.entries(), other.entries());
    let equal = |((key, one), (other_key, other))| key == other_key && values(one, other, depth);
    one.len() == other.len() && one.iter().zip(other.iter()).all(equal)
}
