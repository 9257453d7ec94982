//! JSON as Go's `encoding/json` reads and writes it.
//!
//! Charts print and compare JSON, so its form is part of what a chart renders to: keys are sorted by their bytes, `<`,
//! `>` and `&` are escaped, what is no UTF-8 becomes U+FFFD, and numbers are written in the shortest form that reads back
//! as the same. Every number that is read is a `float64`.

use crate::value::{Dict, List, Text, Value};

mod decode;
mod encode;

pub(crate) use decode::replace_invalid;
pub(crate) use encode::number as number_text;

/// Why JSON could not be read or written; the texts are Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text ends within a value.
    #[error("unexpected end of JSON input")]
    UnexpectedEnd,
    /// A byte stands where it may not.
    #[error("invalid character {character} {context}")]
    InvalidCharacter {
        /// The byte in single quotes.
        character: String,
        /// What was expected there.
        context: &'static str,
    },
    /// A value of one kind where the receiver takes another.
    #[error("json: cannot unmarshal {found} into Go value of type {wanted}")]
    Mismatch {
        /// What stands there: `array`, `number 1e999`.
        found: String,
        /// Go's name of the type that was asked for.
        wanted: &'static str,
    },
    /// A number or structure that JSON cannot express.
    #[error("json: unsupported value: {0}")]
    UnsupportedValue(String),
    /// A type that JSON cannot express.
    #[error("json: unsupported type: {0}")]
    UnsupportedType(&'static str),
}

impl sampan_model::Hint for Error {}

impl Error {
    /// What nests too deep in a template holds itself, and that is what Go calls it.
    pub(crate) fn cycle(type_name: &str) -> Self {
        Self::UnsupportedValue(format!("encountered a cycle via {type_name}"))
    }
}

/// Reads one value; nothing but white space may follow it.
///
/// # Errors
/// When the text is no JSON, nests deeper than [`MAX_DEPTH`](crate::value::MAX_DEPTH) or holds a number that is too large.
pub fn decode(bytes: &[u8]) -> Result<Value, Error> {
    decode::decode(bytes)
}

/// Reads an object; `null` gives none.
///
/// # Errors
/// When the text is no JSON or the value no object.
pub fn decode_dict(bytes: &[u8]) -> Result<Option<Dict>, Error> {
    dict_of(decode(bytes)?)
}

/// Reads an array; `null` gives none.
///
/// # Errors
/// When the text is no JSON or the value no array.
pub fn decode_list(bytes: &[u8]) -> Result<Option<List>, Error> {
    list_of(decode(bytes)?)
}

/// Writes a value on one line.
///
/// # Errors
/// When the value holds something that JSON cannot express, or holds itself.
pub fn encode(value: &Value) -> Result<Text, Error> {
    encode::encode(value, encode::Style::Html)
}

/// Writes a value on one line, without escaping what HTML would take for markup.
///
/// # Errors
/// As [`encode`].
pub fn encode_raw(value: &Value) -> Result<Text, Error> {
    encode::encode(value, encode::Style::Raw)
}

/// Writes a value on many lines, indented by two spaces.
///
/// # Errors
/// As [`encode`].
pub fn encode_pretty(value: &Value) -> Result<Text, Error> {
    encode::encode(value, encode::Style::Pretty)
}

/// The object that was read.
pub(crate) fn dict_of(value: Value) -> Result<Option<Dict>, Error> {
    match value {
        Value::Nil => Ok(None),
        Value::Dict(dict) => Ok(Some(dict)),
        other => Err(mismatch(&other, "map[string]interface {}")),
    }
}

/// The array that was read.
pub(crate) fn list_of(value: Value) -> Result<Option<List>, Error> {
    match value {
        Value::Nil => Ok(None),
        Value::List(list) => Ok(Some(list)),
        other => Err(mismatch(&other, "[]interface {}")),
    }
}

fn mismatch(value: &Value, wanted: &'static str) -> Error {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Integer(_) | Value::Float(_) | Value::Complex(..) => "number",
        Value::Text(_) => "string",
        Value::List(_) => "array",
        Value::Nil | Value::Dict(_) | Value::Object(_) => "object",
    };
    let found = found.to_owned();
    Error::Mismatch { found, wanted }
}
