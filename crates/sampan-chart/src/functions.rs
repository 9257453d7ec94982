//! The functions that charts can call, by family: Go's own, Sprig's and Helm's.
//!
//! A function states the Go types of its parameters. The executor checks number and types of the arguments as Go's
//! `text/template` does, with its error texts, before the body sees them: a body can rely on what it declared.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::value::Value;

mod arguments;
mod bounds;
mod defaults;
mod dicts;
mod lists;
mod math;
mod numbers;
mod paths;
mod regular_expressions;
mod text_of;
mod types;

/// The families. Where two have the same name, the later one counts, as with Go's function maps.
const FAMILIES: &[&[Function]] = &[
    defaults::FUNCTIONS,
    dicts::FUNCTIONS,
    lists::FUNCTIONS,
    math::FUNCTIONS,
    paths::FUNCTIONS,
    regular_expressions::FUNCTIONS,
    types::FUNCTIONS,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let functions = FAMILIES.iter().copied().flatten();
    functions
        .map(|function| (function.name, function))
        .collect()
});

/// The function that templates call by a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).copied()
}

/// What an argument must be: the Go type of a function's parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `interface {}`: anything, nil too.
    Any,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `float64`
    Float,
    /// `string`
    Text,
    /// `[]interface {}`
    List,
    /// `map[string]interface {}`
    Dict,
    /// An object whose type has this name, such as `time.Time`.
    Object(&'static str),
}

/// A function as templates see it.
pub struct Function {
    /// The name that templates call it by.
    pub name: &'static str,
    /// What each argument must be. A literal `nil` is a nil map or slice where one of those is asked for, see
    /// [`Dict::nil`](crate::value::Dict::nil).
    pub parameters: &'static [Parameter],
    /// What further arguments must be, when there may be any.
    pub variadic: Option<Parameter>,
    /// The body.
    pub call: fn(&[Value]) -> Result<Value, FunctionError>,
}

impl Function {
    const fn new(
        name: &'static str,
        parameters: &'static [Parameter],
        call: fn(&[Value]) -> Result<Value, FunctionError>,
    ) -> Self {
        let variadic = None;
        Self {
            name,
            parameters,
            variadic,
            call,
        }
    }

    const fn variadic(
        name: &'static str,
        parameters: &'static [Parameter],
        further: Parameter,
        call: fn(&[Value]) -> Result<Value, FunctionError>,
    ) -> Self {
        let variadic = Some(further);
        Self {
            name,
            parameters,
            variadic,
            call,
        }
    }
}

/// Why a function failed; the text is what the original prints behind `error calling NAME: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FunctionError(pub String);

impl FunctionError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
