//! Typed reading of nodes, with messages that name path, line and column.

use std::fmt;
use std::time::Duration;

use super::AppError;
use super::template::{Template, TemplateError};
use crate::Hint;
use crate::nearest;
use crate::yaml::{Content, Node};

/// The path of a node within the file, for messages.
#[derive(Debug, Clone)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    pub(super) fn key(&self, key: &str) -> Self {
        if self.0.is_empty() {
            Self(key.to_owned())
        } else {
            Self(format!("{}.{key}", self.0))
        }
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "the file"
        } else {
            &self.0
        })
    }
}

/// A node with its path.
#[derive(Debug)]
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    pub(super) place: Place,
}

impl<'a> At<'a> {
    pub(super) fn text(&self) -> Result<&'a str, AppError> {
        self.node.as_str().ok_or_else(|| self.wrong_type("text"))
    }

    /// The text of a scalar of any type, as it was written.
    pub(super) fn scalar(&self) -> Result<String, AppError> {
        match &self.node.content {
            Content::String(text, _) => Ok(text.clone()),
            Content::Bool(bool) => Ok(bool.text.clone()),
            Content::Number(number) => Ok(number.text.clone()),
            Content::Null => Ok(String::new()),
            Content::Sequence(_) | Content::Mapping(_) => Err(self.wrong_type("text")),
        }
    }

    pub(super) fn integer(&self, least: u32, most: u32) -> Result<u32, AppError> {
        let Content::Number(number) = &self.node.content else {
            return Err(self.wrong_type("a whole number"));
        };
        number
            .value
            .as_u64()
            .and_then(|value| u32::try_from(value).ok())
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| {
                self.invalid(
                    "is out of range",
                    &format!("give a whole number from {least} to {most}"),
                )
            })
    }

    /// A length of time: `500ms`, `10s`, `1m 30s`.
    pub(super) fn duration(&self) -> Result<Duration, AppError> {
        let advice = "give a time such as `500ms`, `10s` or `2m`";
        let Some(text) = self.node.as_str() else {
            return Err(self.invalid("has no unit", advice));
        };
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .filter(|duration| !duration.is_zero())
            .ok_or_else(|| self.invalid("is no length of time", advice))
    }

    /// A path that stays within the folder it is relative to.
    pub(super) fn relative_path(&self) -> Result<String, AppError> {
        let text = self.text()?;
        let inside = !text.is_empty()
            && !text.starts_with('/')
            && !text.contains(['\0', '\\'])
            && text.split('/').all(|part| part != "..");
        if !inside {
            return Err(self.invalid(
                "leaves the folder of the app",
                "give a relative path without `..`",
            ));
        }
        let kept: Vec<&str> = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        Ok(if kept.is_empty() {
            ".".to_owned()
        } else {
            kept.join("/")
        })
    }

    pub(super) fn items(&self) -> Result<Vec<At<'a>>, AppError> {
        let Content::Sequence(items) = &self.node.content else {
            return Err(self.wrong_type("a list"));
        };
        let at = |(index, node)| At {
            node,
            place: self.place.index(index),
        };
        Ok(items.iter().enumerate().map(at).collect())
    }

    pub(super) fn entries(&self) -> Result<Vec<(&'a str, At<'a>)>, AppError> {
        let Content::Mapping(entries) = &self.node.content else {
            return Err(self.wrong_type("a mapping"));
        };
        let at = |(key, node): &'a (crate::yaml::Key, Node)| {
            (
                key.name.as_str(),
                At {
                    node,
                    place: self.place.key(&key.name),
                },
            )
        };
        Ok(entries.iter().map(at).collect())
    }

    /// A text with `${…}` in it, whose names are checked by the caller.
    pub(super) fn templated(&self) -> Result<Template, AppError> {
        Template::parse(&self.scalar()?).map_err(|error| self.template(&error))
    }

    pub(super) fn wrong_type(&self, expected: &str) -> AppError {
        AppError::WrongType {
            location: self.node.location.clone(),
            place: self.place.to_string(),
            expected: expected.to_owned(),
            found: self.node.type_name().to_owned(),
        }
    }

    /// `problem` reads on from the value: "is out of range".
    pub(super) fn invalid(&self, problem: &str, advice: &str) -> AppError {
        let value = self
            .scalar()
            .unwrap_or_else(|_| self.node.type_name().to_owned());
        self.problem(format!("`{value}` {problem}"), advice.to_owned())
    }

    pub(super) fn template(&self, error: &TemplateError) -> AppError {
        self.problem(error.to_string(), error.hint().unwrap_or_default())
    }

    pub(super) fn problem(&self, problem: String, advice: String) -> AppError {
        AppError::Invalid {
            location: self.node.location.clone(),
            place: self.place.to_string(),
            problem,
            advice,
        }
    }
}

/// A mapping whose keys are all known.
pub(super) struct Fields<'a> {
    node: &'a Node,
    place: Place,
}

impl<'a> Fields<'a> {
    pub(super) fn of(node: &'a Node, place: &Place, known: &[&str]) -> Result<Self, AppError> {
        let at = At {
            node,
            place: place.clone(),
        };
        let Content::Mapping(entries) = &node.content else {
            return Err(at.wrong_type("a mapping"));
        };
        if let Some((key, _)) = entries
            .iter()
            .find(|(key, _)| !known.contains(&key.name.as_str()))
        {
            return Err(AppError::UnknownKey {
                location: key.location.clone(),
                key: key.name.clone(),
                place: place.to_string(),
                near: nearest(&key.name, known.iter().copied()).map(str::to_owned),
                known: known.iter().map(|&name| name.to_owned()).collect(),
            });
        }
        Ok(Self {
            node,
            place: place.clone(),
        })
    }

    /// The value of a key; a key with nothing behind it counts as absent.
    pub(super) fn optional(&self, key: &str) -> Option<At<'a>> {
        let node = self
            .node
            .get(key)
            .filter(|node| node.content != Content::Null)?;
        Some(At {
            node,
            place: self.place.key(key),
        })
    }

    pub(super) fn required(&self, key: &str) -> Result<At<'a>, AppError> {
        self.optional(key).ok_or_else(|| self.missing(key))
    }

    pub(super) fn missing(&self, key: &str) -> AppError {
        AppError::MissingKey {
            location: self.node.location.clone(),
            key: key.to_owned(),
            place: self.place.to_string(),
        }
    }
}
