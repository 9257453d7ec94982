//! Sprig's arithmetic: on 64-bit integers that wrap around, and on floats by way of decimals.
#![expect(clippy::unnecessary_wraps, reason = "all functions have one face")]

use super::Parameter::{Any, Float, Int};
use super::arguments::Arguments;
use super::numbers::{parse_integer, parse_saturating, to_float, to_int};
use super::{Function, FunctionError, Parameter};
use crate::value::Value;
use crate::value::print::display;

mod decimal;
mod ranges;
mod rounding;

use decimal::Decimal;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("int", &[Any], int),
    Function::new("int64", &[Any], int64),
    Function::new("float64", &[Any], float64),
    Function::new("atoi", &[Parameter::Text], atoi),
    Function::new("toDecimal", &[Any], to_decimal),
    Function::new("add1", &[Any], add1),
    Function::variadic("add", &[], Any, add),
    Function::new("sub", &[Any, Any], sub),
    Function::new("div", &[Any, Any], div),
    Function::new("mod", &[Any, Any], modulo),
    Function::variadic("mul", &[Any], Any, mul),
    Function::new("add1f", &[Any], add1f),
    Function::variadic("addf", &[], Any, addf),
    Function::variadic("subf", &[Any], Any, subf),
    Function::variadic("divf", &[Any], Any, divf),
    Function::variadic("mulf", &[Any], Any, mulf),
    Function::variadic("max", &[Any], Any, max),
    Function::variadic("biggest", &[Any], Any, max),
    Function::variadic("min", &[Any], Any, min),
    Function::variadic("maxf", &[Any], Any, maxf),
    Function::variadic("minf", &[Any], Any, minf),
    Function::new("ceil", &[Any], ceil),
    Function::new("floor", &[Any], floor),
    Function::variadic("round", &[Any, Int], Float, rounding::round),
    Function::new("until", &[Int], ranges::until),
    Function::new("untilStep", &[Int, Int, Int], ranges::until_step),
    Function::variadic("seq", &[], Int, ranges::seq),
];

fn int(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::int(to_int(arguments.any(0))))
}

fn int64(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::int64(to_int(arguments.any(0))))
}

fn float64(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Float(to_float(arguments.any(0))))
}

fn atoi(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::int(parse_saturating(arguments.text(0)?)))
}

fn to_decimal(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = display(arguments.any(0))?;
    Ok(Value::int64(parse_integer(&text, 8).unwrap_or(0)))
}

fn add1(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::int64(to_int(arguments.any(0)).wrapping_add(1)))
}

fn add(arguments: &[Value]) -> Result<Value, FunctionError> {
    let sum = arguments.iter().map(to_int).fold(0, i64::wrapping_add);
    Ok(Value::int64(sum))
}

fn sub(arguments: &[Value]) -> Result<Value, FunctionError> {
    let difference = to_int(arguments.any(0)).wrapping_sub(to_int(arguments.any(1)));
    Ok(Value::int64(difference))
}

fn div(arguments: &[Value]) -> Result<Value, FunctionError> {
    let divisor = divisor(arguments.any(1))?;
    Ok(Value::int64(to_int(arguments.any(0)).wrapping_div(divisor)))
}

fn modulo(arguments: &[Value]) -> Result<Value, FunctionError> {
    let divisor = divisor(arguments.any(1))?;
    Ok(Value::int64(to_int(arguments.any(0)).wrapping_rem(divisor)))
}

fn divisor(value: &Value) -> Result<i64, FunctionError> {
    match to_int(value) {
        0 => Err(FunctionError::new("runtime error: integer divide by zero")),
        divisor => Ok(divisor),
    }
}

fn mul(arguments: &[Value]) -> Result<Value, FunctionError> {
    let product = arguments.iter().map(to_int).fold(1, i64::wrapping_mul);
    Ok(Value::int64(product))
}

fn add1f(arguments: &[Value]) -> Result<Value, FunctionError> {
    let sum = Decimal::of(to_float(arguments.any(0)))?.plus(&Decimal::of(1.0)?);
    Ok(Value::Float(sum.to_float()))
}

/// The values taken together from the left.
fn fold(
    first: f64,
    others: &[Value],
    operation: impl Fn(&Decimal, &Decimal) -> Result<Decimal, FunctionError>,
) -> Result<Value, FunctionError> {
    let mut result = Decimal::of(first)?;
    for other in others {
        result = operation(&result, &Decimal::of(to_float(other))?)?;
    }
    Ok(Value::Float(result.to_float()))
}

fn addf(arguments: &[Value]) -> Result<Value, FunctionError> {
    fold(0.0, arguments, |one, other| Ok(one.plus(other)))
}

fn subf(arguments: &[Value]) -> Result<Value, FunctionError> {
    fold(
        to_float(arguments.any(0)),
        arguments.from(1),
        |one, other| Ok(one.minus(other)),
    )
}

fn divf(arguments: &[Value]) -> Result<Value, FunctionError> {
    fold(to_float(arguments.any(0)), arguments.from(1), Decimal::over)
}

fn mulf(arguments: &[Value]) -> Result<Value, FunctionError> {
    fold(
        to_float(arguments.any(0)),
        arguments.from(1),
        |one, other| Ok(one.times(other)),
    )
}

fn max(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::int64(
        arguments.iter().map(to_int).max().unwrap_or(0),
    ))
}

fn min(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::int64(
        arguments.iter().map(to_int).min().unwrap_or(0),
    ))
}

fn maxf(arguments: &[Value]) -> Result<Value, FunctionError> {
    let larger = |one: f64, other: f64| match (one, other) {
        _ if one == f64::INFINITY || other == f64::INFINITY => f64::INFINITY,
        _ if one.is_nan() || other.is_nan() => f64::NAN,
        (one, other) if one == 0.0 && other == 0.0 && one.is_sign_negative() => other,
        (one, other) => {
            if one > other || other == 0.0 && one == 0.0 {
                one
            } else {
                other
            }
        }
    };
    let floats = arguments.iter().map(to_float).reduce(larger);
    Ok(Value::Float(floats.unwrap_or(0.0)))
}

fn minf(arguments: &[Value]) -> Result<Value, FunctionError> {
    let smaller = |one: f64, other: f64| match (one, other) {
        _ if one == f64::NEG_INFINITY || other == f64::NEG_INFINITY => f64::NEG_INFINITY,
        _ if one.is_nan() || other.is_nan() => f64::NAN,
        (one, other) if one == 0.0 && other == 0.0 => {
            if one.is_sign_negative() {
                one
            } else {
                other
            }
        }
        (one, other) => {
            if one < other {
                one
            } else {
                other
            }
        }
    };
    let floats = arguments.iter().map(to_float).reduce(smaller);
    Ok(Value::Float(floats.unwrap_or(0.0)))
}

fn ceil(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Float(to_float(arguments.any(0)).ceil()))
}

fn floor(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Float(to_float(arguments.any(0)).floor()))
}
