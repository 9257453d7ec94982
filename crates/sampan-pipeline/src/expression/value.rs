//! The values of expressions, and what they become where another type is asked for.

use std::collections::HashMap;
use std::sync::Arc;

use super::{casing, number};

/// A value. Lists and objects are shared; two are equal only when they are the same one.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Nothing; what is asked of what is not there.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A number; there are no others than double precision.
    Number(f64),
    /// A text.
    String(Arc<str>),
    /// A list.
    Array(Arc<Vec<Value>>),
    /// What `*` chose: a list whose further steps apply to each of its items.
    Filtered(Arc<Vec<Value>>),
    /// Values by name.
    Object(Arc<Object>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::String(Arc::from(text.as_ref()))
    }

    /// A list.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::Array(Arc::new(items.into_iter().collect()))
    }

    /// An object whose names differ by more than case.
    #[must_use]
    pub fn object<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(Arc::new(Object::new(entries)))
    }

    /// The items, when the value is a list.
    #[must_use]
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) | Self::Filtered(items) => Some(items),
            _ => None,
        }
    }

    /// The value under a name, when the value is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(object) => object.get(name),
            _ => None,
        }
    }

    /// Whether the value is neither a list nor an object.
    #[must_use]
    pub fn is_primitive(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Filtered(_) | Self::Object(_))
    }

    /// Whether a condition with this value holds: not null, false, zero, NaN or the empty text.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Boolean(boolean) => *boolean,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) => true,
        }
    }

    /// Whether both are equal as `==` compares: texts without regard to case, values of different types as numbers,
    /// lists and objects only with themselves.
    #[must_use]
    pub fn loosely_equals(&self, other: &Self) -> bool {
        super::evaluate::equal(self, other)
    }

    /// The value as text; lists and objects give the name of their type.
    #[must_use]
    pub fn to_text(&self) -> Arc<str> {
        match self {
            Self::Null => Arc::from(""),
            Self::Boolean(true) => Arc::from("true"),
            Self::Boolean(false) => Arc::from("false"),
            Self::Number(number) => Arc::from(number::format(*number)),
            Self::String(text) => Arc::clone(text),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) => Arc::from(self.type_name()),
        }
    }

    /// The value as a number; NaN for what stands for none.
    #[must_use]
    pub fn to_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Boolean(boolean) => f64::from(u8::from(*boolean)),
            Self::Number(number) => *number,
            Self::String(text) => number::parse(text),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) => f64::NAN,
        }
    }

    /// GitHub's name of the value's type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Boolean(_) => "Boolean",
            Self::Number(_) => "Number",
            Self::String(_) => "String",
            Self::Array(_) | Self::Filtered(_) => "Array",
            Self::Object(_) => "Object",
        }
    }

    /// The value as JSON, indented by two blanks, as `toJSON` writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        super::json::write(self, usize::MAX).unwrap_or_default()
    }

    /// The value that a JSON text stands for.
    ///
    /// # Errors
    /// The reason, with line and column, when the text is not JSON.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        super::json::read(text)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(boolean) => Self::Boolean(*boolean),
            serde_json::Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from)),
            serde_json::Value::Object(entries) => Self::object(
                entries
                    .iter()
                    .map(|(name, value)| (name, Self::from(value))),
            ),
        }
    }
}

impl From<&Value> for serde_json::Value {
    /// Numbers that JSON does not have become null.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(boolean) => Self::Bool(*boolean),
            Value::Number(number) => {
                // The way back through text tells whole numbers from others.
                serde_json::from_str(&number.to_string()).unwrap_or(Self::Null)
            }
            Value::String(text) => Self::String(text.to_string()),
            Value::Array(items) | Value::Filtered(items) => items.iter().map(Self::from).collect(),
            Value::Object(object) => Self::Object(
                object
                    .iter()
                    .map(|(name, value)| (name.to_owned(), Self::from(value)))
                    .collect(),
            ),
        }
    }
}

/// Values by name, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct Object {
    entries: Vec<(Arc<str>, Value)>,
    /// Where the entry of a name stands, by the name in the form that makes equal names equal.
    places: HashMap<String, usize>,
    /// Whether names that differ only by case are different names.
    sensitive: bool,
}

impl Object {
    /// Values whose names differ by more than case; where a name comes twice, the last value counts.
    #[must_use]
    pub fn new<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut object = Self::default();
        for (name, value) in entries {
            object.insert(name.as_ref(), value);
        }
        object
    }

    /// Values whose names may differ by case alone, as environment variables do.
    #[must_use]
    pub fn case_sensitive<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut object = Self {
            sensitive: true,
            ..Self::default()
        };
        for (name, value) in entries {
            object.insert(name.as_ref(), value);
        }
        object
    }

    /// Puts a value under a name; a name that is there keeps its place and its spelling.
    pub fn insert(&mut self, name: &str, value: Value) {
        let next = self.entries.len();
        match self.places.entry(key(name, self.sensitive)) {
            std::collections::hash_map::Entry::Occupied(place) => {
                self.entries[*place.get()].1 = value;
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(next);
                self.entries.push((Arc::from(name), value));
            }
        }
    }

    /// The value under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let place = self.places.get(&key(name, self.sensitive))?;
        Some(&self.entries[*place].1)
    }

    /// The entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(name, value)| (&**name, value))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn key(name: &str, sensitive: bool) -> String {
    if sensitive {
        name.to_owned()
    } else {
        casing::fold(name)
    }
}
