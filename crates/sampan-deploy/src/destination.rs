//! Where an order goes. One environment may be brought to several destinations, and what holds for one of them says
//! nothing about another.

use std::fmt;
use std::path::PathBuf;

use sampan_model::app::Target;
use serde::Deserialize;

/// What carries the objects of an order, and how it is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// What carries the objects.
    pub target: Target,
    /// The kubeconfig file by which a cluster is reached; the user's own when not given.
    #[serde(default)]
    pub kubeconfig: Option<PathBuf>,
}

impl Destination {
    /// The options that name it on the command line, each after a space; empty when none are needed.
    #[must_use]
    pub fn options(&self) -> String {
        let mut options = String::new();
        if let Some(path) = &self.kubeconfig {
            options = format!(" --kubeconfig {}", path.display());
        }
        if let Target::Kubernetes {
            context: Some(context),
        } = &self.target
        {
            options = format!("{options} --context {context}");
        }
        options
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.options().as_str()) {
            (Target::Engine, _) => f.write_str("the engine"),
            (Target::Kubernetes { .. }, "") => f.write_str("Kubernetes"),
            (Target::Kubernetes { .. }, options) => {
                write!(f, "Kubernetes with `{}`", &options[1..])
            }
        }
    }
}
