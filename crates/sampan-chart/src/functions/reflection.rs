//! Sprig's reflection: the types and kinds of values.
#![expect(clippy::unnecessary_wraps, reason = "all functions have one face")]

use super::Parameter::{Any, Text};
use super::arguments::Arguments;
use super::{Function, FunctionError};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("typeOf", &[Any], type_of),
    Function::new("typeIs", &[Text, Any], type_is),
    Function::new("typeIsLike", &[Text, Any], type_is_like),
    Function::new("kindOf", &[Any], kind_of),
    Function::new("kindIs", &[Text, Any], kind_is),
    Function::new("deepEqual", &[Any, Any], deep_equal),
];

fn type_of(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(arguments.any(0).type_name()))
}

fn type_is(arguments: &[Value]) -> Result<Value, FunctionError> {
    let name = arguments.any(1).type_name();
    Ok(Value::Bool(**arguments.text(0)? == *name.as_bytes()))
}

/// A pointer to a type is like the type.
fn type_is_like(arguments: &[Value]) -> Result<Value, FunctionError> {
    let wanted = arguments.text(0)?;
    let name = arguments.any(1).type_name().as_bytes();
    let is_like = **wanted == *name || name.strip_prefix(b"*") == Some(&**wanted);
    Ok(Value::Bool(is_like))
}

fn kind_of(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(arguments.any(0).kind_name()))
}

fn kind_is(arguments: &[Value]) -> Result<Value, FunctionError> {
    let name = arguments.any(1).kind_name();
    Ok(Value::Bool(**arguments.text(0)? == *name.as_bytes()))
}

fn deep_equal(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(arguments.any(0).deep_equals(arguments.any(1))?))
}
