//! Sprig's dictionaries. They are shared and changed in place, as Go's maps are.

use super::Parameter::{Any, Dict as Map, Text as Word};
use super::arguments::Arguments;
use super::bounds::check_items;
use super::text_of::text_of;
use super::{Function, FunctionError};
use crate::value::{Dict, DictType, List, ListType, MAX_DEPTH, Text, Value};

mod merge;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("dict", &[], Any, dict),
    Function::new("get", &[Map, Word], get),
    Function::new("set", &[Map, Word, Any], set),
    Function::new("unset", &[Map, Word], unset),
    Function::new("hasKey", &[Map, Word], has_key),
    Function::variadic("pluck", &[Word], Map, pluck),
    Function::variadic("keys", &[], Map, keys),
    Function::new("values", &[Map], values),
    Function::variadic("pick", &[Map], Word, pick),
    Function::variadic("omit", &[Map], Word, omit),
    Function::variadic("merge", &[Map], Map, merge::keep),
    Function::variadic("mustMerge", &[Map], Map, merge::keep),
    Function::variadic("mergeOverwrite", &[Map], Map, merge::overwrite),
    Function::variadic("mustMergeOverwrite", &[Map], Map, merge::overwrite),
    Function::new("deepCopy", &[Any], deep_copy),
    Function::new("mustDeepCopy", &[Any], deep_copy),
    Function::variadic("dig", &[], Any, dig),
];

/// A map can be put into itself.
fn too_deep() -> FunctionError {
    FunctionError::new(format!("values are nested deeper than {MAX_DEPTH} levels"))
}

fn dict(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut entries = Vec::new();
    for pair in arguments.chunks(2) {
        let key = text_of(pair.any(0))?;
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
        entries.push((key, value));
    }
    Ok(Value::dict(entries))
}

fn get(arguments: &[Value]) -> Result<Value, FunctionError> {
    let found = arguments.dict(0)?.get(arguments.text(1)?);
    Ok(found.unwrap_or_else(|| Value::text("")))
}

fn set(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    if dict.is_nil() {
        return Err(FunctionError::new("assignment to entry in nil map"));
    }
    dict.insert(arguments.text(1)?.clone(), arguments.any(2).clone());
    Ok(Value::Dict(dict))
}

fn unset(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    dict.entries_mut().remove(&**arguments.text(1)?);
    Ok(Value::Dict(dict))
}

fn has_key(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    let has = dict.entries().contains_key(&**arguments.text(1)?);
    Ok(Value::Bool(has))
}

fn pluck(arguments: &[Value]) -> Result<Value, FunctionError> {
    let key = arguments.text(0)?;
    let mut found = Vec::new();
    for place in 1..arguments.len() {
        found.extend(arguments.dict(place)?.get(key));
    }
    Ok(Value::list(found))
}

/// The keys in their order, where Go's come in any.
fn keys(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut keys = Vec::new();
    for place in 0..arguments.len() {
        let dict = arguments.dict(place)?;
        keys.extend(dict.entries().keys().cloned().map(Value::Text));
        check_items(keys.len())?;
    }
    Ok(Value::List(List::of(ListType::Text, keys)))
}

/// The values in the order of their keys, where Go's come in any.
fn values(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    let values: Vec<Value> = dict.entries().values().cloned().collect();
    Ok(Value::list(values))
}

fn pick(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    let picked = Dict::new([]);
    for place in 1..arguments.len() {
        let key = arguments.text(place)?;
        if let Some(value) = dict.get(key) {
            picked.insert(key.clone(), value);
        }
    }
    Ok(Value::Dict(picked))
}

fn omit(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    let mut entries = dict.entries().clone();
    for place in 1..arguments.len() {
        entries.remove(&**arguments.text(place)?);
    }
    Ok(Value::Dict(Dict::new(entries)))
}

fn deep_copy(arguments: &[Value]) -> Result<Value, FunctionError> {
    match arguments.any(0) {
        Value::Nil => Err(FunctionError::new(
            "reflect: call of reflect.Value.Type on zero Value",
        )),
        value => {
            value.check_size()?;
            copy(value, MAX_DEPTH)
        }
    }
}

fn copy(value: &Value, depth: usize) -> Result<Value, FunctionError> {
    let next = || depth.checked_sub(1).ok_or_else(too_deep);
    match value {
        Value::List(list) if !list.is_nil() => {
            let next = next()?;
            let items: Result<Vec<_>, _> =
                list.items().iter().map(|item| copy(item, next)).collect();
            Ok(Value::List(List::of(list.list_type(), items?)))
        }
        Value::Dict(dict) if !dict.is_nil() => {
            let next = next()?;
            let entries = dict.entries();
            let copies = entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), copy(value, next)?)));
            let copies: Result<Vec<(Text, Value)>, FunctionError> = copies.collect();
            Ok(Value::Dict(Dict::of(dict.dict_type(), copies?)))
        }
        plain => Ok(plain.clone()),
    }
}

/// `dig KEY… DEFAULT DICT`: what stands below the keys, or the default where one is missing.
fn dig(arguments: &[Value]) -> Result<Value, FunctionError> {
    let [path @ .., default, place] = arguments else {
        return Err(FunctionError::new("dig needs at least three arguments"));
    };
    if path.is_empty() {
        return Err(FunctionError::new("dig needs at least three arguments"));
    }
    let mut dict = asserted(place)?;
    let mut keys = Vec::new();
    for key in path {
        let Value::Text(key) = key else {
            return Err(no_conversion(key, "string"));
        };
        keys.push(key);
    }
    let Some((last, steps)) = keys.split_last() else {
        return Ok(default.clone());
    };
    for key in steps {
        let Some(step) = dict.get(key) else {
            return Ok(default.clone());
        };
        dict = asserted(&step)?;
    }
    Ok(dict.get(last).unwrap_or_else(|| default.clone()))
}

/// Go's type assertion, for which a named map is another type.
fn asserted(value: &Value) -> Result<Dict, FunctionError> {
    match value {
        Value::Dict(dict) if dict.dict_type() == DictType::Any => Ok(dict.clone()),
        other => Err(no_conversion(other, DictType::Any.name())),
    }
}

fn no_conversion(value: &Value, wanted: &str) -> FunctionError {
    let found = match value {
        Value::Nil => "nil",
        other => other.type_name(),
    };
    FunctionError::new(format!(
        "interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}
