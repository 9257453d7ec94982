//! Sprig's encodings: Base64 and Base32, with Go's words where they do not decode.

use super::Parameter::Text as Word;
use super::arguments::Arguments;
use super::bounds::check_text;
use super::{Function, FunctionError};
use crate::value::Value;

mod base32;
mod base64;

pub(super) use base64::{decode as decode_base64, encode as encode_base64};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("b64enc", &[Word], b64enc),
    Function::new("b64dec", &[Word], b64dec),
    Function::new("b32enc", &[Word], b32enc),
    Function::new("b32dec", &[Word], b32dec),
];

/// A text that does not decode: where.
#[derive(Debug, thiserror::Error)]
#[error("illegal base{base} data at input byte {place}")]
pub(super) struct Corrupt {
    base: u8,
    place: usize,
}

fn b64enc(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(0)?;
    check_text(text.len() / 3 * 4)?;
    Ok(Value::text(encode_base64(text)))
}

/// What was encoded; what is wrong with it, as the result.
fn b64dec(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(match decode_base64(arguments.text(0)?) {
        Ok(bytes) => Value::text(bytes),
        Err(error) => Value::text(error.to_string()),
    })
}

fn b32enc(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(0)?;
    check_text(text.len() / 5 * 8)?;
    Ok(Value::text(base32::encode(text)))
}

fn b32dec(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(match base32::decode(arguments.text(0)?) {
        Ok(bytes) => Value::text(bytes),
        Err(error) => Value::text(error.to_string()),
    })
}
