//! The four kinds of patch, and who owns which field afterwards.
//!
//! [`apply`] computes the object that a patch asks for; the caller then fills in the defaults,
//! validates the object, calls [`managed::record_update`] (not after a server-side apply, which
//! keeps the ownership itself) and stores it. A `metadata.resourceVersion` in the result that
//! differs from the current one is a precondition that failed: answer 409.

pub mod conflict;
mod fields;
pub mod managed;
mod server_side;
mod strategic;
mod typed;

use serde_json::Value;

use crate::error::{Cause, CauseReason, Error};
use crate::resources::Resource;
use crate::schema::Struct;
pub use conflict::Conflict;

/// How the body of a PATCH request is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// RFC 6902, `application/json-patch+json`.
    Json,
    /// RFC 7396, `application/merge-patch+json`.
    Merge,
    /// `application/strategic-merge-patch+json`.
    StrategicMerge,
    /// `application/apply-patch+yaml` (also as JSON, of which YAML is a superset).
    Apply,
}

impl PatchType {
    /// The type that a `Content-Type` header names; parameters after `;` are ignored.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::StrategicMerge),
            "application/apply-patch+yaml" | "application/apply-patch+json" => Some(Self::Apply),
            _ => None,
        }
    }

    /// The content types, as the body of a 415 answer lists them.
    pub const SUPPORTED: &str = "application/json-patch+json, \
        application/merge-patch+json, application/strategic-merge-patch+json, \
        application/apply-patch+yaml";
}

/// What is asked besides the body.
#[derive(Debug, Clone, Copy)]
pub struct PatchOptions<'a> {
    /// `fieldManager`; a server-side apply must name one.
    pub manager: &'a str,
    /// Whether a server-side apply takes fields over from others.
    pub force: bool,
    /// The subresource patched, for instance `status`.
    pub subresource: Option<&'a str>,
    /// Now, as RFC 3339 in whole seconds and UTC.
    pub time: &'a str,
}

/// Why a patch gives no object.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The patch cannot be read: 400, reason `BadRequest`.
    #[error("{message}")]
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// The patch can be read but not applied: 422, reason `Invalid`.
    #[error("the patch cannot be applied: {message}")]
    Rejected {
        /// What cannot be done.
        message: String,
    },
    /// Other managers own fields that the applied object changes: 409, reason `Conflict`.
    #[error("{}", conflict::message(conflicts))]
    Conflict {
        /// Each field with its owner; they become the causes of the status.
        conflicts: Vec<Conflict>,
    },
    /// The object to be patched does not exist and the patch cannot create it: 404.
    #[error("the object does not exist")]
    Missing,
}

impl PatchError {
    /// The answer of the API to a patch of this object.
    #[must_use]
    pub fn into_api(self, resource: &'static Resource, name: &str) -> Error {
        let name = name.to_owned();
        match self {
            Self::Malformed { message } => Error::BadRequest(message),
            Self::Missing => Error::NotFound { resource, name },
            Self::Rejected { message } => {
                let field = "patch".to_owned();
                let causes = vec![Cause {
                    reason: CauseReason::Invalid,
                    field,
                    message,
                }];
                Error::Invalid {
                    resource,
                    name,
                    causes,
                }
            }
            Self::Conflict { ref conflicts } => {
                let cause = |conflict: &Conflict| Cause {
                    reason: CauseReason::FieldManagerConflict,
                    field: conflict.field.clone(),
                    message: format!("conflict with {}", conflict.manager),
                };
                let causes = conflicts.iter().map(cause).collect();
                Error::ApplyConflict {
                    message: self.to_string(),
                    causes,
                }
            }
        }
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed {
            message: message.into(),
        }
    }

    fn rejected(message: impl Into<String>) -> Self {
        Self::Rejected {
            message: message.into(),
        }
    }
}

/// Applies a patch to the current object; only a server-side apply creates a missing one.
///
/// # Errors
/// When the patch is malformed, does not fit the object, or meets fields that others own.
pub fn apply(
    rules: &'static Struct,
    current: Option<&Value>,
    patch: &[u8],
    patch_type: PatchType,
    options: &PatchOptions<'_>,
) -> Result<Value, PatchError> {
    if patch_type == PatchType::Apply {
        let config = parse_applied(patch)?;
        return server_side::apply(rules, current, &config, options);
    }
    let mut object = current.cloned().ok_or(PatchError::Missing)?;
    match patch_type {
        PatchType::Json => {
            let patch: json_patch::Patch = serde_json::from_slice(patch)
                .map_err(|error| PatchError::malformed(format!("invalid JSON patch: {error}")))?;
            json_patch::patch(&mut object, &patch)
                .map_err(|error| PatchError::rejected(error.to_string()))?;
        }
        PatchType::Merge => json_patch::merge(&mut object, &parse_object(patch)?),
        PatchType::StrategicMerge => {
            let (Value::Object(original), Value::Object(patch)) =
                (&mut object, parse_object(patch)?)
            else {
                return Err(PatchError::malformed("the patch must be an object"));
            };
            strategic::merge(original, patch, rules)?;
        }
        PatchType::Apply => {}
    }
    Ok(object)
}

fn parse_object(patch: &[u8]) -> Result<Value, PatchError> {
    let patch: Value = serde_json::from_slice(patch)
        .map_err(|error| PatchError::malformed(format!("error decoding patch: {error}")))?;
    if patch.is_object() {
        Ok(patch)
    } else {
        Err(PatchError::malformed("the patch must be an object"))
    }
}

fn parse_applied(patch: &[u8]) -> Result<Value, PatchError> {
    let decoded = match patch.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => serde_json::from_slice(patch).map_err(|error| error.to_string()),
        _ => serde_saphyr::from_slice(patch).map_err(|error| error.to_string()),
    };
    match decoded {
        Ok(config @ Value::Object(_)) => Ok(config),
        Ok(_) => Err(PatchError::malformed(
            "error decoding YAML: the applied object must be a map",
        )),
        Err(error) => Err(PatchError::malformed(format!(
            "error decoding YAML: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests;
