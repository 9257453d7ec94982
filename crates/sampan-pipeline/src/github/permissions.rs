//! `permissions`: what the token of a run may do.
//!
//! Sampan gives runs no token of a forge, so that all of this is granted least of all; it is read so that slips are found.

use sampan_model::nearest;
use sampan_model::yaml::{Content, Node};

use super::field;
use crate::PipelineError;
use crate::read::Fields;

/// What a token may do with one kind of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// Look.
    Read,
    /// Look and change.
    Write,
}

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    /// The same with everything.
    All(Access),
    /// What is named; nothing else.
    Each(Vec<(String, Access)>),
}

const NAMES: [&str; 20] = [
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "code-quality",
    "contents",
    "copilot-requests",
    "deployments",
    "discussions",
    "drives",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
    "vulnerability-alerts",
];

pub(super) fn read(node: &Node, what: &str) -> Result<Permissions, PipelineError> {
    if !matches!(node.content, Content::Mapping(_)) {
        let text = field::plain(node, what)?;
        return match &*text {
            "read-all" => Ok(Permissions::All(Access::Read)),
            "write-all" => Ok(Permissions::All(Access::Write)),
            _ => Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: what.to_owned(),
                value: text,
                hint: Some("write `read-all`, `write-all`, or a mapping".to_owned()),
            }),
        };
    }
    let mut permissions = Vec::new();
    for (key, node) in Fields::of(node, what)?.entries() {
        if !NAMES.contains(&&*key.name) {
            return Err(PipelineError::UnknownKey {
                location: key.location.clone(),
                within: what.to_owned(),
                key: key.name.clone(),
                nearest: nearest(&key.name, NAMES).map(str::to_owned),
            });
        }
        let value = field::plain(node, what)?;
        let access = match &*value {
            "read" => Access::Read,
            "write" => Access::Write,
            "none" => Access::None,
            _ => {
                return Err(PipelineError::InvalidValue {
                    location: node.location.clone(),
                    what: format!("value for `{}` of {what}", key.name),
                    value,
                    hint: Some("it is read, write or none".to_owned()),
                });
            }
        };
        permissions.push((key.name.clone(), access));
    }
    Ok(Permissions::Each(permissions))
}
