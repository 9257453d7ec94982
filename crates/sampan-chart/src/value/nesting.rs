//! Values nested in values, as deep as a loop can nest them: they are given back one by one, without recursion.

use std::mem;
use std::rc::Rc;

use super::{Dict, List, MAX_DEPTH, Value};

impl Drop for List {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        take_items(self, &mut pending);
        dismantle(pending);
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        take_entries(self, &mut pending);
        dismantle(pending);
    }
}

impl Value {
    /// About how many bytes those parts of the value take that nobody else holds: what a function has just made.
    #[must_use]
    pub(crate) fn fresh_bytes(&self) -> u64 {
        fresh_bytes(self, MAX_DEPTH)
    }
}

/// What an entry of a map takes besides its key and value.
const ENTRY_BYTES: u64 = 32;

fn fresh_bytes(value: &Value, depth: usize) -> u64 {
    let bytes = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    if depth == 0 {
        return 0;
    }
    let nested = |value: &Value| fresh_bytes(value, depth - 1);
    match value {
        Value::Text(text) if text.is_shared() => 0,
        Value::Text(text) => bytes(text.len()),
        Value::List(list) => match &list.items {
            Some(items) if Rc::strong_count(items) == 1 => {
                bytes(mem::size_of_val(&**items)) + items.iter().map(nested).sum::<u64>()
            }
            _ => 0,
        },
        Value::Dict(dict) if Rc::strong_count(&dict.entries) == 1 => {
            let entries = dict.entries();
            let each = bytes(mem::size_of::<Value>()) + ENTRY_BYTES;
            bytes(entries.len()) * each + entries.values().map(nested).sum::<u64>()
        }
        _ => 0,
    }
}

/// Drops values after what is in them.
fn dismantle(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(mut list) => take_items(&mut list, &mut pending),
            Value::Dict(mut dict) => take_entries(&mut dict, &mut pending),
            _ => {}
        }
    }
}

/// Takes the values that hold others out of a list that nobody else holds.
fn take_items(list: &mut List, pending: &mut Vec<Value>) {
    let Some(items) = list.items.as_mut().and_then(Rc::get_mut) else {
        return;
    };
    let nested = items.iter_mut().filter(|item| is_nested(item));
    pending.extend(nested.map(|item| mem::replace(item, Value::Nil)));
}

/// Takes the values that hold others out of a map that nobody else holds.
fn take_entries(dict: &mut Dict, pending: &mut Vec<Value>) {
    let Some(entries) = Rc::get_mut(&mut dict.entries) else {
        return;
    };
    let values = entries.get_mut().values_mut();
    let nested = values.filter(|value| is_nested(value));
    pending.extend(nested.map(|value| mem::replace(value, Value::Nil)));
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Dict(_))
}
