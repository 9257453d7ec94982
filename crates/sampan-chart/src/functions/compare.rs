//! Go's own comparisons and truths: `eq ne lt le gt ge not and or call`.

use std::cmp::Ordering;

use super::{FunctionError, Parameter, ReflectBody, ReflectFunction};
use crate::compatibility::Compatibility;
use crate::value::{Integer, IntegerType, Reflected, Text, Value, print, printf};

type Result<T> = std::result::Result<T, FunctionError>;

/// A comparison of two values.
type Comparison = fn(Compatibility, &Value, &Value) -> Result<bool>;

const ANY: Parameter = Parameter::Reflected;

/// The functions of this family.
pub(super) const FUNCTIONS: &[ReflectFunction] = &[
    ReflectFunction {
        name: "and",
        parameters: &[ANY],
        variadic: Some(ANY),
        call: ReflectBody::And,
    },
    ReflectFunction {
        name: "or",
        parameters: &[ANY],
        variadic: Some(ANY),
        call: ReflectBody::Or,
    },
    ReflectFunction {
        name: "call",
        parameters: &[ANY],
        variadic: Some(ANY),
        call: ReflectBody::Call,
    },
    ReflectFunction {
        name: "not",
        parameters: &[ANY],
        variadic: None,
        call: ReflectBody::Plain(|_, values| truth(!values[0].value.is_true())),
    },
    ReflectFunction {
        name: "eq",
        parameters: &[ANY],
        variadic: Some(ANY),
        call: ReflectBody::Plain(eq),
    },
    pair("ne", |compatibility, values| {
        two(compatibility, values, |compatibility, first, second| {
            Ok(!equal(compatibility, first, second)?)
        })
    }),
    pair("lt", |compatibility, values| {
        two(compatibility, values, less)
    }),
    pair("le", |compatibility, values| {
        two(compatibility, values, less_or_equal)
    }),
    pair("gt", |compatibility, values| {
        two(compatibility, values, |compatibility, first, second| {
            Ok(!less_or_equal(compatibility, first, second)?)
        })
    }),
    pair("ge", |compatibility, values| {
        two(compatibility, values, |compatibility, first, second| {
            Ok(!less(compatibility, first, second)?)
        })
    }),
];

/// A function of two values.
const fn pair(
    name: &'static str,
    body: fn(Compatibility, &[Reflected]) -> Result<Reflected>,
) -> ReflectFunction {
    ReflectFunction {
        name,
        parameters: &[ANY, ANY],
        variadic: None,
        call: ReflectBody::Plain(body),
    }
}

fn two(
    compatibility: Compatibility,
    values: &[Reflected],
    compare: Comparison,
) -> Result<Reflected> {
    truth(compare(compatibility, &values[0].value, &values[1].value)?)
}

#[expect(clippy::unnecessary_wraps, reason = "it ends bodies that give results")]
fn truth(value: bool) -> Result<Reflected> {
    Ok(Reflected::plain(Value::Bool(value)))
}

/// The kinds of values that can be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Other,
    Bool,
    Complex,
    Signed,
    Float,
    Text,
    Unsigned,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Integer(Integer {
            of: IntegerType::Uint8 | IntegerType::Uint32 | IntegerType::Uint64,
            ..
        }) => Kind::Unsigned,
        Value::Integer(_) => Kind::Signed,
        Value::Float(_) => Kind::Float,
        Value::Complex(..) => Kind::Complex,
        Value::Text(_) => Kind::Text,
        Value::Nil | Value::List(_) | Value::Dict(_) | Value::Object(_) => Kind::Other,
    }
}

/// Kinds that can be compared with one another: all integers can.
fn same_kind(first: &Value, second: &Value) -> bool {
    let (first, second) = (kind(first), kind(second));
    let integer = |kind| matches!(kind, Kind::Signed | Kind::Unsigned);
    first == second || integer(first) && integer(second)
}

fn incompatible(compatibility: Compatibility, first: &Value, second: &Value) -> FunctionError {
    FunctionError::new(match compatibility {
        Compatibility::Helm3 => "incompatible types for comparison".to_owned(),
        Compatibility::Helm4 => format!(
            "incompatible types for comparison: {} and {}",
            first.type_name(),
            second.type_name()
        ),
    })
}

fn bad_type() -> FunctionError {
    FunctionError::new("invalid type for comparison")
}

fn eq(compatibility: Compatibility, values: &[Reflected]) -> Result<Reflected> {
    let Some((first, others)) = values
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    else {
        return Err(FunctionError::new("missing argument for comparison"));
    };
    for other in others {
        if equal(compatibility, &first.value, &other.value)? {
            return truth(true);
        }
    }
    truth(false)
}

#[expect(clippy::float_cmp, reason = "charts compare numbers exactly")]
fn equal(compatibility: Compatibility, first: &Value, second: &Value) -> Result<bool> {
    if !same_kind(first, second) {
        if matches!(first, Value::Nil) || matches!(second, Value::Nil) {
            return Ok(false);
        }
        return Err(incompatible(compatibility, first, second));
    }
    Ok(match (first, second) {
        (Value::Bool(first), Value::Bool(second)) => first == second,
        (Value::Integer(first), Value::Integer(second)) => first.value == second.value,
        (Value::Float(first), Value::Float(second)) => first == second,
        (Value::Complex(real, imaginary), Value::Complex(other_real, other_imaginary)) => {
            real == other_real && imaginary == other_imaginary
        }
        (Value::Text(first), Value::Text(second)) => first == second,
        _ => return equal_others(first, second),
    })
}

/// Compares what is no basic type.
fn equal_others(first: &Value, second: &Value) -> Result<bool> {
    let nil = |value: &Value| matches!(value, Value::Nil);
    if nil(first) || nil(second) {
        return Ok(nil(first) && nil(second));
    }
    let (one, other) = (first.type_name(), second.type_name());
    if first.kind_name() != second.kind_name() {
        let (first, second) = (with_verb(first)?, print::display(second)?);
        return Err(FunctionError::new(format!(
            "non-comparable types {first}: {one}, {other}: {second}"
        )));
    }
    let comparable = match second {
        Value::Object(object) => object.kind_name() != "map" && object.is_comparable(),
        _ => false,
    };
    if !comparable {
        let second = with_verb(second)?;
        return Err(FunctionError::new(format!(
            "non-comparable type {second}: {other}"
        )));
    }
    match (first, second) {
        (Value::Object(first), Value::Object(second)) if first.kind_name() == "ptr" => {
            Ok(std::rc::Rc::ptr_eq(first, second))
        }
        (Value::Object(first), Value::Object(second)) => {
            Ok(one == other && first.print() == second.print())
        }
        _ => Ok(false),
    }
}

/// A value as `%s` prints it, which Go's text does.
fn with_verb(value: &Value) -> Result<Text> {
    printf::printf(b"%s", std::slice::from_ref(value))
}

fn less(compatibility: Compatibility, first: &Value, second: &Value) -> Result<bool> {
    for value in [first, second] {
        if kind(value) == Kind::Other {
            return Err(bad_type());
        }
    }
    if !same_kind(first, second) {
        return Err(incompatible(compatibility, first, second));
    }
    let ordering = match (first, second) {
        (Value::Integer(first), Value::Integer(second)) => Some(first.value.cmp(&second.value)),
        (Value::Float(first), Value::Float(second)) => first.partial_cmp(second),
        (Value::Text(first), Value::Text(second)) => Some(first.cmp(second)),
        _ => return Err(bad_type()),
    };
    Ok(ordering == Some(Ordering::Less))
}

fn less_or_equal(compatibility: Compatibility, first: &Value, second: &Value) -> Result<bool> {
    Ok(less(compatibility, first, second)? || equal(compatibility, first, second)?)
}
