//! Values nested in values, as deep as a loop can nest them: they are given back one by one, without recursion.

use std::mem;
use std::rc::Rc;

use super::{Dict, List, Value};

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
