//! What can be wrong with a `sampan.yaml`.

use crate::Hint;
use crate::yaml::{Location, YamlError};

/// Why a `sampan.yaml` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// The text is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The file holds no document.
    #[error("{file}: the file is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// The file holds more than one document.
    #[error("{location}: a second document begins; one file describes one app")]
    SecondDocument {
        /// Where it begins.
        location: Location,
    },
    /// A key that the format does not have.
    #[error("{location}: unknown key `{key}` in {place}{}", did_you_mean(near.as_deref()))]
    UnknownKey {
        /// Where it stands.
        location: Location,
        /// The key.
        key: String,
        /// The mapping that holds it.
        place: String,
        /// The known key that it resembles.
        near: Option<String>,
        /// All keys that may stand there.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("{location}: the key `{key}` is missing in {place}")]
    MissingKey {
        /// Where the mapping begins.
        location: Location,
        /// The key.
        key: String,
        /// The mapping that lacks it.
        place: String,
    },
    /// A value of another type than the format wants.
    #[error("{location}: {place} must be {expected}, but is {found}")]
    WrongType {
        /// Where it stands.
        location: Location,
        /// The path of the value.
        place: String,
        /// The type that is wanted.
        expected: String,
        /// The type that was given.
        found: String,
    },
    /// A value of the right type that means nothing.
    #[error("{location}: {place}: {problem}")]
    Invalid {
        /// Where it stands.
        location: Location,
        /// The path of the value.
        place: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        advice: String,
    },
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl Hint for AppError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::Empty { .. } => {
                Some("begin with `apiVersion: sampan/v1`, `kind: App` and `name:`".to_owned())
            }
            Self::SecondDocument { .. } => {
                Some("move it to a file and folder of its own".to_owned())
            }
            Self::UnknownKey { known, .. } if known.is_empty() => {
                Some("no key may stand there".to_owned())
            }
            Self::UnknownKey { known, place, .. } if place.contains("values") => Some(format!(
                "declare it under `values`; declared are {}",
                known.join(", ")
            )),
            Self::UnknownKey { known, .. } => Some(format!("known keys are {}", known.join(", "))),
            Self::MissingKey { key, .. } => Some(format!("add `{key}:`")),
            Self::WrongType { expected, .. } if expected == "text" => {
                Some("put the value in quotes".to_owned())
            }
            Self::WrongType { .. } => None,
            Self::Invalid { advice, .. } => Some(advice.clone()),
        }
    }
}
