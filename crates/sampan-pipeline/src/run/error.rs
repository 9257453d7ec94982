//! What can go wrong with a run as a whole. A step that fails is no error.

use std::path::PathBuf;

use sampan_model::Hint;
use sampan_model::yaml::Location;

use crate::PipelineError;

/// Why a run did not begin, or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The file asks for what is not there or not allowed; nothing was started.
    #[error("{}", lines(.0))]
    Planning(Vec<Missing>),
    /// The workflow cannot be made into a graph.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A file of the run cannot be worked with.
    #[error("cannot {operation} `{}`", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The state of an earlier run cannot be read.
    #[error("`{}` is not the state of a run", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The earlier run has no such step, or nothing is kept of it.
    #[error("the run in `{}` cannot be gone on with from the step `{step}`: {reason}", folder.display())]
    Resume {
        /// The folder of the earlier run.
        folder: PathBuf,
        /// The step.
        step: String,
        /// Why not.
        reason: &'static str,
    },
    /// The group of runs that exclude each other is not known.
    #[error("the concurrency group `{expression}` has no value")]
    Concurrency {
        /// What the workflow says.
        expression: String,
    },
    /// There is no network for containers.
    #[error("cannot use the network of containers")]
    Network {
        /// The cause.
        #[source]
        source: sampan_container::network::NetworkError,
    },
    /// The container of a step cannot be described.
    #[error("cannot make a container as the step had it")]
    Shell(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Containers cannot be run.
    #[error("cannot {operation}")]
    Container {
        /// The operation.
        operation: &'static str,
        /// The cause.
        #[source]
        source: sampan_container::Error,
    },
}

/// Something that a pipeline needs and that is not there, with the place that asks for it.
#[derive(Debug, thiserror::Error)]
#[error("{location}: {what}")]
pub struct Missing {
    /// The place.
    pub location: Location,
    /// What is missing or not allowed, as a sentence.
    pub what: String,
    /// What can be done.
    pub hint: Option<String>,
}

impl RunError {
    pub(crate) fn io(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            operation,
            path,
            source,
        }
    }
}

impl Hint for RunError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Planning(missing) => missing.iter().find_map(|missing| missing.hint.clone()),
            Self::Pipeline(error) => error.hint(),
            Self::Container { source, .. } => source.hint(),
            Self::Network { source } => source.hint(),
            Self::Resume { .. } => Some("`sampan ci show` lists the steps of a run".to_owned()),
            Self::Concurrency { .. } => {
                Some("it may refer to `github`, `inputs` and `vars`".to_owned())
            }
            Self::Io { .. } | Self::State { .. } | Self::Shell(_) => None,
        }
    }
}

/// Why the rest of the program could not do what a run asked of it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    /// What went wrong, with all its causes.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
}

impl PortError {
    /// An error without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// The error with what can be done.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl Hint for PortError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

fn lines(missing: &[Missing]) -> String {
    let lines: Vec<_> = missing.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
