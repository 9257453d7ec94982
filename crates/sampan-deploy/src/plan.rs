//! What a rollout would change, before it changes anything.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::desired::Desired;
use crate::hook::{Event, Hook, Occasion};
use crate::manifests::{Object, ObjectId};
use crate::owner::Owner;
use crate::target::{self, Cluster, TargetError};

mod difference;
pub(crate) mod renewal;

pub use difference::FieldChange;

/// All changes of a rollout, in the order in which they would be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// One entry for each object.
    pub changes: Vec<Change>,
    /// What would be made before and after that, and waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<PlannedHook>,
}

/// A hook that would be carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedHook {
    /// When.
    pub event: Event,
    /// What it makes.
    pub object: ObjectId,
}

/// What would happen to one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The object.
    pub object: ObjectId,
    /// What would happen.
    pub action: Action,
    /// What would be different, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// What would happen to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there and differs.
    Change,
    /// It is as it shall be.
    Keep,
    /// It is a job that cannot become what it shall be: it is deleted, also while it runs, and made anew.
    Replace,
    /// The previous release had it and this one has not.
    Delete,
    /// As [`Delete`](Self::Delete), but it holds data or asks to be kept, and stays until somebody deletes it by hand.
    Retain,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Keep => "keep",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Retain => "retain",
        })
    }
}

impl Plan {
    /// Compares what shall be with what is. The target itself says what each object would become, so that its
    /// defaults make no difference and its refusals come before the first change.
    ///
    /// # Errors
    /// [`TargetError`] when the target refuses an object or does not answer, or an object is another environment's.
    pub async fn make(
        cluster: &Cluster,
        desired: &Desired,
        earlier: &[ObjectId],
        occasion: Occasion,
    ) -> Result<Self, TargetError> {
        let owner = desired.owner();
        let mut changes = Vec::new();
        // Namespaces that the rollout makes before it makes anything in them.
        let mut fresh = BTreeSet::new();
        for object in namespaces_missing(cluster, desired).await? {
            fresh.insert(object.id.name.clone());
            changes.push(Change {
                object: object.id,
                action: Action::Create,
                fields: Vec::new(),
            });
        }
        for object in &desired.objects {
            let change = match change(cluster, object, &owner, &fresh).await {
                // The rollout makes the definition first.
                Err(TargetError::UnknownKind { .. }) if desired.defines(&object.id) => Change {
                    object: object.id.clone(),
                    action: Action::Create,
                    fields: Vec::new(),
                },
                change => change?,
            };
            if object.id.kind == "Namespace" && change.action == Action::Create {
                fresh.insert(object.id.name.clone());
            }
            changes.push(change);
        }
        for id in superfluous(desired, earlier) {
            let live = cluster.get(&id).await?;
            if let Some(live) = live.filter(|live| !owner.is_other(live)) {
                let action = if stays(&id, &live) {
                    Action::Retain
                } else {
                    Action::Delete
                };
                changes.push(Change {
                    object: id,
                    action,
                    fields: Vec::new(),
                });
            }
        }
        let mut hooks = Vec::new();
        for event in [occasion.before(), occasion.after()] {
            for hook in desired.hooks_of(event) {
                try_hook(cluster, hook, &fresh).await?;
                hooks.push(PlannedHook {
                    event,
                    object: hook.object.id.clone(),
                });
            }
        }
        Ok(Self { changes, hooks })
    }

    /// Whether nothing would happen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes
            .iter()
            .all(|change| matches!(change.action, Action::Keep | Action::Retain))
    }

    /// How many objects would see this action.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    }
}

async fn change(
    cluster: &Cluster,
    object: &Object,
    owner: &Owner,
    fresh: &BTreeSet<String>,
) -> Result<Change, TargetError> {
    // What is being deleted is waited for, and then it is not there.
    let live = cluster.get(&object.id).await?;
    let live = live.filter(|live| !target::is_ending(live));
    if object.unless_there && live.is_some() {
        return Ok(Change {
            object: object.id.clone(),
            action: Action::Keep,
            fields: Vec::new(),
        });
    }
    if let Some(live) = &live {
        owner.may_change(&object.id, live)?;
    }
    let is_early = is_early(object, fresh);
    let next = match renewal::try_apply(cluster, object, live.as_ref()).await {
        // Where the namespace is yet to be made, a good object is only refused for that.
        Err(TargetError::Refused { code: 404, .. }) if is_early => None,
        tried => Some(tried?),
    };
    let (action, fields) = match (live, next) {
        (Some(live), Some(next)) => next.action(&live),
        _ => (Action::Create, Vec::new()),
    };
    Ok(Change {
        object: object.id.clone(),
        action,
        fields,
    })
}

/// Whether an object goes to a namespace that is yet to be made.
fn is_early(object: &Object, fresh: &BTreeSet<String>) -> bool {
    let namespace = object.id.namespace.as_ref();
    namespace.is_some_and(|name| fresh.contains(name))
}

/// Lets the target refuse a hook before anything is changed; what is there of an earlier run says nothing about it.
async fn try_hook(
    cluster: &Cluster,
    hook: &Hook,
    fresh: &BTreeSet<String>,
) -> Result<(), TargetError> {
    let object = &hook.object;
    if is_early(object, fresh) || cluster.get(&object.id).await?.is_some() {
        return Ok(());
    }
    cluster.apply(object, true).await.map(drop)
}

/// The namespaces that must be made first, because they are not there and no manifest describes them.
pub(crate) async fn namespaces_missing(
    cluster: &Cluster,
    desired: &Desired,
) -> Result<Vec<Object>, TargetError> {
    let mut missing = Vec::new();
    if desired.removed {
        return Ok(missing);
    }
    for name in std::iter::once(&desired.namespace).chain(&desired.namespaces) {
        let object = namespace_object(name);
        let described = desired
            .objects
            .iter()
            .any(|known| known.id.same_object(&object.id));
        if !described && cluster.get(&object.id).await?.is_none() {
            missing.push(object);
        }
    }
    Ok(missing)
}

fn namespace_object(name: &str) -> Object {
    let id = ObjectId {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: name.to_owned(),
    };
    let body = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "sampan"}},
    });
    Object {
        id,
        location: "the environment's namespace".to_owned(),
        body,
        unless_there: false,
    }
}

/// What was there before and is not described any more, last applied first.
pub(crate) fn superfluous(desired: &Desired, earlier: &[ObjectId]) -> Vec<ObjectId> {
    let mut gone: Vec<ObjectId> = Vec::new();
    for id in earlier {
        let hooks = desired.hooks.iter().map(|hook| &hook.object);
        let mut objects = desired.objects.iter().chain(hooks);
        let described = objects.any(|object| object.id.same_object(id));
        if !described && !gone.iter().any(|known| known.same_object(id)) {
            gone.push(id.clone());
        }
    }
    gone.reverse();
    gone
}

/// Whether an object is left alone that no release describes any more.
pub(crate) fn stays(id: &ObjectId, live: &Value) -> bool {
    let policy = live.pointer("/metadata/annotations/helm.sh~1resource-policy");
    holds_data(id) || policy.and_then(Value::as_str) == Some("keep")
}

/// Whether deleting the object may destroy what no release can bring back.
pub(crate) fn holds_data(id: &ObjectId) -> bool {
    matches!(
        id.kind.as_str(),
        "Namespace" | "PersistentVolumeClaim" | "PersistentVolume" | "CustomResourceDefinition"
    )
}
