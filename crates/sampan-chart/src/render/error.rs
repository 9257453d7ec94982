//! Why a chart cannot be rendered.

use std::collections::BTreeMap;

use sampan_model::Hint;

use super::{NameError, NoStack};
use crate::chart;

/// Why a chart cannot be rendered; the texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The chart holds partials for other charts only.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// The release cannot have its name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The charts in the chart cannot be put together.
    #[error(transparent)]
    Chart(#[from] chart::Error),
    /// The same, as Helm 4 says it.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(chart::Error),
    /// The values are not what the chart wants.
    #[error(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{0}"
    )]
    Schema(String),
    /// The chart is for other versions of Kubernetes.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {there}")]
    KubeVersion {
        /// The constraint of the chart.
        wanted: String,
        /// The version that it is rendered for.
        there: String,
    },
    /// There is no room for it.
    #[error(transparent)]
    Stack(#[from] NoStack),
    /// A template fails.
    #[error("{0}")]
    Template(String),
    /// What a template printed is no manifest.
    #[error("{problem}")]
    Document {
        /// What is wrong.
        problem: String,
        /// What all templates printed, for finding the fault.
        files: BTreeMap<String, Vec<u8>>,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotInstallable(_) => {
                "name the chart under `dependencies` of an application chart"
            }
            Self::Name(error) => return error.hint(),
            Self::Stack(error) => return error.hint(),
            Self::Chart(error) | Self::Dependencies(error) => return error.hint(),
            Self::Schema(_) => {
                "mend the values; `values.schema.json` of the chart says what it takes"
            }
            Self::KubeVersion { .. } => "set the version with `--kube-version`",
            Self::Template(text) if text.contains("nil pointer evaluating") => {
                "a value on the way is not set: set it, or guard the place with `if` or `with`"
            }
            Self::Template(text) if text.contains("execution error at") => {
                "set the value that the chart asks for"
            }
            Self::Template(_) => return None,
            Self::Document { .. } => {
                "look at what the template printed: indentation and quotes are the usual faults"
            }
        };
        Some(hint.to_owned())
    }
}
