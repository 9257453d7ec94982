//! Values at rest: what files and assignments say, before templates see them.
//!
//! Templates compute with [`Value`]s, which share dictionaries as Go does and therefore stay on one thread. What is
//! loaded, kept and handed around is a [`Tree`]: plain, owned, comparable, and free to cross threads.

use std::collections::BTreeMap;

use crate::value::{Dict, Text, Value};

/// A table of values by their keys, in the order of the keys.
pub type Table = BTreeMap<String, Tree>;

/// A value with everything below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Tree {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without a fraction, from an assignment; numbers from files are floats.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Text, or the content of a file, which need not be UTF-8.
    Text(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A table.
    Table(Table),
}

impl Tree {
    /// Some text.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(text.into())
    }

    /// Go's name of the type that holds such a value in Helm.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "nil",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Table(_) => "map[string]interface {}",
        }
    }

    /// The value as templates see it, sharing nothing.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => Value::int64(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(text) => Value::text(text.as_slice()),
            Self::List(items) => Value::list(items.iter().map(Self::to_value)),
            Self::Table(table) => Value::Dict(to_dict(table)),
        }
    }

    /// The tree of a value that was read from a file; none for what no file can say.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Nil => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Integer(integer) => Self::Integer(i64::try_from(integer.value).ok()?),
            Value::Float(value) => Self::Float(*value),
            Value::Text(text) => Self::Text(text.to_vec()),
            Value::List(list) => {
                let items = list.items().iter().map(Self::from_value);
                Self::List(items.collect::<Option<_>>()?)
            }
            Value::Dict(dict) => Self::Table(from_dict(dict)?),
            Value::Complex(..) | Value::Object(_) => return None,
        })
    }
}

/// The table of a dictionary, or none as in [`Tree::from_value`].
#[must_use]
pub fn from_dict(dict: &Dict) -> Option<Table> {
    let entries = dict.entries();
    let entries = entries
        .iter()
        .map(|(key, value)| Some((key.to_str().into_owned(), Tree::from_value(value)?)));
    entries.collect()
}

/// A table as templates see it, sharing nothing.
#[must_use]
pub fn to_dict(table: &Table) -> Dict {
    let entries = table.iter();
    Dict::new(entries.map(|(key, value)| (Text::from(key.as_str()), value.to_value())))
}

/// JSON as Go reads it: all numbers are floats.
impl From<serde_json::Value> for Tree {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(entries) => {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::from(value)));
                Self::Table(entries.collect())
            }
        }
    }
}

/// JSON as Go writes it: numbers without a fraction look like integers, and what is no UTF-8 is replaced.
impl From<&Tree> for serde_json::Value {
    fn from(tree: &Tree) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Bool(value) => Self::Bool(*value),
            Tree::Integer(value) => Self::from(*value),
            Tree::Float(value) => whole(*value).map_or_else(|| Self::from(*value), Self::from),
            Tree::Text(text) => Self::String(String::from_utf8_lossy(text).into_owned()),
            Tree::List(items) => items.iter().map(Self::from).collect(),
            Tree::Table(table) => {
                let entries = table.iter();
                Self::Object(
                    entries
                        .map(|(key, value)| (key.clone(), Self::from(value)))
                        .collect(),
                )
            }
        }
    }
}

/// The integer that a number is, if it is one that floats hold exactly.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub(crate) fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}
