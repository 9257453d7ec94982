//! An environment: where releases of the app run, and with which values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::AppError;
use super::fields::{Fields, Place};
use super::values::Values;
use crate::yaml::{Content, Node};

/// The name of an environment: a DNS label, such as `prod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentName(String);

/// A text that is no environment name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name for an environment: lower-case letters, digits and `-`, at most 63 characters"
)]
pub struct InvalidEnvironmentName(pub String);

impl EnvironmentName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentName {
    type Err = InvalidEnvironmentName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_dns_label(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEnvironmentName(text.to_owned()))
        }
    }
}

impl TryFrom<String> for EnvironmentName {
    type Error = InvalidEnvironmentName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EnvironmentName> for String {
    fn from(name: EnvironmentName) -> Self {
        name.0
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What carries out the rollouts of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Target {
    /// The engine of this installation.
    #[default]
    Engine,
    /// A Kubernetes cluster that the user's kubeconfig knows.
    Kubernetes {
        /// The context of the kubeconfig; its current one when not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
    },
}

/// Where releases of the app run, and with which values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// The namespace that the app's objects get; the app's name when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What carries out the rollouts.
    #[serde(default)]
    pub target: Target,
    /// What differs from the app's default values.
    #[serde(default)]
    pub values: Values,
}

const KEYS: &[&str] = &["namespace", "target", "values"];

impl Environment {
    pub(super) fn read(node: &Node, place: &Place, declared: &Values) -> Result<Self, AppError> {
        if node.content == Content::Null {
            return Ok(Self::default());
        }
        let fields = Fields::of(node, place, KEYS)?;
        let namespace = fields.optional("namespace").map(|at| {
            let name = at.text()?;
            if is_dns_label(name) {
                return Ok(name.to_owned());
            }
            Err(at.invalid(
                "is no namespace",
                "use lower-case letters, digits and `-`, at most 63 characters",
            ))
        });
        Ok(Self {
            namespace: namespace.transpose()?,
            target: fields
                .optional("target")
                .map_or(Ok(Target::Engine), |at| target(at.node, &at.place))?,
            values: fields
                .optional("values")
                .map_or(Ok(Values::default()), |at| {
                    declared.read_override(at.node, &at.place.to_string())
                })?,
        })
    }
}

fn target(node: &Node, place: &Place) -> Result<Target, AppError> {
    match node.as_str() {
        Some("engine") => return Ok(Target::Engine),
        Some("kubernetes") => return Ok(Target::Kubernetes { context: None }),
        Some(other) => {
            return Err(AppError::Invalid {
                location: node.location.clone(),
                place: place.to_string(),
                problem: format!("`{other}` is no target"),
                advice: "write `engine`, or `kubernetes: {context: NAME}`".to_owned(),
            });
        }
        None => {}
    }
    let fields = Fields::of(node, place, &["kubernetes"])?;
    let cluster = fields.required("kubernetes")?;
    let cluster = Fields::of(cluster.node, &cluster.place, &["context"])?;
    let context = cluster
        .optional("context")
        .map(|at| at.text().map(str::to_owned))
        .transpose()?;
    Ok(Target::Kubernetes { context })
}

/// RFC 1123 label, as Kubernetes wants it for namespaces.
pub(super) fn is_dns_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
