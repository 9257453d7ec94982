//! Environments of steps, and the settings of plugins from which parts of them come.

use std::collections::BTreeMap;

use sampan_model::yaml::Location;
use serde::Serialize;
use serde_json::{Number, Value};

use super::{Expression, Text};

/// What a variable holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentValue {
    /// A text that only the run can tell.
    Later(Expression),
    /// A secret.
    Secret(SecretUse),
    /// A plugin's setting that has secrets inside.
    Setting(Setting),
    /// Text that is known.
    #[serde(untagged)]
    Text(String),
}

/// A secret that a step names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretUse {
    /// The name of the secret.
    pub name: String,
    /// Where the step names it.
    #[serde(serialize_with = "super::as_text")]
    pub location: Location,
    /// What the variable holds when there is no such secret or the step may not have it; `None` leaves it unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// Whether the step cannot run without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// A setting of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// A secret in place of a text.
    Secret(SecretUse),
    /// Nothing.
    #[serde(untagged)]
    Null,
    /// `true` or `false`.
    #[serde(untagged)]
    Bool(bool),
    /// A number; the text is as the file has it.
    #[serde(untagged)]
    Number(Number),
    /// Text.
    #[serde(untagged)]
    String(String),
    /// A list.
    #[serde(untagged)]
    List(Vec<Setting>),
    /// A mapping.
    #[serde(untagged)]
    Map(BTreeMap<String, Setting>),
}

impl From<Text> for EnvironmentValue {
    fn from(text: Text) -> Self {
        match text {
            Text::Now(text) => Self::Text(text),
            Text::Later(expression) => Self::Later(expression),
        }
    }
}

impl From<&str> for EnvironmentValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for EnvironmentValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Setting {
    /// The names of all secrets inside.
    pub fn secrets(&self, found: &mut impl FnMut(&SecretUse)) {
        match self {
            Self::Secret(secret) => found(secret),
            Self::List(items) => items.iter().for_each(|item| item.secrets(found)),
            Self::Map(entries) => entries.values().for_each(|value| value.secrets(found)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
        }
    }

    /// The setting as JSON once the secrets are known; a secret that is not there is nothing.
    pub fn resolve(&self, secret: &impl Fn(&str) -> Option<String>) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(value) => Value::Number(value.clone()),
            Self::String(value) => Value::String(value.clone()),
            Self::List(items) => items.iter().map(|item| item.resolve(secret)).collect(),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.resolve(secret)))
                    .collect(),
            ),
            Self::Secret(wanted) => secret(&wanted.name).map_or(Value::Null, Value::String),
        }
    }
}
