//! Sprig's defaults: what stands in for what is empty.
#![expect(clippy::unnecessary_wraps, reason = "all functions have one face")]

use super::Parameter::{Any, Bool};
use super::arguments::Arguments;
use super::{Function, FunctionError};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::variadic("default", &[Any], Any, default),
    Function::new("empty", &[Any], empty),
    Function::variadic("coalesce", &[], Any, coalesce),
    Function::variadic("all", &[], Any, all),
    Function::variadic("any", &[], Any, any),
    Function::new("ternary", &[Any, Any, Bool], ternary),
    Function::new("hello", &[], hello),
];

fn default(arguments: &[Value]) -> Result<Value, FunctionError> {
    let given = arguments.any(1);
    Ok(if given.is_true() {
        given.clone()
    } else {
        arguments.any(0).clone()
    })
}

fn empty(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(!arguments.any(0).is_true()))
}

fn coalesce(arguments: &[Value]) -> Result<Value, FunctionError> {
    let first = arguments.iter().find(|value| value.is_true());
    Ok(first.cloned().unwrap_or(Value::Nil))
}

fn all(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(arguments.iter().all(Value::is_true)))
}

fn any(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(arguments.iter().any(Value::is_true)))
}

fn ternary(arguments: &[Value]) -> Result<Value, FunctionError> {
    let place = usize::from(!arguments.bool(2)?);
    Ok(arguments.any(place).clone())
}

fn hello(_arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text("Hello!"))
}
