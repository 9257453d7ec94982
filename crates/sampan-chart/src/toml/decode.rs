//! Reading TOML. The parser is another one than Go's; only the texts of its errors show that.

use super::Error;
use crate::value::{Dict, List, ListType, Text, Value};

pub(super) fn decode(bytes: &[u8]) -> Result<Dict, Error> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let problem = "invalid UTF-8 byte".to_owned();
            return Err(fault(bytes, error.valid_up_to(), problem));
        }
    };
    let table: ::toml::Table = text.parse().map_err(|error: ::toml::de::Error| {
        let offset = error.span().map_or(0, |span| span.start);
        fault(bytes, offset, error.message().replace('\n', ", "))
    })?;
    Ok(dict(table))
}

fn fault(bytes: &[u8], offset: usize, problem: String) -> Error {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = before.split(|byte| *byte == b'\n').count();
    Error::Text { line, problem }
}

fn dict(table: ::toml::Table) -> Dict {
    Dict::new(
        table
            .into_iter()
            .map(|(key, item)| (Text::from(key), value(item))),
    )
}

fn value(item: ::toml::Value) -> Value {
    match item {
        ::toml::Value::String(text) => Value::text(text),
        ::toml::Value::Integer(number) => Value::int64(number),
        ::toml::Value::Float(number) => Value::Float(number),
        ::toml::Value::Boolean(value) => Value::Bool(value),
        ::toml::Value::Datetime(time) => Value::text(time.to_string()),
        ::toml::Value::Array(items) => {
            let are_tables = !items.is_empty() && items.iter().all(::toml::Value::is_table);
            let of = if are_tables {
                ListType::Dict
            } else {
                ListType::Any
            };
            Value::List(List::of(of, items.into_iter().map(value)))
        }
        ::toml::Value::Table(table) => Value::Dict(dict(table)),
    }
}
