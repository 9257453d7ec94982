//! What is known beforehand, and what only a running pipeline can tell.

use sampan_model::yaml::Location;
use serde::Serialize;

/// A value that is known when the graph is made, or only once other steps and stages have run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Deferred<T> {
    /// It is known.
    Now(T),
    /// It follows from how the run went.
    Later(Expression),
}

/// A text with `${{ … }}` inside, or the bare expression of a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expression {
    /// The text as written.
    pub expression: String,
    /// Where it stands.
    #[serde(serialize_with = "super::as_text")]
    pub location: Location,
}

/// A text that may be known only later.
pub type Text = Deferred<String>;

impl<T> Deferred<T> {
    /// The value when it is known.
    #[must_use]
    pub fn now(&self) -> Option<&T> {
        match self {
            Self::Now(value) => Some(value),
            Self::Later(_) => None,
        }
    }
}

impl Deferred<bool> {
    /// Whether the value is known to be false.
    #[must_use]
    pub fn is_false(&self) -> bool {
        *self == Self::Now(false)
    }
}

impl<T: Default> Default for Deferred<T> {
    fn default() -> Self {
        Self::Now(T::default())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Now(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Now(text)
    }
}
