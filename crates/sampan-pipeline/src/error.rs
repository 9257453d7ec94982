//! What can be wrong with a pipeline's file.

use sampan_model::Hint;
use sampan_model::yaml::{Location, YamlError};

/// Why a file is not a pipeline that Sampan can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// The file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A key that the dialect does not have.
    #[error("{location}: {within} has no key `{key}`")]
    UnknownKey {
        /// Where the key stands.
        location: Location,
        /// What the mapping describes.
        within: String,
        /// The key.
        key: String,
        /// The key that was likely meant.
        nearest: Option<String>,
    },
    /// A value of another type than the dialect says.
    #[error("{location}: {what} must be {expected}, not {found}")]
    WrongType {
        /// Where the value stands.
        location: Location,
        /// What the value is for.
        what: String,
        /// What the dialect asks for.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A value that the dialect does not allow.
    #[error("{location}: `{value}` is no {what}")]
    InvalidValue {
        /// Where the value stands.
        location: Location,
        /// What the value is for.
        what: String,
        /// The value.
        value: String,
        /// What is allowed, as a sentence.
        hint: Option<String>,
    },
    /// A key that must be there.
    #[error("{location}: {within} lacks the key `{key}`")]
    MissingKey {
        /// Where the mapping begins.
        location: Location,
        /// What the mapping describes.
        within: String,
        /// The key.
        key: &'static str,
    },
    /// Two things with one name.
    #[error("{location}: there are two {what} with the name `{name}`")]
    RepeatedName {
        /// Where the second is.
        location: Location,
        /// What they are, in the plural.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something waits for what is not there.
    #[error("{location}: `{name}` needs `{need}`, which does not exist")]
    UnknownNeed {
        /// Where it says so.
        location: Location,
        /// The stage or step that waits.
        name: String,
        /// What it waits for.
        need: String,
        /// What was likely meant.
        nearest: Option<String>,
    },
    /// Things wait for each other in a circle.
    #[error("{location}: {} wait for each other in a circle", listed(.names))]
    Cycle {
        /// Where the first of them is.
        location: Location,
        /// The stages or steps.
        names: Vec<String>,
    },
    /// Something that the dialect documents and Sampan does not do.
    #[error("{location}: {what} is not supported")]
    Unsupported {
        /// Where it is asked for.
        location: Location,
        /// What is asked for.
        what: String,
        /// What can be done instead.
        hint: Option<String>,
    },
    /// A matrix with too many combinations.
    #[error("{location}: the matrix has {combinations} combinations; at most {limit} are run")]
    MatrixTooLarge {
        /// Where the matrix begins.
        location: Location,
        /// How many there would be; a matrix beyond all measure says "more than" a large number.
        combinations: String,
        /// The limit.
        limit: usize,
    },
    /// More of something than is read.
    #[error("{location}: there are {count} {what}; at most {limit} are read")]
    TooMany {
        /// Where they begin.
        location: Location,
        /// What they are, in the plural.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A document that is signed does not fit its signature, or should be signed and is not.
    #[error("{file}: {problem}")]
    Signature {
        /// The file.
        file: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A `${…}` that cannot be read.
    #[error("{location}: {problem} in the substitution `{source_text}`")]
    Substitution {
        /// Where it begins.
        location: Location,
        /// What is wrong with it.
        problem: String,
        /// Its text, or the beginning of it.
        source_text: String,
    },
    /// An expression that cannot be read.
    #[error("{location}: {problem} in the expression `{expression}`")]
    Expression {
        /// Where it stands.
        location: Location,
        /// What is wrong with it.
        problem: String,
        /// Its text.
        expression: String,
    },
    /// The file is none that a dialect knows.
    #[error("{file}: {problem}")]
    NoPipeline {
        /// The file.
        file: String,
        /// What is missing.
        problem: &'static str,
    },
    /// Several things are wrong.
    #[error("{}", lines(.0))]
    Several(Vec<PipelineError>),
}

impl PipelineError {
    /// All problems, one by one, in the order of the file.
    #[must_use]
    pub fn problems(&self) -> Vec<&PipelineError> {
        match self {
            Self::Several(errors) => errors.iter().flat_map(Self::problems).collect(),
            one => vec![one],
        }
    }

    /// Where it is wrong; `None` when a file is wrong as a whole.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Yaml(YamlError::Syntax { location, .. })
            | Self::UnknownKey { location, .. }
            | Self::WrongType { location, .. }
            | Self::InvalidValue { location, .. }
            | Self::MissingKey { location, .. }
            | Self::RepeatedName { location, .. }
            | Self::UnknownNeed { location, .. }
            | Self::Cycle { location, .. }
            | Self::Unsupported { location, .. }
            | Self::MatrixTooLarge { location, .. }
            | Self::TooMany { location, .. }
            | Self::Substitution { location, .. }
            | Self::Expression { location, .. } => Some(location),
            Self::Yaml(YamlError::TooLarge { .. })
            | Self::Signature { .. }
            | Self::NoPipeline { .. } => None,
            Self::Several(errors) => errors.first().and_then(Self::location),
        }
    }

    /// The file that is wrong.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Yaml(YamlError::TooLarge { file, .. }) => Some(file),
            Self::Signature { file, .. } | Self::NoPipeline { file, .. } => Some(file),
            other => other.location().map(|location| &*location.file),
        }
    }

    /// One error of many, or nothing when there is none.
    ///
    /// # Errors
    /// The error itself when it is the only one, else [`PipelineError::Several`].
    pub fn join(mut errors: Vec<PipelineError>) -> Result<(), PipelineError> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }
}

impl Hint for PipelineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::UnknownKey { nearest, .. } | Self::UnknownNeed { nearest, .. } => nearest
                .as_ref()
                .map(|nearest| format!("did you mean `{nearest}`?")),
            Self::InvalidValue { hint, .. } | Self::Unsupported { hint, .. } => hint.clone(),
            Self::MatrixTooLarge { .. } => {
                Some("take values out of the matrix, or list the combinations".to_owned())
            }
            Self::Signature { .. } => {
                Some("sign the file again after each change: `drone sign --save`".to_owned())
            }
            Self::NoPipeline { .. }
            | Self::WrongType { .. }
            | Self::MissingKey { .. }
            | Self::RepeatedName { .. }
            | Self::Cycle { .. }
            | Self::Expression { .. } => None,
            Self::TooMany { .. } => Some("take some of them away".to_owned()),
            Self::Substitution { .. } => Some(
                "write `$${` where the shell shall see `${`, or give the variable a name of letters, digits and `_`"
                    .to_owned(),
            ),
            Self::Several(errors) => errors.first().and_then(Hint::hint),
        }
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn lines(errors: &[PipelineError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
