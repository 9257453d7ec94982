//! The functions that charts can call, by family: Go's own, Sprig's and Helm's.
//!
//! A function states the Go types of its parameters. The executor checks number and types of the arguments as Go's
//! `text/template` does, with its error texts, before the body sees them: a body can rely on what it declared.
//!
//! Names are resolved once, when a template is parsed. A family adds its table to one of the lists below.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::compatibility::Compatibility;
use crate::template::{Error, Executor};
use crate::value::{Reflected, TooLarge, Value};

mod access;
mod arguments;
mod bounds;
mod builtin;
mod certificates;
mod compare;
mod crypto;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod helm_data;
mod lists;
mod math;
mod network;
mod numbers;
mod paths;
mod random;
mod reflection;
pub(crate) mod regular_expressions;
mod rendering;
mod runes;
mod strings;
mod text_of;
mod urls;
mod versions;

/// The families. Where two have the same name, the later one counts, as with Go's function maps.
const FAMILIES: &[&[Function]] = &[
    builtin::FUNCTIONS,
    certificates::FUNCTIONS,
    crypto::FUNCTIONS,
    dates::FUNCTIONS,
    defaults::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    helm_data::FUNCTIONS,
    lists::FUNCTIONS,
    math::FUNCTIONS,
    math::INTEGERS,
    network::FUNCTIONS,
    paths::FUNCTIONS,
    random::FUNCTIONS,
    regular_expressions::FUNCTIONS,
    strings::FUNCTIONS,
    reflection::FUNCTIONS,
    urls::FUNCTIONS,
    versions::FUNCTIONS,
];

/// What Helm 4 has besides, or otherwise.
const HELM_4: &[&[Function]] = &[helm_data::HELM_4, math::HELM_4, versions::HELM_4];

/// The families whose functions need the execution that they are called from.
const CONTEXTUAL: &[&[ContextFunction]] = &[helm_data::CONTEXTUAL, rendering::FUNCTIONS];

/// Go's own functions that look at how Go holds their arguments; those of other families hide them.
const REFLECTIVE: &[&[ReflectFunction]] = &[access::FUNCTIONS, compare::FUNCTIONS];

static BY_NAME: LazyLock<HashMap<&'static str, Callable>> = LazyLock::new(|| {
    let reflective = REFLECTIVE.iter().copied().flatten().map(Callable::Reflect);
    let plain = FAMILIES.iter().copied().flatten().map(Callable::Plain);
    let contextual = CONTEXTUAL.iter().copied().flatten().map(Callable::Context);
    let all = reflective.chain(plain).chain(contextual);
    all.map(|function| (function.name(), function)).collect()
});

/// The function of a name, if it computes its result from its arguments alone.
#[must_use]
pub fn find(name: &str, compatibility: Compatibility) -> Option<&'static Function> {
    match resolve(name, compatibility) {
        Some(Callable::Plain(function)) => Some(function),
        _ => None,
    }
}

/// The function that templates call by a name in a version of Helm.
pub(crate) fn resolve(name: &str, compatibility: Compatibility) -> Option<Callable> {
    let mut later = HELM_4.iter().copied().flatten();
    let later = later.find(|function| function.name == name);
    let later = later.filter(|_| compatibility == Compatibility::Helm4);
    later
        .map(Callable::Plain)
        .or_else(|| BY_NAME.get(name).copied())
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
    /// `reflect.Value`: anything, as Go's reflection sees it.
    Reflected,
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

/// A function that needs the execution that it is called from: its templates, its settings.
pub struct ContextFunction {
    /// The name that templates call it by.
    pub name: &'static str,
    /// What each argument must be.
    pub parameters: &'static [Parameter],
    /// What further arguments must be, when there may be any.
    pub variadic: Option<Parameter>,
    /// The body.
    pub call: fn(&mut Executor<'_>, &[Value]) -> Result<Value, FunctionError>,
}

/// One of Go's own functions that tell a nil interface from no value at all, and the like.
pub(crate) struct ReflectFunction {
    /// The name that templates call it by.
    pub(crate) name: &'static str,
    /// What each argument must be.
    pub(crate) parameters: &'static [Parameter],
    /// What further arguments must be, when there may be any.
    pub(crate) variadic: Option<Parameter>,
    /// The body.
    pub(crate) call: ReflectBody,
}

/// The body of a [`ReflectFunction`].
#[derive(Clone, Copy)]
pub(crate) enum ReflectBody {
    /// `and`, which leaves the arguments behind the first false one unevaluated.
    And,
    /// `or`, which leaves the arguments behind the first true one unevaluated.
    Or,
    /// `call`, which names its first argument as it is written.
    Call,
    /// Any other.
    Plain(fn(Compatibility, &[Reflected]) -> Result<Reflected, FunctionError>),
}

/// A function of any kind.
#[derive(Clone, Copy)]
pub(crate) enum Callable {
    Plain(&'static Function),
    Context(&'static ContextFunction),
    Reflect(&'static ReflectFunction),
}

impl Callable {
    /// The name that templates call it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain(function) => function.name,
            Self::Context(function) => function.name,
            Self::Reflect(function) => function.name,
        }
    }

    /// What the arguments must be: each of the first, and all further ones.
    pub(crate) fn signature(self) -> (&'static [Parameter], Option<Parameter>) {
        match self {
            Self::Plain(function) => (function.parameters, function.variadic),
            Self::Context(function) => (function.parameters, function.variadic),
            Self::Reflect(function) => (function.parameters, function.variadic),
        }
    }
}

impl Parameter {
    /// Go's name of the type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float => "float64",
            Self::Text => "string",
            Self::List => "[]interface {}",
            Self::Dict => "map[string]interface {}",
            Self::Object(name) => name,
            Self::Reflected => "reflect.Value",
        }
    }
}

/// Why a function failed; the text is what the original prints behind `error calling NAME: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    text: String,
    cause: Option<Box<Error>>,
}

impl From<TooLarge> for FunctionError {
    fn from(error: TooLarge) -> Self {
        Self::new(error.to_string())
    }
}

impl FunctionError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            cause: None,
        }
    }

    /// An error that says something about the failure of another template, in front of what that one says.
    #[must_use]
    pub fn because(text: impl Into<String>, cause: Error) -> Self {
        Self {
            text: text.into(),
            cause: Some(Box::new(cause)),
        }
    }

    /// What it says itself.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The failure of another template behind it.
    pub(crate) fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }
}

impl std::fmt::Display for FunctionError {
    /// The whole text, as Go's wrapped errors print what they wrap.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        self.cause.as_ref().map_or(Ok(()), |cause| cause.fmt(f))
    }
}

impl std::error::Error for FunctionError {}
