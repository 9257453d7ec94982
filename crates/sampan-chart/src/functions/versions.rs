//! Sprig's versions: `semver` gives out an object, `semverCompare` checks a constraint.

use std::cmp::Ordering;
use std::rc::Rc;

use super::Parameter::{Object as Pointer, Text as Word};
use super::arguments::Arguments;
use super::{Function, FunctionError, Parameter};
use crate::value::quote::quote;
use crate::value::{IntegerType, Invocation, Method, Object, Text, Value};
use crate::version::Version;
use crate::version::constraint::Constraint;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("semver", &[Word], semver),
    Function::new("semverCompare", &[Word, Word], semver_compare),
];

/// As Helm 4 has them, with a later release of the library.
pub(super) const HELM_4: &[Function] = &[
    Function::new("semver", &[Word], |call| semver(call).map_err(later)),
    Function::new("semverCompare", &[Word, Word], |call| {
        compare(call, Constraint::allows_together).map_err(later)
    }),
];

const POINTER: &str = "*semver.Version";

fn failed(error: impl std::fmt::Display) -> FunctionError {
    FunctionError::new(error.to_string())
}

fn semver(arguments: &[Value]) -> Result<Value, FunctionError> {
    let version = Version::parse(&arguments.text(0)?.to_str()).map_err(failed)?;
    Ok(object(version, Hold::Pointer))
}

fn semver_compare(arguments: &[Value]) -> Result<Value, FunctionError> {
    compare(arguments, Constraint::allows)
}

fn compare(
    arguments: &[Value],
    allows: fn(&Constraint, &Version) -> bool,
) -> Result<Value, FunctionError> {
    let constraint = Constraint::parse(&arguments.text(0)?.to_str()).map_err(failed)?;
    let version = Version::parse(&arguments.text(1)?.to_str()).map_err(failed)?;
    Ok(Value::Bool(allows(&constraint, &version)))
}

/// The words of later releases: without capitals, and with the constraint in quotes.
fn later(error: FunctionError) -> FunctionError {
    let text = error.to_string();
    if let Some(constraint) = text.strip_prefix("improper constraint: ") {
        let constraint = quote(constraint.as_bytes());
        return FunctionError::new(format!("improper constraint: {constraint}"));
    }
    if text == "constraint Parser Error" {
        return FunctionError::new("constraint parser error");
    }
    let capitals = [
        "Invalid",
        "Version",
        "Error",
        "Semantic",
        "Prerelease",
        "Metadata",
    ];
    let is_of_library = capitals.iter().any(|word| text.starts_with(word));
    if !is_of_library {
        return error;
    }
    let (words, rest) = text
        .split_once(':')
        .map_or((text.as_str(), ""), |(words, _)| {
            (words, &text[words.len()..])
        });
    FunctionError::new(words.to_lowercase() + rest)
}

/// Whether templates hold a pointer to a version or a copy of one, which has fewer methods.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Pointer,
    Copy,
}

struct VersionObject {
    version: Rc<Version>,
    hold: Hold,
}

fn object(version: Version, hold: Hold) -> Value {
    let version = Rc::new(version);
    Value::Object(Rc::new(VersionObject { version, hold }))
}

impl Object for VersionObject {
    fn type_name(&self) -> &'static str {
        match self.hold {
            Hold::Pointer => POINTER,
            Hold::Copy => "semver.Version",
        }
    }

    fn kind_name(&self) -> &'static str {
        match self.hold {
            Hold::Pointer => "ptr",
            Hold::Copy => "struct",
        }
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Invocation> {
        let version = Rc::clone(&self.version);
        constant(&version, name)
            .or_else(|| derived(&version, name))
            .or_else(|| {
                if self.hold == Hold::Pointer {
                    of_pointer(&version, name)
                } else {
                    None
                }
            })
    }

    fn print(&self) -> Text {
        self.version.to_string().into()
    }
}

fn invocation(parameters: &'static [Parameter], call: Method) -> Invocation {
    Invocation {
        parameters,
        variadic: None,
        call,
    }
}

fn always(value: Value) -> Invocation {
    invocation(&[], Box::new(move |_| Ok(value.clone())))
}

/// The parts of a version.
fn constant(version: &Version, name: &str) -> Option<Invocation> {
    let number = |value: u64| Value::integer(value, IntegerType::Uint64);
    let value = match name {
        "Major" => number(version.major),
        "Minor" => number(version.minor),
        "Patch" => number(version.patch),
        "Prerelease" => Value::text(version.prerelease.as_str()),
        "Metadata" => Value::text(version.metadata.as_str()),
        "String" => Value::text(version.to_string()),
        _ => return None,
    };
    Some(always(value))
}

/// Other versions made of one.
fn derived(version: &Rc<Version>, name: &str) -> Option<Invocation> {
    let changed = match name {
        "IncMajor" => return Some(always(object(version.next_major(), Hold::Copy))),
        "IncMinor" => return Some(always(object(version.next_minor(), Hold::Copy))),
        "IncPatch" => return Some(always(object(version.next_patch(), Hold::Copy))),
        "SetPrerelease" => Version::with_prerelease,
        "SetMetadata" => Version::with_metadata,
        _ => return None,
    };
    let version = Rc::clone(version);
    let call = move |arguments: &[Value]| {
        let changed = changed(&version, &arguments.text(0)?.to_str()).map_err(failed)?;
        Ok(object(changed, Hold::Copy))
    };
    Some(invocation(&[Word], Box::new(call)))
}

/// What only pointers can do: comparing, mostly.
fn of_pointer(version: &Rc<Version>, name: &str) -> Option<Invocation> {
    let result: fn(Ordering) -> Value = match name {
        "Original" => return Some(always(Value::text(version.original.as_str()))),
        "Compare" => |order| Value::int(i64::from(order as i8)),
        "Equal" => |order| Value::Bool(order.is_eq()),
        "LessThan" => |order| Value::Bool(order.is_lt()),
        "LessThanEqual" => |order| Value::Bool(order.is_le()),
        "GreaterThan" => |order| Value::Bool(order.is_gt()),
        "GreaterThanEqual" => |order| Value::Bool(order.is_ge()),
        _ => return None,
    };
    let version = Rc::clone(version);
    let call = move |arguments: &[Value]| {
        let Value::Object(other) = arguments.any(0) else {
            return Err(FunctionError::new(super::arguments::NIL_POINTER));
        };
        let other = Version::parse(&other.print().to_str()).map_err(failed)?;
        Ok(result(version.compare(&other)))
    };
    Some(invocation(&[Pointer(POINTER)], Box::new(call)))
}
