//! Functions that turn values into YAML, JSON and TOML and back.
//!
//! Most of them are Helm's and swallow errors: what cannot be written is an empty string, what cannot be read is a map or
//! list that holds the error's text. Sprig's `must…` fail instead, and Helm 4 has some more of them.
#![expect(
    clippy::needless_pass_by_value,
    reason = "errors are handed on by `map_err`"
)]

use super::arguments::Arguments as _;
use super::{ContextFunction, Function, FunctionError, Parameter};
use crate::compatibility::Compatibility;
use crate::template::Executor;
use crate::value::{Dict, DictType, List, ListType, Text, Value};
use crate::{json, toml, yaml};

type Outcome = Result<Value, FunctionError>;

const ANY: &[Parameter] = &[Parameter::Any];
const TEXT: &[Parameter] = &[Parameter::Text];

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("toYaml", ANY, |arguments| {
        Ok(or_nothing(
            yaml::encode(whole(arguments)?).map(without_break),
        ))
    }),
    Function::new("toYamlPretty", ANY, |arguments| {
        let written = yaml::encode_pretty(whole(arguments)?);
        Ok(or_nothing(written.map(without_break)))
    }),
    Function::new("fromYaml", TEXT, |arguments| {
        let read = yaml::decode_dict(arguments.text(0)?);
        Ok(read.map_or_else(error_dict, |dict| dict.map_or_else(empty_dict, Value::Dict)))
    }),
    Function::new("fromYamlArray", TEXT, |arguments| {
        let read = yaml::decode_list(arguments.text(0)?);
        let list = read.map(|list| list.unwrap_or_else(|| List::new([])));
        Ok(list.map_or_else(error_list, Value::List))
    }),
    Function::new("toJson", ANY, |arguments| {
        Ok(or_nothing(json::encode(whole(arguments)?)))
    }),
    Function::new("mustToJson", ANY, |arguments| {
        or_error(json::encode(whole(arguments)?))
    }),
    Function::new("toPrettyJson", ANY, |arguments| {
        Ok(or_nothing(json::encode_pretty(whole(arguments)?)))
    }),
    Function::new("mustToPrettyJson", ANY, |arguments| {
        or_error(json::encode_pretty(whole(arguments)?))
    }),
    Function::new("toRawJson", ANY, |arguments| {
        or_error(json::encode_raw(whole(arguments)?))
    }),
    Function::new("mustToRawJson", ANY, |arguments| {
        or_error(json::encode_raw(whole(arguments)?))
    }),
    Function::new("fromJson", TEXT, |arguments| {
        let read = json::decode_dict(arguments.text(0)?);
        let dict = read.map(|dict| dict.unwrap_or_else(|| Dict::nil(DictType::Any)));
        Ok(dict.map_or_else(error_dict, Value::Dict))
    }),
    Function::new("fromJsonArray", TEXT, |arguments| {
        let read = json::decode_list(arguments.text(0)?);
        let list = read.map(|list| list.unwrap_or_else(|| List::nil(ListType::Any)));
        Ok(list.map_or_else(error_list, Value::List))
    }),
    Function::new("mustFromJson", TEXT, |arguments| {
        json::decode(arguments.text(0)?).map_err(failure)
    }),
    Function::new("fromToml", TEXT, |arguments| {
        let read = toml::decode(arguments.text(0)?);
        Ok(read.map_or_else(error_dict, Value::Dict))
    }),
];

/// Those that write differently in Helm 4.
pub(super) const CONTEXTUAL: &[ContextFunction] = &[ContextFunction {
    name: "toToml",
    parameters: ANY,
    variadic: None,
    call: to_toml,
}];

/// Those that Helm 4 has in addition.
pub(super) const HELM_4: &[Function] = &[
    Function::new("mustToYaml", ANY, |arguments| {
        or_error(yaml::encode(whole(arguments)?).map(without_break))
    }),
    Function::new("mustToToml", ANY, |arguments| {
        or_error(toml::encode(whole(arguments)?, Compatibility::Helm4))
    }),
];

/// Helm prints the error in place of the text, except for what makes the library itself fail.
fn to_toml(executor: &mut Executor<'_>, arguments: &[Value]) -> Outcome {
    match toml::encode(whole(arguments)?, executor.compatibility()) {
        Ok(text) => Ok(Value::Text(text)),
        Err(error @ (toml::Error::Nil | toml::Error::TooLarge)) => Err(failure(error)),
        Err(error) => Ok(Value::text(error.to_string())),
    }
}

/// The argument, unless it is larger than what may be written.
fn whole(arguments: &[Value]) -> Result<&Value, FunctionError> {
    let value = arguments.any(0);
    value.check_size()?;
    Ok(value)
}

fn without_break(text: Text) -> Text {
    match text.strip_suffix(b"\n") {
        Some(trimmed) => trimmed.into(),
        None => text,
    }
}

fn or_nothing<E>(written: Result<Text, E>) -> Value {
    Value::Text(written.unwrap_or_else(|_| "".into()))
}

fn or_error<E: ToString>(written: Result<Text, E>) -> Outcome {
    written.map(Value::Text).map_err(failure)
}

fn failure(error: impl ToString) -> FunctionError {
    FunctionError::new(error.to_string())
}

fn empty_dict() -> Value {
    Value::dict::<Text>([])
}

fn error_dict(error: impl ToString) -> Value {
    Value::dict([("Error", Value::text(error.to_string()))])
}

fn error_list(error: impl ToString) -> Value {
    Value::list([Value::text(error.to_string())])
}
