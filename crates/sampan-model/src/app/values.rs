//! The values that manifests and checks may use.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AppError;
use crate::Hint;
use crate::nearest;
use crate::yaml::{self, Content, Node};

/// A tree of values, reached by dotted names.
///
/// The tree under `values` of `sampan.yaml` declares what there is: an environment, a values file or `--set` may give
/// another value of the same type, but no new names. A `null` declares a name without a default and takes any type; an
/// empty mapping takes any keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(Map<String, Value>);

/// Why a value cannot be set from the command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The name is not declared.
    #[error("the app has no value `{name}`{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    Undeclared {
        /// The name.
        name: String,
        /// The declared name that it resembles.
        near: Option<String>,
        /// All declared names.
        known: Vec<String>,
    },
    /// The name goes on in a mapping that takes any keys, but is none that can be written there.
    #[error("`{0}` names no value that can be given here")]
    NoName(String),
    /// The text does not have the declared type.
    #[error("the value `{name}` must be {expected}, but `{text}` is not")]
    WrongType {
        /// The name.
        name: String,
        /// The type of the default.
        expected: &'static str,
        /// What was given.
        text: String,
    },
}

impl Hint for ValueError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Undeclared { known, .. } if known.is_empty() => {
                Some("the app declares no values".to_owned())
            }
            Self::Undeclared { known, .. } => {
                Some(format!("declared values are {}", known.join(", ")))
            }
            Self::NoName(_) => {
                Some("write NAME.NAME=VALUE; give lists in a file with `--values FILE`".to_owned())
            }
            Self::WrongType { expected, .. } if expected.starts_with("a list") => {
                Some("give it in a file with `--values FILE`".to_owned())
            }
            Self::WrongType { .. } => None,
        }
    }
}

impl Values {
    /// Takes a JSON object as values.
    #[must_use]
    pub fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self(map)),
            _ => None,
        }
    }

    /// These values and one more, under a top-level name.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// The values as a JSON object.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The value of a dotted name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut segments = name.split('.');
        let first = self.0.get(segments.next()?)?;
        segments.try_fold(first, |value, segment| value.get(segment))
    }

    /// The dotted names of all values that are no mappings.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        leaves(&self.0, "", &mut names);
        names
    }

    /// Puts the values of `other` over these, mapping by mapping.
    pub fn merge(&mut self, other: &Self) {
        merge(&mut self.0, &other.0);
    }

    /// What the text of a command line gives for a value that is declared here: a tree with nothing else. The text takes
    /// the type of the declared value, and the type it has in YAML where none is declared.
    ///
    /// # Errors
    /// [`ValueError`] when the name is not declared or the text is not of its type.
    pub fn assigned(&self, name: &str, text: &str) -> Result<Self, ValueError> {
        let Some(declared) = self.declaration(name)? else {
            let names = self.names();
            let near = nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
            return Err(ValueError::Undeclared {
                name: name.to_owned(),
                near,
                known: names,
            });
        };
        let wrong = |expected| ValueError::WrongType {
            name: name.to_owned(),
            expected,
            text: text.to_owned(),
        };
        let value = match declared {
            Value::String(_) => Value::String(text.to_owned()),
            Value::Null => plain_scalar(text),
            Value::Bool(_) => text
                .parse()
                .map(Value::Bool)
                .map_err(|_| wrong("true or false"))?,
            Value::Number(_) => match plain_scalar(text) {
                number @ Value::Number(_) => number,
                _ if yaml::number(text).is_some() => {
                    return Err(wrong("a number in its plain notation"));
                }
                _ => return Err(wrong("a number")),
            },
            Value::Array(_) | Value::Object(_) => return Err(wrong("a list or mapping")),
        };
        Ok(nested(name, value))
    }

    /// A tree that holds nothing but the value of this name; an empty one when there is no such value.
    #[must_use]
    pub fn only(&self, name: &str) -> Self {
        let Some(value) = self.get(name) else {
            return Self::default();
        };
        nested(name, value.clone())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The default of a name; `null` below a mapping that was declared to take any key.
    fn declaration(&self, name: &str) -> Result<Option<&Value>, ValueError> {
        let mut segments = name.split('.');
        let mut found = segments.next().and_then(|first| self.0.get(first));
        while let Some(value) = found
            && let Some(segment) = segments.next()
        {
            if value.as_object().is_some_and(Map::is_empty) {
                let plain = |name: &str| {
                    !name.is_empty() && !name.contains(['[', ']', '{', '}', ',', '\\'])
                };
                return if plain(segment) && segments.all(plain) {
                    Ok(Some(&Value::Null))
                } else {
                    Err(ValueError::NoName(name.to_owned()))
                };
            }
            found = value.get(segment);
        }
        Ok(found)
    }

    /// Reads values that override these from a mapping at `place`, a path for messages.
    ///
    /// # Errors
    /// [`AppError`] for a name that is not declared or a value of another type.
    pub fn read_override(&self, node: &Node, place: &str) -> Result<Self, AppError> {
        read_override(&self.0, node, place).map(Self)
    }

    /// Reads declarations of values.
    pub(super) fn read_declared(node: &Node, place: &str) -> Result<Self, AppError> {
        let Content::Mapping(entries) = &node.content else {
            return Err(wrong_type(node, place, "a mapping"));
        };
        for (key, value) in entries {
            check_name(key, place)?;
            let place = format!("{place}.{}", key.name);
            check_number(value, &place)?;
            if matches!(value.content, Content::Mapping(_)) {
                Self::read_declared(value, &place)?;
            }
        }
        match node.to_json() {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(wrong_type(node, place, "a mapping")),
        }
    }
}

impl From<Map<String, Value>> for Values {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

/// A tree that holds nothing but the value of a dotted name.
fn nested(name: &str, value: Value) -> Values {
    let mut segments = name.rsplit('.');
    let last = segments.next().unwrap_or_default().to_owned();
    let innermost = Map::from_iter([(last, value)]);
    Values(segments.fold(innermost, |inner, segment| {
        Map::from_iter([(segment.to_owned(), Value::Object(inner))])
    }))
}

fn check_name(key: &crate::yaml::Key, place: &str) -> Result<(), AppError> {
    let name = &key.name;
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let reserved = place == "values" && name == "app";
    if valid && !reserved {
        return Ok(());
    }
    let (problem, advice) = if reserved {
        (
            "`app` is taken: `${app.name}` and `${app.version}` are always there",
            "choose another name",
        )
    } else {
        (
            "a name that `${…}` cannot reach",
            "use letters, digits, `_` and `-`, with a letter first",
        )
    };
    Err(AppError::Invalid {
        location: key.location.clone(),
        place: format!("{place}.{name}"),
        problem: problem.to_owned(),
        advice: advice.to_owned(),
    })
}

/// A value may stand within a text, where `1.20` would become `1.2`: such a number is refused, because what is meant
/// cannot be known.
pub(super) fn check_number(node: &Node, place: &str) -> Result<(), AppError> {
    match &node.content {
        Content::Number(number) if !number.is_plain() => Err(AppError::Invalid {
            location: node.location.clone(),
            place: place.to_owned(),
            problem: format!("`{}` is the number {}", number.text, number.value),
            advice: format!(
                "put it in quotes where the text is meant, or write `{}`",
                number.value
            ),
        }),
        _ => Ok(()),
    }
}

fn read_override(
    declared: &Map<String, Value>,
    node: &Node,
    place: &str,
) -> Result<Map<String, Value>, AppError> {
    let Content::Mapping(entries) = &node.content else {
        return Err(wrong_type(node, place, "a mapping"));
    };
    let mut values = Map::new();
    for (key, node) in entries {
        let Some(default) = declared.get(&key.name) else {
            return Err(AppError::UnknownKey {
                location: key.location.clone(),
                key: key.name.clone(),
                place: place.to_owned(),
                near: nearest(&key.name, declared.keys().map(String::as_str)).map(str::to_owned),
                known: declared.keys().cloned().collect(),
            });
        };
        let place = format!("{place}.{}", key.name);
        check_number(node, &place)?;
        let value = match (default, &node.content) {
            (Value::Object(declared), _) if !declared.is_empty() => {
                Value::Object(read_override(declared, node, &place)?)
            }
            (_, Content::Null) | (Value::Null, _) => node.to_json(),
            _ if same_type(default, &node.content) => node.to_json(),
            _ => {
                return Err(wrong_type(
                    node,
                    &place,
                    &format!("{}, as its default is", type_name(default)),
                ));
            }
        };
        values.insert(key.name.clone(), value);
    }
    Ok(values)
}

fn same_type(default: &Value, content: &Content) -> bool {
    matches!(
        (default, content),
        (Value::Bool(_), Content::Bool(_))
            | (Value::Number(_), Content::Number(_))
            | (Value::String(_), Content::String(..))
            | (Value::Array(_), Content::Sequence(_))
            | (Value::Object(_), Content::Mapping(_))
    )
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn wrong_type(node: &Node, place: &str, expected: &str) -> AppError {
    AppError::WrongType {
        location: node.location.clone(),
        place: place.to_owned(),
        expected: expected.to_owned(),
        found: node.type_name().to_owned(),
    }
}

/// The type that YAML's core schema gives to an unquoted scalar, for the types that occur as values. A number that
/// would not come out as it was written is text.
fn plain_scalar(text: &str) -> Value {
    match text {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        "" | "~" | "null" => return Value::Null,
        _ => {}
    }
    yaml::number(text)
        .filter(|number| number.to_string() == text)
        .map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn leaves(map: &Map<String, Value>, prefix: &str, names: &mut Vec<String>) {
    for (key, value) in map {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Object(inner) if !inner.is_empty() => leaves(inner, &name, names),
            _ => names.push(name),
        }
    }
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
