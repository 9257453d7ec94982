//! Sprig's arithmetic: on 64-bit integers that wrap around, and on floats by way of decimals.
#![expect(clippy::unnecessary_wraps, reason = "all functions have one face")]

use super::Parameter::{Any, Float, Int};
use super::arguments::Arguments;
use super::numbers::{parse_integer, parse_saturating, to_float};
use super::{Function, FunctionError, Parameter};
use crate::value::Value;
use crate::value::print::display;

mod decimal;
mod integers;
mod ranges;
mod rounding;

use decimal::Decimal;
pub(super) use integers::{FUNCTIONS as INTEGERS, HELM_4};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("float64", &[Any], float64),
    Function::new("atoi", &[Parameter::Text], atoi),
    Function::new("toDecimal", &[Any], to_decimal),
    Function::new("add1f", &[Any], add1f),
    Function::variadic("addf", &[], Any, addf),
    Function::variadic("subf", &[Any], Any, subf),
    Function::variadic("divf", &[Any], Any, divf),
    Function::variadic("mulf", &[Any], Any, mulf),
    Function::variadic("maxf", &[Any], Any, maxf),
    Function::variadic("minf", &[Any], Any, minf),
    Function::new("ceil", &[Any], ceil),
    Function::new("floor", &[Any], floor),
    Function::variadic("round", &[Any, Int], Float, rounding::round),
    Function::new("until", &[Int], ranges::until),
    Function::new("untilStep", &[Int, Int, Int], ranges::until_step),
    Function::variadic("seq", &[], Int, ranges::seq),
];

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
