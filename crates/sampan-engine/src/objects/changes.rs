//! Telling controllers that an object has changed.

use std::collections::BTreeMap;

use sampan_store::objects::{ChangeKind, Recent, RecentEvent};
use serde::Deserialize;

use super::Objects;
use crate::custom::Kinds;
use crate::resources::Resource;

/// An object has changed, been created or removed. It says which, not how: look at what is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The kind, such as `Pod`.
    pub kind: &'static str,
    /// Its row in the table of resources.
    pub resource: &'static Resource,
    /// The namespace, `None` for objects outside of namespaces.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The identity that no other object ever has.
    pub uid: String,
    /// Kind and name of the controller that owns it.
    pub owner: Option<(String, String)>,
    /// The labels after the change; when removed, the last ones.
    pub labels: BTreeMap<String, String>,
    /// Whether it is gone.
    pub deleted: bool,
    /// Whether it is on its way out (`deletionTimestamp` is set).
    pub terminating: bool,
    /// Whether it takes up nothing any more: it is gone, or a pod whose containers have ended for good.
    pub ended: bool,
}

/// What a controller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An object has changed.
    Changed(Box<Change>),
    /// Some changes were missed; look at everything.
    Resync,
    /// There will be no more changes.
    Closed,
}

/// The changes from now on; see [`Objects::changes`].
#[derive(Debug)]
pub struct Changes {
    recent: Option<Recent>,
    kinds: Kinds,
}

impl Objects {
    /// Follows all changes from now on. A reader that is too slow gets [`Event::Resync`].
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes {
            recent: self.inner.rows.recent().ok(),
            kinds: self.kinds().clone(),
        }
    }
}

impl Changes {
    /// The next event. May be dropped while waiting.
    pub async fn next(&mut self) -> Event {
        let Some(recent) = &mut self.recent else {
            return Event::Closed;
        };
        loop {
            match recent.next().await {
                RecentEvent::Changed(change) => match describe(&self.kinds, &change) {
                    Some(Ok(change)) => return Event::Changed(Box::new(change)),
                    Some(Err(error)) => {
                        tracing::error!(%error, key = %change.row.key, "cannot read a changed object");
                    }
                    // Rows of resources that this version no longer serves concern nobody.
                    None => {}
                },
                RecentEvent::Missed => return Event::Resync,
                RecentEvent::Closed => return Event::Closed,
            }
        }
    }
}

/// What is read of the body.
#[derive(Deserialize)]
struct Head {
    metadata: Meta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    owner_references: Vec<Owner>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

fn describe(
    kinds: &Kinds,
    change: &sampan_store::objects::Change,
) -> Option<Result<Change, serde_json::Error>> {
    let key = &change.row.key;
    let resource = kinds.stored(&key.group, &key.resource)?;
    let head: Head = match serde_json::from_str(&change.row.body) {
        Ok(head) => head,
        Err(error) => return Some(Err(error)),
    };
    let owner = head
        .metadata
        .owner_references
        .into_iter()
        .find(|owner| owner.controller)
        .map(|owner| (owner.kind, owner.name));
    Some(Ok(Change {
        kind: resource.kind,
        resource,
        namespace: (!key.namespace.is_empty()).then(|| key.namespace.clone()),
        name: key.name.clone(),
        uid: head.metadata.uid,
        owner,
        labels: head.metadata.labels,
        deleted: change.kind == ChangeKind::Deleted,
        terminating: head.metadata.deletion_timestamp.is_some(),
        ended: change.kind == ChangeKind::Deleted
            || resource.kind == "Pod" && is_over(&change.row.body),
    }))
}

/// Whether a pod says that its containers have ended for good.
fn is_over(pod: &str) -> bool {
    #[derive(Deserialize)]
    struct Pod {
        status: Option<Status>,
    }
    #[derive(Deserialize)]
    struct Status {
        phase: Option<String>,
    }
    // What is not readable is told by whoever reads all of it.
    let phase = serde_json::from_str::<Pod>(pod).ok();
    let phase = phase.and_then(|pod| pod.status?.phase);
    matches!(phase.as_deref(), Some("Succeeded" | "Failed"))
}
