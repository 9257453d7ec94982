//! To which environment an object belongs. The object itself says so, because others may bring theirs to the same cluster:
//! another environment of the app, from this machine or another.

use std::fmt;

use sampan_model::AppName;
use sampan_model::app::EnvironmentName;
use serde_json::{Map, Value};

use crate::manifests::ObjectId;
use crate::target::TargetError;

/// The annotation that names the app.
const APP: &str = "sampan.dev/app";
/// The annotation that names the environment.
const ENVIRONMENT: &str = "sampan.dev/environment";

/// An environment of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The app.
    pub app: String,
    /// The environment.
    pub environment: String,
}

impl Owner {
    pub(crate) fn new(app: &AppName, environment: &EnvironmentName) -> Self {
        Self {
            app: app.to_string(),
            environment: environment.to_string(),
        }
    }

    /// Whose a live object is; none where it does not say.
    fn of(live: &Value) -> Option<Self> {
        let annotations = live.pointer("/metadata/annotations")?;
        let text = |name: &str| Some(annotations.get(name)?.as_str()?.to_owned());
        Some(Self {
            app: text(APP)?,
            environment: text(ENVIRONMENT)?,
        })
    }

    /// Writes into an object whose it is. Pods of workloads do not say so, and thus are not started anew for it.
    pub(crate) fn mark(&self, body: &mut Value) {
        let Some(Value::Object(metadata)) = body.get_mut("metadata") else {
            return;
        };
        let annotations = metadata
            .entry("annotations")
            .or_insert_with(|| Value::Object(Map::new()));
        if annotations.is_null() {
            *annotations = Value::Object(Map::new());
        }
        if let Value::Object(annotations) = annotations {
            annotations.insert(APP.to_owned(), self.app.clone().into());
            annotations.insert(ENVIRONMENT.to_owned(), self.environment.clone().into());
        }
    }

    /// Whether a live object is another's. What says nothing of an owner may be taken over.
    pub(crate) fn is_other(&self, live: &Value) -> bool {
        Self::of(live).is_some_and(|owner| owner != *self)
    }

    /// Refuses to change what is another's.
    ///
    /// # Errors
    /// [`TargetError::Owned`].
    pub(crate) fn may_change(&self, id: &ObjectId, live: &Value) -> Result<(), TargetError> {
        match Self::of(live) {
            Some(owner) if owner != *self => Err(TargetError::Owned {
                object: id.to_string(),
                owner,
                environment: self.environment.clone(),
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment `{}` of {}", self.environment, self.app)
    }
}
