//! Sprig's lists. They are never changed: whoever adds to one gets a new one.
#![expect(clippy::unnecessary_wraps, reason = "all functions have one face")]

use std::collections::HashMap;

use super::Parameter::{Any, Int};
use super::arguments::{Arguments, NIL_POINTER};
use super::bounds::check_items;
use super::numbers::to_int;
use super::{Function, FunctionError};
use crate::value::{Allowance, List, ListType, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("list", &[], Any, list),
    Function::variadic("tuple", &[], Any, list),
    Function::new("append", &[Any, Any], append),
    Function::new("push", &[Any, Any], append),
    Function::new("mustAppend", &[Any, Any], append),
    Function::new("mustPush", &[Any, Any], append),
    Function::new("prepend", &[Any, Any], prepend),
    Function::new("mustPrepend", &[Any, Any], prepend),
    Function::new("first", &[Any], first),
    Function::new("mustFirst", &[Any], first),
    Function::new("rest", &[Any], rest),
    Function::new("mustRest", &[Any], rest),
    Function::new("last", &[Any], last),
    Function::new("mustLast", &[Any], last),
    Function::new("initial", &[Any], initial),
    Function::new("mustInitial", &[Any], initial),
    Function::new("reverse", &[Any], reverse),
    Function::new("mustReverse", &[Any], reverse),
    Function::new("compact", &[Any], compact),
    Function::new("mustCompact", &[Any], compact),
    Function::new("uniq", &[Any], uniq),
    Function::new("mustUniq", &[Any], uniq),
    Function::variadic("without", &[Any], Any, without),
    Function::variadic("mustWithout", &[Any], Any, without),
    Function::new("has", &[Any, Any], has),
    Function::new("mustHas", &[Any, Any], has),
    Function::variadic("slice", &[Any], Any, slice),
    Function::variadic("mustSlice", &[Any], Any, slice),
    Function::new("chunk", &[Int, Any], chunk),
    Function::new("mustChunk", &[Int, Any], chunk),
    Function::variadic("concat", &[], Any, concat),
];

/// The slice that an argument is, or what Sprig says of anything else: `Cannot find first on type int`.
fn slice_of(value: &Value, refusal: &str) -> Result<List, FunctionError> {
    match value {
        Value::List(list) => Ok(list.clone()),
        Value::Nil => Err(FunctionError::new(NIL_POINTER)),
        other => Err(FunctionError::new(format!(
            "{refusal} {}",
            other.kind_name()
        ))),
    }
}

fn nil_slice() -> Value {
    Value::List(List::nil(ListType::Any))
}

fn list(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::list(arguments.iter().cloned()))
}

fn append(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot push on type")?;
    check_items(list.items().len() + 1)?;
    let added = [arguments.any(1).clone()];
    Ok(Value::list(list.items().iter().cloned().chain(added)))
}

fn prepend(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot prepend on type")?;
    check_items(list.items().len() + 1)?;
    let added = [arguments.any(1).clone()];
    Ok(Value::list(
        added.into_iter().chain(list.items().iter().cloned()),
    ))
}

fn first(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find first on type")?;
    Ok(list.items().first().cloned().unwrap_or(Value::Nil))
}

fn last(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find last on type")?;
    Ok(list.items().last().cloned().unwrap_or(Value::Nil))
}

fn rest(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find rest on type")?;
    match list.items() {
        [] => Ok(nil_slice()),
        [_, rest @ ..] => Ok(Value::list(rest.iter().cloned())),
    }
}

fn initial(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find initial on type")?;
    match list.items() {
        [] => Ok(nil_slice()),
        [initial @ .., _] => Ok(Value::list(initial.iter().cloned())),
    }
}

fn reverse(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find reverse on type")?;
    Ok(Value::list(list.items().iter().rev().cloned()))
}

fn compact(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot compact on type")?;
    Ok(Value::list(
        list.items().iter().filter(|item| item.is_true()).cloned(),
    ))
}

/// Each item once. Those seen are found by their hashes, so that long lists take no time that grows with their square.
fn uniq(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find uniq on type")?;
    let mut seen: HashMap<u64, Vec<&Value>> = HashMap::new();
    let mut unique = Vec::new();
    let mut allowance = Allowance::new();
    for item in list.items() {
        let alike = seen.entry(item.deep_hash()).or_default();
        if !is_among(item, alike.iter().copied(), &mut allowance)? {
            alike.push(item);
            unique.push(item.clone());
        }
    }
    Ok(Value::list(unique))
}

fn without(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(arguments.any(0), "Cannot find without on type")?;
    let omitted = arguments.from(1);
    let mut allowance = Allowance::new();
    let mut kept = Vec::new();
    for item in list.items() {
        if !is_among(item, omitted, &mut allowance)? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

/// Whether a value equals one of others in depth.
fn is_among<'a>(
    value: &Value,
    others: impl IntoIterator<Item = &'a Value>,
    allowance: &mut Allowance,
) -> Result<bool, FunctionError> {
    for other in others {
        if other.deep_equals_within(value, allowance)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has(arguments: &[Value]) -> Result<Value, FunctionError> {
    if matches!(arguments.any(1), Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let list = slice_of(arguments.any(1), "Cannot find has on type")?;
    let found = is_among(arguments.any(0), list.items(), &mut Allowance::new())?;
    Ok(Value::Bool(found))
}

/// A part of a slice, of the slice's own type. Go bounds it by the capacity; this, by the length.
fn slice(arguments: &[Value]) -> Result<Value, FunctionError> {
    let list = slice_of(
        arguments.any(0),
        "list should be type of slice or array but",
    )?;
    let items = list.items();
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = arguments.get(1).map_or(0, to_int);
    let end = arguments.get(2).map(to_int);
    let start = usize::try_from(start).ok();
    let end = end.map_or(Some(items.len()), |end| usize::try_from(end).ok());
    let part = start
        .zip(end)
        .and_then(|(start, end)| items.get(start..end));
    let part =
        part.ok_or_else(|| FunctionError::new("reflect.Value.Slice: slice index out of bounds"))?;
    Ok(Value::List(List::of(
        list.list_type(),
        part.iter().cloned(),
    )))
}

/// Lists of a size out of one list, by Sprig's arithmetic, which goes through floats.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the numbers of items of a list, and sizes whose exact value no longer matters"
)]
fn chunk(arguments: &[Value]) -> Result<Value, FunctionError> {
    let out_of_range = || FunctionError::new("runtime error: makeslice: len out of range");
    let size = arguments.int(0)?;
    let list = slice_of(arguments.any(1), "Cannot chunk type")?;
    let items = list.items();
    let (length, float_size) = (items.len() as f64, size as f64);
    let chunks = ((length - 1.0) / float_size).floor() + 1.0;
    if !chunks.is_finite() || chunks < 0.0 {
        return Err(out_of_range());
    }
    let chunks = chunks as i64;
    let mut lists = Vec::new();
    for index in 0..chunks {
        let rest = (length % float_size).floor() as i64;
        let is_last = index == chunks - 1;
        let wanted = if is_last && rest != 0 { rest } else { size };
        let wanted = usize::try_from(wanted).map_err(|_| out_of_range())?;
        let start = usize::try_from(index * size).map_err(|_| out_of_range())?;
        let part = items.get(start..start.saturating_add(wanted));
        let part = part.ok_or_else(|| FunctionError::new("reflect: slice index out of range"))?;
        lists.push(Value::list(part.iter().cloned()));
    }
    Ok(Value::List(List::of(ListType::List, lists)))
}

fn concat(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut all = Vec::new();
    for argument in arguments {
        let Value::List(list) = argument else {
            let text = match argument {
                Value::Nil => NIL_POINTER.to_owned(),
                other => format!("Cannot concat type {} as list", other.kind_name()),
            };
            return Err(FunctionError::new(text));
        };
        check_items(all.len() + list.items().len())?;
        all.extend_from_slice(list.items());
    }
    Ok(if all.is_empty() {
        nil_slice()
    } else {
        Value::list(all)
    })
}
