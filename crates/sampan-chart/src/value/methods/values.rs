//! The methods of `.Values`, which hide keys of the same names.

use super::super::{Dict, DictType, Invocation, Method, Text, Value};
use crate::functions::{FunctionError, Parameter};
use crate::value::quote;
use crate::yaml;

/// The method of values by its name.
pub(super) fn method(values: &Dict, name: &str) -> Option<Invocation> {
    let values = values.clone();
    let (parameters, call): (&'static [Parameter], Method) = match name {
        "AsMap" => (
            &[],
            Box::new(move |_| Ok(Value::Dict(values.retyped(DictType::Any)))),
        ),
        "YAML" => (&[], Box::new(move |_| text_of(&values))),
        "Table" => (
            &[Parameter::Text],
            Box::new(move |arguments| {
                table(&values, &path(arguments)).map(|table| Value::Dict(named(&table, &values)))
            }),
        ),
        "PathValue" => (
            &[Parameter::Text],
            Box::new(move |arguments| path_value(&values, &path(arguments))),
        ),
        "Encode" => (
            &[Parameter::Object("io.Writer")],
            Box::new(|_| Err(FunctionError::new("there is nothing to write to"))),
        ),
        _ => return None,
    };
    Some(Invocation {
        parameters,
        variadic: None,
        call,
    })
}

fn text_of(values: &Dict) -> Result<Value, FunctionError> {
    let values = Value::Dict(values.clone());
    values.check_size()?;
    let text = yaml::encode(&values);
    text.map(Value::Text)
        .map_err(|error| FunctionError::new(error.to_string()))
}

fn path(arguments: &[Value]) -> Text {
    match arguments.first() {
        Some(Value::Text(path)) => path.clone(),
        _ => Text::from(""),
    }
}

/// The table that names with dots between them lead to.
fn table(values: &Dict, path: &[u8]) -> Result<Dict, FunctionError> {
    let mut table = values.clone();
    for name in path.split(|byte| *byte == b'.') {
        table = match table.get(name) {
            Some(Value::Dict(next)) if next.dict_type() != DictType::Text => next,
            _ => return Err(no("table", name)),
        };
    }
    Ok(table)
}

/// A table as the type that the values are of.
fn named(table: &Dict, values: &Dict) -> Dict {
    table.retyped(values.dict_type())
}

/// The value, which must be no table, that names with dots between them lead to.
fn path_value(values: &Dict, path: &[u8]) -> Result<Value, FunctionError> {
    if path.is_empty() {
        return Err(FunctionError::new("YAML path cannot be empty"));
    }
    let dot = path.iter().rposition(|byte| *byte == b'.');
    let (parent, name) = match dot {
        Some(dot) => (table(values, &path[..dot]), &path[dot + 1..]),
        None => (Ok(values.clone()), path),
    };
    let value = parent.ok().and_then(|parent| parent.get(name));
    match value {
        Some(Value::Dict(dict)) if dict.dict_type() == DictType::Any => Err(no("value", name)),
        Some(value) => Ok(value),
        None => Err(no("value", name)),
    }
}

fn no(what: &str, name: &[u8]) -> FunctionError {
    FunctionError::new(format!("{} is not a {what}", quote::quote(name)))
}
