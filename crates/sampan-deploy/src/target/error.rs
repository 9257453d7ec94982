//! What can go wrong on a target.

use std::path::PathBuf;
use std::time::Duration;

use sampan_model::Hint;

use crate::owner::Owner;

/// A failed operation on a target.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The kubeconfig cannot be used.
    #[error("cannot use the kubeconfig{}", path.as_ref().map_or_else(String::new, |path| format!(" `{}`", path.display())))]
    Kubeconfig {
        /// The file, when one was named.
        path: Option<PathBuf>,
        /// Why not.
        #[source]
        source: Box<kube::config::KubeconfigError>,
    },
    /// The target does not answer.
    #[error("cannot reach the Kubernetes API at {address}")]
    Connect {
        /// Its address.
        address: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
    /// The target answered that it will not.
    #[error("cannot {doing}: {message} (status {code})")]
    Answer {
        /// What was asked for.
        doing: String,
        /// Its message.
        message: String,
        /// One word for the reason, such as `AlreadyExists`; may be empty.
        reason: String,
        /// The HTTP status.
        code: u16,
    },
    /// An object is not acceptable to the target.
    #[error("{location}: the target refuses {object}: {message}")]
    Refused {
        /// The object.
        object: String,
        /// Where its manifest stands.
        location: String,
        /// The target's message.
        message: String,
        /// The HTTP status.
        code: u16,
    },
    /// An object is another environment's.
    #[error("{object} belongs to {owner}; `{environment}` would take it away")]
    Owned {
        /// The object.
        object: String,
        /// Whose it is.
        owner: Owner,
        /// The environment that wanted to change it.
        environment: String,
    },
    /// An object that is being deleted does not go.
    #[error("{object} is being deleted and still there after {}s", waited.as_secs())]
    Lingers {
        /// The object.
        object: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The target has no such kind.
    #[error("the target does not know the kind `{kind}` of `{api_version}`")]
    UnknownKind {
        /// The kind.
        kind: String,
        /// Group and version.
        api_version: String,
    },
    /// The target's answer makes no sense.
    #[error("the target's answer about {object} cannot be read")]
    Unreadable {
        /// The object.
        object: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

impl TargetError {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { .. } => true,
            Self::Answer { code, .. } => *code >= 500 || *code == 429,
            _ => false,
        }
    }
}

impl Hint for TargetError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Kubeconfig { .. } => Some("check `--kubeconfig` and `--context`".to_owned()),
            Self::Connect { .. } => Some(
                "check that the server runs: `sampan up --detach`, or the cluster's address"
                    .to_owned(),
            ),
            Self::Refused { .. } => Some("mend the manifest and make a new release".to_owned()),
            Self::UnknownKind { .. } => Some(
                "check `apiVersion` and `kind`, or install the custom resource first".to_owned(),
            ),
            Self::Owned {
                owner, environment, ..
            } => Some(format!(
                "give `{environment}` a `namespace` of its own in sampan.yaml or with `--namespace`; or first take the \
                 other away where it was deployed from, with `sampan remove {} --env {}`, and delete by hand what holds its data",
                owner.app, owner.environment
            )),
            Self::Lingers { .. } => Some(
                "see its `metadata.finalizers` for what keeps it, or give it more time with `--timeout`"
                    .to_owned(),
            ),
            Self::Answer { .. } | Self::Unreadable { .. } => None,
        }
    }
}
