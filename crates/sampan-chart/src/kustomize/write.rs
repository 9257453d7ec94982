//! From YAML to JSON values and back.

use serde_json::{Map, Number, Value as Json};

use super::Resource;
use crate::value::{Text, Value};
use crate::yaml;

/// A value of YAML as JSON; what is no UTF-8 is replaced.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Integer(integer) => {
            let small = i64::try_from(integer.value).map(Number::from);
            let number = small.or_else(|_| u64::try_from(integer.value).map(Number::from));
            number.map_or(Json::Null, Json::Number)
        }
        Value::Float(float) => Number::from_f64(*float).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.to_str().into_owned()),
        Value::List(list) => Json::Array(list.items().iter().map(to_json).collect()),
        Value::Dict(dict) => {
            let entries = dict.entries();
            let entries = entries.iter();
            Json::Object(
                entries
                    .map(|(key, value)| (key.to_str().into_owned(), to_json(value)))
                    .collect(),
            )
        }
        _ => Json::Null,
    }
}

pub(super) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::int64(integer),
            (None, Some(integer)) => Value::integer(integer, crate::value::IntegerType::Uint64),
            _ => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_json)),
        Json::Object(map) => from_map(map),
    }
}

fn from_map(map: &Map<String, Json>) -> Value {
    let entries = map.iter();
    Value::dict(entries.map(|(key, value)| (Text::from(key.as_str()), from_json(value))))
}

/// All resources in one text.
pub(super) fn documents(resources: &[Resource]) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(b"---\n");
        }
        // What was read from files can be written again.
        if let Ok(document) = yaml::encode(&from_map(&resource.value)) {
            text.extend_from_slice(&document);
        }
    }
    text
}
