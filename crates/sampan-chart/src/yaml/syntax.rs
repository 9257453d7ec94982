//! Values in Go's own notation (`%#v`), which go-yaml prints in some of its errors.

use crate::value::float;
use crate::value::quote::quote;
use crate::value::{Integer, IntegerType, Value};

/// A value by itself.
pub(super) fn go_top(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        other => go(other),
    }
}

/// A value within others.
pub(super) fn go(value: &Value) -> String {
    match value {
        Value::Nil => "interface {}(nil)".to_owned(),
        Value::Text(text) => quote(text),
        Value::Integer(Integer { value, of }) if *of == IntegerType::Uint64 => {
            format!("{value:#x}")
        }
        Value::Integer(integer) => integer.value.to_string(),
        Value::Float(number) => float::print(*number),
        Value::List(list) => {
            let items: Vec<String> = list.items().iter().map(go).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Dict(dict) => {
            let entries = dict.entries();
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", quote(key), go(value)));
            let entries: Vec<String> = entries.collect();
            format!(
                "map[interface {{}}]interface {{}}{{{}}}",
                entries.join(", ")
            )
        }
        other => format!("{other:?}"),
    }
}
