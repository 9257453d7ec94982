//! Helm's functions that carry out templates or end them: `include`, `tpl`, `required`, `fail`; and `lookup`.

use super::{ContextFunction, FunctionError, Parameter};
use crate::template::{Executor, Wanted, mark_message};
use crate::value::{Dict, Text, Value, print};
use crate::values::to_dict;

/// The functions of this family.
pub(super) const FUNCTIONS: &[ContextFunction] = &[
    ContextFunction {
        name: "include",
        parameters: &[Parameter::Text, Parameter::Any],
        variadic: None,
        call: |executor, arguments| {
            let (name, data) = text_and_value(arguments);
            executor.include(&name, data).map(Value::Text)
        },
    },
    ContextFunction {
        name: "tpl",
        parameters: &[Parameter::Text, Parameter::Any],
        variadic: None,
        call: |executor, arguments| {
            let (text, data) = text_and_value(arguments);
            executor.tpl(&text, data).map(Value::Text)
        },
    },
    ContextFunction {
        name: "required",
        parameters: &[Parameter::Text, Parameter::Any],
        variadic: None,
        call: required,
    },
    ContextFunction {
        name: "fail",
        parameters: &[Parameter::Text],
        variadic: None,
        call: |executor, arguments| {
            let (message, _) = text_and_value(arguments);
            refuse(executor, &message)
        },
    },
    ContextFunction {
        name: "lookup",
        parameters: &[Parameter::Text; 4],
        variadic: None,
        call: lookup,
    },
];

fn lookup(executor: &mut Executor<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let Some(cluster) = executor
        .settings()
        .cluster
        .as_ref()
        .filter(|_| !executor.settings().lint)
    else {
        return Ok(Value::Dict(Dict::new([])));
    };
    let texts: Vec<_> = arguments.iter().map(print::plain).collect();
    let [api_version, kind, namespace, name] = &texts[..] else {
        return Err(FunctionError::new("lookup takes four texts"));
    };
    let found = cluster.lookup(&Wanted {
        api_version,
        kind,
        namespace,
        name,
    });
    found
        .map(|table| Value::Dict(to_dict(&table)))
        .map_err(FunctionError::new)
}

fn text_and_value(arguments: &[Value]) -> (Text, Value) {
    let text = match arguments.first() {
        Some(Value::Text(text)) => text.clone(),
        _ => Text::from(""),
    };
    (text, arguments.get(1).cloned().unwrap_or(Value::Nil))
}

fn required(executor: &mut Executor<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let (message, value) = text_and_value(arguments);
    let missing = match &value {
        Value::Nil => true,
        Value::Text(text) => text.is_empty(),
        _ => false,
    };
    if missing {
        return refuse(executor, &message);
    }
    Ok(value)
}

fn refuse(executor: &Executor<'_>, message: &Text) -> Result<Value, FunctionError> {
    if executor.settings().lint {
        return Ok(Value::text(""));
    }
    Err(FunctionError::new(mark_message(&message.to_str())))
}
