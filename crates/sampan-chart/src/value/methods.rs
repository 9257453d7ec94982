//! The methods that templates can call on values.

use super::{DictType, Integer, IntegerType, Invocation, ListType, Value, named};
use crate::functions::{FunctionError, Parameter};

mod values;

/// The method of a value by its name.
#[must_use]
pub fn method(value: &Value, name: &str) -> Option<Invocation> {
    match value {
        Value::Object(object) => object.method(name),
        Value::List(list) if is_version_set(list.list_type()) && name == "Has" => {
            let list = list.clone();
            Some(Invocation {
                parameters: &[Parameter::Text],
                variadic: None,
                call: Box::new(move |arguments| {
                    let Some(Value::Text(wanted)) = arguments.first() else {
                        return Ok(Value::Bool(false));
                    };
                    let known = |item: &Value| matches!(item, Value::Text(text) if text == wanted);
                    Ok(Value::Bool(list.items().iter().any(known)))
                }),
            })
        }
        Value::Dict(dict) if is_values(dict.dict_type()) => values::method(dict, name),
        Value::Integer(integer) => integer_method(*integer, name),
        _ => None,
    }
}

fn is_values(of: DictType) -> bool {
    matches!(of, DictType::Values | DictType::CommonValues)
}

fn is_version_set(of: ListType) -> bool {
    matches!(of, ListType::VersionSet | ListType::CommonVersionSet)
}

/// The methods of durations, months and days of the week.
fn integer_method(integer: Integer, name: &str) -> Option<Invocation> {
    let result = match (integer.of, name) {
        (IntegerType::Duration | IntegerType::Month | IntegerType::Weekday, "String") => {
            Value::text(named::print(integer)?)
        }
        (IntegerType::Duration, "Nanoseconds") => of_int64(integer.value),
        (IntegerType::Duration, "Microseconds") => of_int64(integer.value / 1_000),
        (IntegerType::Duration, "Milliseconds") => of_int64(integer.value / 1_000_000),
        (IntegerType::Duration, "Seconds") => in_units(integer.value, 1_000_000_000),
        (IntegerType::Duration, "Minutes") => in_units(integer.value, 60_000_000_000),
        (IntegerType::Duration, "Hours") => in_units(integer.value, 3_600_000_000_000),
        (IntegerType::Duration, "Abs") => Value::integer(
            integer.value.abs().min(i64::MAX.into()),
            IntegerType::Duration,
        ),
        (IntegerType::Duration, "Truncate" | "Round") => {
            let round = name == "Round";
            return Some(Invocation {
                parameters: &[Parameter::Any],
                variadic: None,
                call: Box::new(move |arguments| to_multiple(integer.value, arguments, round)),
            });
        }
        _ => return None,
    };
    Some(Invocation {
        parameters: &[],
        variadic: None,
        call: Box::new(move |_| Ok(result.clone())),
    })
}

fn of_int64(value: i128) -> Value {
    Value::integer(value, IntegerType::Int64)
}

/// A duration as a number of units, computed in the steps of Go, which decide the last digit.
#[expect(
    clippy::cast_precision_loss,
    reason = "Go converts both parts to floats as well"
)]
fn in_units(nanoseconds: i128, unit: i128) -> Value {
    let whole = (nanoseconds / unit) as f64;
    let rest = (nanoseconds % unit) as f64;
    Value::Float(whole + rest / unit as f64)
}

/// A duration as a multiple of another.
fn to_multiple(value: i128, arguments: &[Value], round: bool) -> Result<Value, FunctionError> {
    let Some(Value::Integer(unit)) = arguments.first() else {
        return Err(FunctionError::new("a duration is expected"));
    };
    let unit = unit.value;
    if unit <= 0 {
        return Ok(Value::integer(value, IntegerType::Duration));
    }
    let rest = value % unit;
    let mut multiple = value - rest;
    if round && rest.abs() * 2 >= unit {
        multiple += unit * rest.signum();
    }
    let multiple = multiple.clamp(i64::MIN.into(), i64::MAX.into());
    Ok(Value::integer(multiple, IntegerType::Duration))
}
