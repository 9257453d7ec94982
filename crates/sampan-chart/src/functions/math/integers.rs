//! Arithmetic on 64-bit integers, which wrap around. What a text means as an integer depends on the version of Helm.

use crate::functions::Parameter::Any;
use crate::functions::arguments::Arguments;
use crate::functions::numbers::{to_int, to_int_cut};
use crate::functions::{Function, FunctionError};
use crate::value::Value;

/// The functions, with a way to make integers of values.
macro_rules! functions {
    ($to_int:path) => {
        &[
            Function::new("int", &[Any], |call| Ok(Value::int($to_int(call.any(0))))),
            Function::new("int64", &[Any], |call| {
                Ok(Value::int64($to_int(call.any(0))))
            }),
            Function::new("add1", &[Any], |call| {
                Ok(Value::int64($to_int(call.any(0)).wrapping_add(1)))
            }),
            Function::variadic("add", &[], Any, |call| {
                Ok(Value::int64(
                    call.iter().map($to_int).fold(0, i64::wrapping_add),
                ))
            }),
            Function::new("sub", &[Any, Any], |call| {
                Ok(Value::int64(
                    $to_int(call.any(0)).wrapping_sub($to_int(call.any(1))),
                ))
            }),
            Function::new("div", &[Any, Any], |call| {
                let divisor = divisor($to_int(call.any(1)))?;
                Ok(Value::int64($to_int(call.any(0)).wrapping_div(divisor)))
            }),
            Function::new("mod", &[Any, Any], |call| {
                let divisor = divisor($to_int(call.any(1)))?;
                Ok(Value::int64($to_int(call.any(0)).wrapping_rem(divisor)))
            }),
            Function::variadic("mul", &[Any], Any, |call| {
                Ok(Value::int64(
                    call.iter().map($to_int).fold(1, i64::wrapping_mul),
                ))
            }),
            Function::variadic("max", &[Any], Any, |call| {
                Ok(Value::int64(call.iter().map($to_int).max().unwrap_or(0)))
            }),
            Function::variadic("biggest", &[Any], Any, |call| {
                Ok(Value::int64(call.iter().map($to_int).max().unwrap_or(0)))
            }),
            Function::variadic("min", &[Any], Any, |call| {
                Ok(Value::int64(call.iter().map($to_int).min().unwrap_or(0)))
            }),
        ]
    };
}

/// As Helm 3 has them: a text with a fraction is no integer.
pub(in crate::functions) const FUNCTIONS: &[Function] = functions!(to_int);

/// As Helm 4 has them: fractions of texts are cut off.
pub(in crate::functions) const HELM_4: &[Function] = functions!(to_int_cut);

fn divisor(divisor: i64) -> Result<i64, FunctionError> {
    match divisor {
        0 => Err(FunctionError::new("runtime error: integer divide by zero")),
        divisor => Ok(divisor),
    }
}
