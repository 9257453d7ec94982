//! Why an expression cannot be read or carried out.

use sampan_model::Hint;
use sampan_model::nearest;

use super::{LIMIT_BYTES, LIMIT_CHARACTERS, LIMIT_DEPTH, StatusFunction};

/// Why a text is no expression. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Something stands where it may not.
    #[error("unexpected `{token}` at position {position}")]
    UnexpectedSymbol {
        /// What stands there.
        token: String,
        /// Where.
        position: usize,
        /// The whole expression.
        expression: String,
    },
    /// The expression stops too early.
    #[error("the expression ends after `{token}` where something must follow")]
    UnexpectedEnd {
        /// What stands last.
        token: String,
        /// Where it stands.
        position: usize,
        /// The whole expression.
        expression: String,
    },
    /// A context that does not exist, or not there.
    #[error("there is no context `{name}` here, at position {position}")]
    UnknownContext {
        /// The name.
        name: String,
        /// Where.
        position: usize,
        /// The whole expression.
        expression: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A function that does not exist, or not there.
    #[error("there is no function `{name}` here, at position {position}")]
    UnknownFunction {
        /// The name.
        name: String,
        /// Where.
        position: usize,
        /// The whole expression.
        expression: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A function with fewer arguments than it needs.
    #[error("`{name}` takes at least {least} arguments; it has {given} at position {position}")]
    TooFewArguments {
        /// The function.
        name: String,
        /// How many it has.
        given: usize,
        /// How many it needs.
        least: usize,
        /// Where.
        position: usize,
        /// The whole expression.
        expression: String,
    },
    /// A function with more arguments than it takes.
    #[error("`{name}` takes at most {most} arguments; it has {given} at position {position}")]
    TooManyArguments {
        /// The function.
        name: String,
        /// How many it has.
        given: usize,
        /// How many it takes.
        most: usize,
        /// Where.
        position: usize,
        /// The whole expression.
        expression: String,
    },
    /// `case` without a value for when no condition holds.
    #[error("`{name}` takes an odd number of arguments; it has {given} at position {position}")]
    EvenArguments {
        /// The function.
        name: String,
        /// How many it has.
        given: usize,
        /// Where.
        position: usize,
        /// The whole expression.
        expression: String,
    },
    /// Longer than [`LIMIT_CHARACTERS`].
    #[error("the expression has {characters} characters; at most {LIMIT_CHARACTERS} are read")]
    TooLong {
        /// Its length.
        characters: usize,
    },
    /// Deeper than [`LIMIT_DEPTH`].
    #[error("the expression nests deeper than {LIMIT_DEPTH} levels")]
    TooDeep,
}

impl ParseError {
    /// The expression that could not be read, where it is short enough to be shown.
    #[must_use]
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::UnexpectedSymbol { expression, .. }
            | Self::UnexpectedEnd { expression, .. }
            | Self::UnknownContext { expression, .. }
            | Self::UnknownFunction { expression, .. }
            | Self::TooFewArguments { expression, .. }
            | Self::TooManyArguments { expression, .. }
            | Self::EvenArguments { expression, .. } => Some(expression),
            Self::TooLong { .. } | Self::TooDeep => None,
        }
    }
}

impl Hint for ParseError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnexpectedSymbol { token, .. } if token.starts_with('"') => {
                Some("texts stand in single quotes".to_owned())
            }
            Self::UnexpectedSymbol { token, .. } if token.starts_with('\'') => {
                Some("close the text by `'`; a quote within it is written `''`".to_owned())
            }
            Self::UnexpectedSymbol { token, .. } if token == "=" => {
                Some("equality is written `==`".to_owned())
            }
            Self::UnexpectedSymbol { token, .. } if matches!(&**token, "&" | "|") => {
                Some(format!("write `{token}{token}`"))
            }
            Self::UnknownContext { name, known, .. }
            | Self::UnknownFunction { name, known, .. } => Some(known_names(name, known)),
            Self::EvenArguments { .. } => {
                Some("put the value for when no condition holds last".to_owned())
            }
            Self::TooLong { .. } | Self::TooDeep => {
                Some("compute parts of it in a step, and refer to that step's outputs".to_owned())
            }
            _ => None,
        }
    }
}

fn known_names(name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(nearest) if !nearest.eq_ignore_ascii_case(name) => format!("did you mean `{nearest}`"),
        _ if known.is_empty() => "there are none here".to_owned(),
        _ => format!("there are {}", known.join(", ")),
    }
}

/// Why an expression has no value.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The first argument of `format` is no format.
    #[error("the format `{format}` is not valid")]
    Format {
        /// The format.
        format: String,
    },
    /// The format refers to an argument that was not given.
    #[error("the format `{format}` refers to more arguments than there are")]
    FormatArgument {
        /// The format.
        format: String,
    },
    /// The format asks for a presentation; there is none.
    #[error("the format specifier `{specifier}` does not exist")]
    FormatSpecifier {
        /// What stands behind the colon.
        specifier: String,
    },
    /// The argument of `fromJSON` is not JSON.
    #[error("`fromJSON` cannot read `{text}`")]
    NotJson {
        /// The beginning of the text.
        text: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A condition of `case` is neither true nor false.
    #[error("a condition of `case` is a value of type {found}, not true or false")]
    CaseCondition {
        /// What it is.
        found: &'static str,
    },
    /// The result is larger than [`LIMIT_BYTES`].
    #[error("the expression makes more than {LIMIT_BYTES} bytes")]
    TooLarge,
    /// A status was asked for where there is none.
    #[error("`{function}()` has no answer here")]
    NoStatus {
        /// The function.
        function: StatusFunction,
    },
    /// The files could not be hashed.
    #[error("`hashFiles` failed")]
    HashFiles {
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Hint for EvaluateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Format { .. } => Some("braces that are meant are doubled: `{{` and `}}`".to_owned()),
            Self::NotJson { text, .. } if text.is_empty() => {
                Some("the text is empty: was the output set, and does this job `need` the one that sets it".to_owned())
            }
            Self::CaseCondition { .. } => Some("compare it with something".to_owned()),
            _ => None,
        }
    }
}
