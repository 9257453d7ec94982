//! The port to a cluster: what releases need of the Kubernetes API. Whoever calls the crate implements it.

use std::fmt;
use std::time::Duration;

use sampan_model::Hint;
use serde_json::Value as Json;

/// Names an object in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// The namespace; none for what belongs to the whole cluster.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectId {
    /// The group without the version; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        let group = self.api_version.split_once('/');
        group.map_or("", |(group, _)| group)
    }

    /// Whether both name the same object, in whatever version of its group.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.group() == other.group()
            && self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind, self.name)?;
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace \"{namespace}\""),
            None => Ok(()),
        }
    }
}

/// Objects of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Collection<'a> {
    /// Group and version.
    pub api_version: &'a str,
    /// The kind of the objects.
    pub kind: &'a str,
    /// The namespace; none for all of them.
    pub namespace: Option<&'a str>,
    /// A selector of labels; empty for all objects.
    pub labels: &'a str,
}

/// A change of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// A strategic merge patch, for kinds that Kubernetes brings along.
    Strategic(Json),
    /// A JSON merge patch (RFC 7396).
    Merge(Json),
    /// The object as it shall be, for server-side apply.
    Apply {
        /// The object.
        object: Json,
        /// Whether fields are taken over that others have set.
        force: bool,
    },
}

/// What happens to what depends on an object that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// It is deleted afterwards.
    #[default]
    Background,
    /// It is deleted first.
    Foreground,
    /// It stays.
    Orphan,
}

/// The version of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerVersion {
    /// Such as `v1.33.4`.
    pub git_version: String,
    /// The first number.
    pub major: String,
    /// The second number, perhaps with a `+`.
    pub minor: String,
}

/// Why a cluster did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It does not answer.
    #[error("Kubernetes cluster unreachable: {0}")]
    Unreachable(String),
    /// It does not know a kind.
    #[error("no matches for kind \"{kind}\" in version \"{api_version}\"")]
    UnknownKind {
        /// Group and version.
        api_version: String,
        /// The kind.
        kind: String,
    },
    /// It answered that it will not.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// One word for the reason, such as `AlreadyExists`.
        reason: String,
        /// Its message.
        message: String,
    },
}

impl Hint for TargetError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable(_) => {
                "start the engine with `sampan up`, or name a cluster with `--kubeconfig` and `--context`"
            }
            Self::UnknownKind { .. } => {
                "install its custom resource definition first, or a chart for this version of Kubernetes"
            }
            Self::Refused { code: 403, .. } => "use an account that may do this",
            Self::Refused { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

impl TargetError {
    /// Whether something is there already that was to be made.
    #[must_use]
    pub fn is_conflict_of_names(&self) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == "AlreadyExists")
    }

    /// Whether somebody else has written the object since it was read.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        matches!(self, Self::Refused { code: 409, reason, .. } if reason == "Conflict")
    }

    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::UnknownKind { .. } => false,
            Self::Refused { code, .. } => *code == 429 || (*code >= 500 && *code != 501),
        }
    }
}

/// A cluster. All calls wait for the answer.
pub trait Target: fmt::Debug + Send + Sync {
    /// Its version.
    ///
    /// # Errors
    /// When it does not answer.
    fn version(&self) -> Result<ServerVersion, TargetError>;

    /// The versions of API groups that it serves, such as `apps/v1`, and the kinds in them, such as
    /// `apps/v1/Deployment`.
    ///
    /// # Errors
    /// When it does not answer.
    fn api_versions(&self) -> Result<Vec<String>, TargetError>;

    /// Whether objects of a kind are in namespaces.
    ///
    /// # Errors
    /// [`TargetError::UnknownKind`], or when it does not answer.
    fn is_namespaced(&self, api_version: &str, kind: &str) -> Result<bool, TargetError>;

    /// Asks for kinds anew from here on, because there may be new ones.
    fn forget_kinds(&self);

    /// An object, if it is there.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    fn get(&self, id: &ObjectId) -> Result<Option<Json>, TargetError>;

    /// All objects of a collection.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    fn list(&self, wanted: &Collection<'_>) -> Result<Vec<Json>, TargetError>;

    /// Makes an object and gives it as the cluster has completed it.
    ///
    /// # Errors
    /// When it is there already, or the cluster does not answer or refuses.
    fn create(&self, id: &ObjectId, object: &Json) -> Result<Json, TargetError>;

    /// Puts an object in the place of the one with its name.
    ///
    /// # Errors
    /// When it is not there, or the cluster does not answer or refuses.
    fn replace(&self, id: &ObjectId, object: &Json) -> Result<Json, TargetError>;

    /// Changes an object.
    ///
    /// # Errors
    /// When it is not there, or the cluster does not answer or refuses.
    fn patch(&self, id: &ObjectId, patch: &Patch) -> Result<Json, TargetError>;

    /// Asks for the end of an object; tells whether it was there.
    ///
    /// # Errors
    /// When the cluster does not answer or refuses.
    fn delete(&self, id: &ObjectId, propagation: Propagation) -> Result<bool, TargetError>;

    /// What the containers of a pod have written.
    ///
    /// # Errors
    /// When there is nothing yet, or the cluster does not answer.
    fn logs(&self, namespace: &str, pod: &str) -> Result<Vec<u8>, TargetError>;

    /// Lets some time pass; shorter when the user wants to end.
    fn pause(&self, time: Duration);

    /// Whether the user wants to end.
    fn is_interrupted(&self) -> bool;

    /// Takes note of that, so that what is under way can be brought to an orderly end.
    fn acknowledge_interruption(&self);
}
