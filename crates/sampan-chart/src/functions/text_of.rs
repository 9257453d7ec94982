//! Values as text, as Sprig's `strval` makes it.

use super::FunctionError;
use crate::value::print::display;
use crate::value::{ListType, Text, Value};

/// The text that a value means: a text itself, bytes as they are, everything else as `%v` prints it.
pub(super) fn text_of(value: &Value) -> Result<Text, FunctionError> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::List(list) if list.list_type() == ListType::Byte => {
            let bytes: Vec<u8> = list.items().iter().map(byte_of).collect();
            Ok(bytes.into())
        }
        other => display(other),
    }
}

fn byte_of(value: &Value) -> u8 {
    match value {
        Value::Integer(integer) => u8::try_from(integer.value).unwrap_or_default(),
        _ => 0,
    }
}
