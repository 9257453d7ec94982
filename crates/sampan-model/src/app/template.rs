//! Text with values in it: `http://${host}/`.

use super::values::Values;
use crate::Hint;
use crate::nearest;

/// A text in which `${name}` stands for a value, `${name:-text}` for a value or, where the value is `null`, the text,
/// and `$${` for a literal `${`. Every other `$` is itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// The place of a value.
    Value {
        /// The value's dotted name.
        name: String,
        /// What stands there when the value is `null`.
        default: Option<String>,
    },
}

/// What can be wrong with a [`Template`], alone or with given values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `${` without `}`.
    #[error("`${{` is not closed by `}}`")]
    Unclosed,
    /// What stands between the braces is no name.
    #[error("`${{{0}}}` names no value")]
    BadName(String),
    /// The name is not declared under `values`.
    #[error("the value `{name}` is not declared{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    Undeclared {
        /// The name.
        name: String,
        /// The declared name that it resembles.
        near: Option<String>,
    },
    /// The value is declared without a default, and nothing gave it.
    #[error("the value `{0}` has no default and was not given")]
    NotGiven(String),
    /// A list or mapping in the midst of a text.
    #[error("the value `{0}` is a list or mapping and cannot stand within a text")]
    NotScalar(String),
}

impl Hint for TemplateError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unclosed => "write `$${` where a literal `${` is meant".to_owned(),
            Self::BadName(text) => {
                format!(
                    "a name is letters, digits, `_`, `-` and dots; write `$${{{text}}}` where the text is meant as it is"
                )
            }
            Self::Undeclared { name, .. } => format!(
                "declare `{name}` under `values` in sampan.yaml, or write `$${{{name}}}` where the text is meant as it is"
            ),
            Self::NotGiven(name) => {
                format!(
                    "set it under the environment's `values` in sampan.yaml, or give `--set {name}=…`"
                )
            }
            Self::NotScalar(_) => {
                "let the value stand alone, without quotes, where a list or mapping may stand"
                    .to_owned()
            }
        })
    }
}

impl Template {
    /// Splits a text into its pieces.
    ///
    /// # Errors
    /// [`TemplateError::Unclosed`] and [`TemplateError::BadName`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                literal.push_str(&rest[..at - 1]);
                literal.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let end = rest[at..].find('}').ok_or(TemplateError::Unclosed)? + at;
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(value_piece(&rest[at + 2..end])?);
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self { pieces })
    }

    /// The parts in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Checks that every name is declared.
    ///
    /// # Errors
    /// [`TemplateError::Undeclared`] for the first that is not.
    pub fn check(&self, values: &Values) -> Result<(), TemplateError> {
        for piece in &self.pieces {
            if let Piece::Value { name, .. } = piece {
                declared(values, name)?;
            }
        }
        Ok(())
    }

    /// The text with all values in place.
    ///
    /// # Errors
    /// A name that is not declared, a value that was not given, or one that is no scalar.
    pub fn render(&self, values: &Values) -> Result<String, TemplateError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Value { name, default } => {
                    text.push_str(&scalar(values, name, default.as_deref())?);
                }
            }
        }
        Ok(text)
    }

    /// What the whole text stands for: the value itself, with its type, when the text is nothing but `${name}`.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn resolve(&self, values: &Values) -> Result<serde_json::Value, TemplateError> {
        if let [
            Piece::Value {
                name,
                default: None,
            },
        ] = self.pieces.as_slice()
        {
            let value = declared(values, name)?;
            return if value.is_null() {
                Err(TemplateError::NotGiven(name.clone()))
            } else {
                Ok(value.clone())
            };
        }
        self.render(values).map(serde_json::Value::String)
    }
}

fn value_piece(inner: &str) -> Result<Piece, TemplateError> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (inner, None),
    };
    let segment = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if name.split('.').all(segment) {
        Ok(Piece::Value {
            name: name.to_owned(),
            default,
        })
    } else {
        Err(TemplateError::BadName(inner.to_owned()))
    }
}

fn declared<'a>(values: &'a Values, name: &str) -> Result<&'a serde_json::Value, TemplateError> {
    values.get(name).ok_or_else(|| {
        let names = values.names();
        TemplateError::Undeclared {
            name: name.to_owned(),
            near: nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
        }
    })
}

fn scalar(values: &Values, name: &str, default: Option<&str>) -> Result<String, TemplateError> {
    use serde_json::Value;
    match declared(values, name)? {
        Value::Null => default
            .map(str::to_owned)
            .ok_or_else(|| TemplateError::NotGiven(name.to_owned())),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(value) => Ok(value.to_string()),
        Value::String(value) => Ok(value.clone()),
        Value::Array(_) | Value::Object(_) => Err(TemplateError::NotScalar(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Template, TemplateError};
    use crate::app::Values;

    fn values() -> Values {
        Values::from_json(json!({"host": "a.example", "port": 80, "web": {"replicas": 2}, "none": null, "list": [1]}))
            .expect("the values are a mapping")
    }

    fn render(text: &str) -> Result<String, TemplateError> {
        Template::parse(text)?.render(&values())
    }

    #[test]
    fn puts_values_in_place() {
        assert_eq!(
            render("http://${host}:${port}/").as_deref(),
            Ok("http://a.example:80/")
        );
        assert_eq!(render("${web.replicas}x${none:-y}").as_deref(), Ok("2xy"));
        assert_eq!(render("${port:-9}").as_deref(), Ok("80"));
    }

    #[test]
    fn leaves_other_dollars_alone() {
        assert_eq!(
            render("$HOME $$ $1 $(x) $").as_deref(),
            Ok("$HOME $$ $1 $(x) $")
        );
        assert_eq!(
            render("$${HOME} ${host}").as_deref(),
            Ok("${HOME} a.example")
        );
    }

    #[test]
    fn keeps_types_of_lone_values() {
        let resolve = |text| Template::parse(text).and_then(|template| template.resolve(&values()));
        assert_eq!(resolve("${web.replicas}"), Ok(json!(2)));
        assert_eq!(resolve("${list}"), Ok(json!([1])));
        assert_eq!(resolve("${port}0"), Ok(json!("800")));
        assert_eq!(
            resolve("${none}"),
            Err(TemplateError::NotGiven("none".to_owned()))
        );
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(render("${host"), Err(TemplateError::Unclosed));
        assert_eq!(
            render("${a b}"),
            Err(TemplateError::BadName("a b".to_owned()))
        );
        assert_eq!(
            render("x${list}"),
            Err(TemplateError::NotScalar("list".to_owned()))
        );
        assert_eq!(
            render("${hots}"),
            Err(TemplateError::Undeclared {
                name: "hots".to_owned(),
                near: Some("host".to_owned())
            })
        );
    }
}
