//! Values as text, as Sprig's `strval` makes it.

use crate::value::{ListType, Text, Value, print};

/// The text that a value means: a text itself, bytes as they are, everything else as `%v` prints it.
pub(super) fn text_of(value: &Value) -> Text {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(list) if list.list_type() == ListType::Byte => {
            let bytes: Vec<u8> = list.items().iter().map(byte_of).collect();
            bytes.into()
        }
        other => print(other),
    }
}

fn byte_of(value: &Value) -> u8 {
    match value {
        Value::Integer(integer) => u8::try_from(integer.value).unwrap_or_default(),
        _ => 0,
    }
}

/// What `fmt.Sprint` makes of one value; what is too large for it becomes the text that says so.
pub(super) fn print(value: &Value) -> Text {
    print::display(value).unwrap_or_else(|error| error.to_string().into())
}
