//! JSON that keeps the order of keys, for schemas: Helm reports faults in the order in which the schema names things.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::decimal::Decimal;
use crate::json;
use crate::value::{Dict, Value};

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, in Go's words.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|problem| {
            if text.trim_ascii().is_empty() {
                return "EOF".to_owned();
            }
            match json::decode(text) {
                Err(error)
                    if problem.is_eof() && error.to_string().starts_with("unexpected end") =>
                {
                    "unexpected EOF".to_owned()
                }
                Err(error) => error.to_string(),
                Ok(_) => problem.to_string(),
            }
        })
    }

    /// The JSON of values.
    pub(super) fn from_dict(dict: &Dict) -> Self {
        let entries = dict.entries();
        Self::Object(
            entries
                .iter()
                .map(|(key, value)| (key.to_string(), Self::from_value(value)))
                .collect(),
        )
    }

    fn from_value(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Integer(integer) => Self::Number(Decimal::from(integer.value)),
            Value::Float(value) => Self::Number(Decimal::from(*value)),
            Value::Text(text) => Self::Text(text.to_string()),
            Value::List(list) => Self::Array(list.items().iter().map(Self::from_value).collect()),
            Value::Dict(dict) => Self::from_dict(dict),
            Value::Nil | Value::Complex(..) | Value::Object(_) => Self::Null,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Float(number.to_float()),
            Self::Text(text) => Value::text(text.as_str()),
            Self::Array(items) => Value::list(items.iter().map(Self::to_value)),
            Self::Object(entries) => Value::dict(
                entries
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.to_value())),
            ),
        }
    }

    /// The text that Go writes, with sorted keys.
    pub(super) fn text(&self) -> String {
        json::encode(&self.to_value())
            .map(|text| text.to_string())
            .unwrap_or_default()
    }

    /// The value of a key of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// What a JSON pointer without its `#` leads to.
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        let mut found = self;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            found = match found {
                Self::Array(items) => items.get(part.parse::<usize>().ok()?)?,
                object => object.get(&part)?,
            };
        }
        Some(found)
    }

    /// The JSON name of the type; whole numbers are numbers.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Equality in the sense of JSON Schema: the order of keys does not matter.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(ours), Self::Object(theirs)) => {
                let same = |(key, value): &(String, Self)| {
                    other.get(key).is_some_and(|there| there.equals(value))
                };
                ours.len() == theirs.len() && ours.iter().all(same)
            }
            (Self::Array(ours), Self::Array(theirs)) => {
                ours.len() == theirs.len()
                    && ours
                        .iter()
                        .zip(theirs)
                        .all(|(one, other)| one.equals(other))
            }
            (Self::Number(one), Self::Number(other)) => one.compare(*other).is_eq(),
            _ => self == other,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(Decimal::from(i128::from(value))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(Decimal::from(i128::from(value))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(Decimal::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Json::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut read: Vec<(String, Json)> = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, Json>()? {
            match read.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => read.push((key, value)),
            }
        }
        Ok(Json::Object(read))
    }
}
