//! The arguments of a call, taken as what the function declared them to be.
//!
//! The executor has checked them already; that they are checked again costs nothing and keeps a wrong table from
//! becoming a panic.

use super::FunctionError;
use crate::value::{Dict, DictType, List, ListType, Text, Value};

/// A nil pointer was followed: what Go says when a function asks nil for its type.
pub(super) const NIL_POINTER: &str =
    "runtime error: invalid memory address or nil pointer dereference";

/// Reading of arguments by their place.
pub(super) trait Arguments {
    /// Any value; `nil` where there is none.
    fn any(&self, place: usize) -> &Value;
    /// A `bool`.
    fn bool(&self, place: usize) -> Result<bool, FunctionError>;
    /// An integer of any type, as an `int`.
    fn int(&self, place: usize) -> Result<i64, FunctionError>;
    /// A `string`.
    fn text(&self, place: usize) -> Result<&Text, FunctionError>;
    /// A map, whatever its name; nil is a nil map.
    fn dict(&self, place: usize) -> Result<Dict, FunctionError>;
    /// A slice; nil is a nil slice.
    fn list(&self, place: usize) -> Result<List, FunctionError>;
    /// The arguments from a place on.
    fn from(&self, place: usize) -> &[Value];
}

impl Arguments for [Value] {
    fn any(&self, place: usize) -> &Value {
        self.get(place).unwrap_or(&Value::Nil)
    }

    fn bool(&self, place: usize) -> Result<bool, FunctionError> {
        match self.any(place) {
            Value::Bool(value) => Ok(*value),
            other => Err(wrong(place, "bool", other)),
        }
    }

    fn int(&self, place: usize) -> Result<i64, FunctionError> {
        let value = self.any(place);
        let number = match value {
            Value::Integer(integer) => i64::try_from(integer.value).ok(),
            _ => None,
        };
        number.ok_or_else(|| wrong(place, "int", value))
    }

    fn text(&self, place: usize) -> Result<&Text, FunctionError> {
        match self.any(place) {
            Value::Text(text) => Ok(text),
            other => Err(wrong(place, "string", other)),
        }
    }

    fn dict(&self, place: usize) -> Result<Dict, FunctionError> {
        match self.any(place) {
            Value::Dict(dict) => Ok(dict.retyped(DictType::Any)),
            Value::Nil => Ok(Dict::nil(DictType::Any)),
            other => Err(wrong(place, DictType::Any.name(), other)),
        }
    }

    fn list(&self, place: usize) -> Result<List, FunctionError> {
        match self.any(place) {
            Value::List(list) => Ok(list.clone()),
            Value::Nil => Ok(List::nil(ListType::Any)),
            other => Err(wrong(place, ListType::Any.name(), other)),
        }
    }

    fn from(&self, place: usize) -> &[Value] {
        self.get(place..).unwrap_or_default()
    }
}

fn wrong(place: usize, wanted: &str, found: &Value) -> FunctionError {
    let found = found.type_name();
    FunctionError::new(format!(
        "argument {} is of type {found}, not {wanted}",
        place + 1
    ))
}
