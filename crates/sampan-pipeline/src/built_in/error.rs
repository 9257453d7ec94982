//! What can go wrong with a built-in.

use std::io;

use sampan_model::{Hint, shortened};

use super::template::TemplateError;
use crate::run::PortError;
use crate::trust::Right;

/// Why a built-in did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuiltInError {
    /// A parameter that nobody knows.
    #[error("`{built_in}` has no parameter `{parameter}`")]
    UnknownParameter {
        /// The image or action.
        built_in: String,
        /// The parameter.
        parameter: String,
        /// The one that was likely meant.
        nearest: Option<String>,
    },
    /// A parameter that must be there.
    #[error("`{built_in}` needs the parameter `{parameter}`")]
    MissingParameter {
        /// The image or action.
        built_in: String,
        /// The parameter.
        parameter: &'static str,
    },
    /// A parameter with a value that it cannot have.
    #[error("the parameter `{parameter}` of `{built_in}` must be {expected}")]
    InvalidParameter {
        /// The image or action.
        built_in: String,
        /// The parameter.
        parameter: String,
        /// What it must be.
        expected: String,
    },
    /// Something that the original does and Sampan does not.
    #[error("{what} of `{built_in}` is not supported")]
    Unsupported {
        /// The image or action.
        built_in: String,
        /// What is asked for.
        what: String,
        /// What can be done instead.
        hint: Option<&'static str>,
    },
    /// A template that cannot be rendered.
    #[error("cannot render the parameter `{parameter}` of `{built_in}`")]
    Template {
        /// The image or action.
        built_in: String,
        /// The parameter.
        parameter: &'static str,
        /// What is wrong with it.
        #[source]
        source: TemplateError,
    },
    /// The rest of the program could not do what it was asked to.
    #[error("cannot {operation}")]
    Port {
        /// The operation, as a verb.
        operation: String,
        /// The cause.
        #[source]
        source: PortError,
    },
    /// A service answered that it will not.
    #[error("{service} answered with status {status}: {}", shortened(.answer.trim(), 200))]
    Refused {
        /// The service.
        service: String,
        /// The status of the answer.
        status: u16,
        /// Its text.
        answer: String,
    },
    /// A job of another system went wrong.
    #[error("the job `{job}` ended as {result}")]
    Job {
        /// The job.
        job: String,
        /// How it ended.
        result: String,
    },
    /// A file cannot be worked with.
    #[error("cannot {operation} `{path}`")]
    File {
        /// The operation, as a verb.
        operation: &'static str,
        /// The path as the step sees it, or that of a file of the installation.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A path that leads out of the workspace.
    #[error("`{path}` leads out of the workspace")]
    Outside {
        /// The path.
        path: String,
    },
    /// Something that a file has and must not, or lacks.
    #[error("{problem}")]
    Content {
        /// What is wrong, as a sentence.
        problem: String,
        /// What can be done.
        hint: Option<String>,
    },
    /// Something of the installation that the project has no right to.
    #[error("{what} is for trusted projects only")]
    NotTrusted {
        /// What it is.
        what: &'static str,
        /// The right that is missing.
        right: Right,
    },
    /// The run was ended.
    #[error("the run was ended")]
    Interrupted,
}

impl BuiltInError {
    pub(super) fn port(operation: impl Into<String>) -> impl FnOnce(PortError) -> Self {
        let operation = operation.into();
        move |source| Self::Port { operation, source }
    }

    pub(crate) fn file(
        operation: &'static str,
        path: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            operation,
            path,
            source,
        }
    }
}

impl Hint for BuiltInError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownParameter { nearest, .. } => nearest
                .as_ref()
                .map(|nearest| format!("did you mean `{nearest}`?")),
            Self::Unsupported { hint, .. } => hint.map(str::to_owned),
            Self::Template { source, .. } => source.hint(),
            Self::Port { source, .. } => source.hint(),
            Self::Content { hint, .. } => hint.clone(),
            Self::Outside { .. } => {
                Some("name a path below the folder of the source tree".to_owned())
            }
            Self::NotTrusted { right, .. } => Some(format!(
                "give the project the right `{right}` under `trusted` in `ci.yaml`, or run the pipeline with `--trusted`"
            )),
            Self::MissingParameter { .. }
            | Self::InvalidParameter { .. }
            | Self::Refused { .. }
            | Self::Job { .. }
            | Self::File { .. }
            | Self::Interrupted => None,
        }
    }
}
