//! Collecting objects whose owners are gone, and ending owners that wait for their dependents.
//!
//! The collector looks at owner references only. A pass reads every object that has some and compares them with
//! the identities that exist, so it also repairs what a kill has left behind; it runs at the start and whenever
//! an object is removed or marked that may have dependents.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt;
use sampan_store::objects::Revision;
use sampan_supervise::{Backoff, Shutdown};
use serde_json::Value;
use tokio::time::Instant;

use super::delete::{FOREGROUND, ORPHAN};
use super::{
    Changes, DeleteOptions, Event, ListRequest, Objects, Preconditions, Propagation, WriteOptions,
    metadata,
};
use crate::error::Error;
use crate::resources::Resource;

/// Changes that follow each other closely are looked at in one pass.
const PAUSE: Duration = Duration::from_millis(20);
/// How long is waited after a pass that failed, at first and at most.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// How often the lists of a pass are read anew because history went on too fast.
const READS: usize = 3;

/// An object, as far as the collector cares.
#[derive(Debug)]
struct Node {
    resource: &'static Resource,
    namespace: Option<String>,
    name: String,
    uid: String,
    owners: Vec<Owner>,
    terminating: bool,
    foreground: bool,
    orphan: bool,
}

/// One owner reference.
#[derive(Debug)]
struct Owner {
    uid: String,
    blocks: bool,
}

impl Node {
    fn of(resource: &'static Resource, object: &Value) -> Self {
        let text = |field| metadata::text(object, field).map(str::to_owned);
        let references = object
            .pointer("/metadata/ownerReferences")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let finalizers = metadata::finalizers(object);
        Self {
            resource,
            namespace: text("namespace"),
            name: text("name").unwrap_or_default(),
            uid: text("uid").unwrap_or_default(),
            owners: references
                .map(|reference| Owner {
                    uid: reference["uid"].as_str().unwrap_or_default().to_owned(),
                    blocks: reference["blockOwnerDeletion"].as_bool().unwrap_or(false),
                })
                .collect(),
            terminating: metadata::is_terminating(object),
            foreground: finalizers.contains(&FOREGROUND),
            orphan: finalizers.contains(&ORPHAN),
        }
    }

    fn deletes_first(&self) -> bool {
        self.terminating && self.foreground
    }

    fn lets_go(&self) -> bool {
        self.terminating && self.orphan
    }
}

/// Collects until the shutdown.
pub async fn collect_garbage(objects: Objects, shutdown: Shutdown) {
    let mut changes = objects.changes();
    let mut due = true;
    let mut delays = Backoff::new(RETRY.0, RETRY.1);
    let mut retry_at = None;
    loop {
        if due {
            retry_at = if pass(&objects).await {
                delays.reset();
                None
            } else {
                Some(Instant::now() + delays.next_delay())
            };
        }
        due = tokio::select! {
            () = shutdown.triggered() => return,
            () = moment(retry_at) => true,
            event = changes.next() => match event {
                Event::Closed => return,
                Event::Resync => true,
                Event::Changed(change) => matters(&change),
            },
        };
        if due && !settle(&mut changes, &shutdown).await {
            return;
        }
    }
}

/// Waits for a moment, or for ever.
pub(super) async fn moment(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits a little and takes all changes that have come meanwhile: they are covered by the same pass. Returns
/// whether there is more to come.
async fn settle(changes: &mut Changes, shutdown: &Shutdown) -> bool {
    tokio::select! {
        () = shutdown.triggered() => return false,
        () = tokio::time::sleep(PAUSE) => {}
    }
    while let Some(event) = changes.next().now_or_never() {
        if event == Event::Closed {
            return false;
        }
    }
    true
}

/// Whether a change may leave garbage or let an owner end. Events neither own nor are owned.
fn matters(change: &super::Change) -> bool {
    change.kind != "Event" && (change.deleted || change.terminating)
}

/// Looks at all objects; tells whether all that was to be done has been done. What fails with one object keeps
/// nobody from the others.
async fn pass(objects: &Objects) -> bool {
    let nodes = match read(objects).await {
        Ok(nodes) => nodes,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot collect garbage"
            );
            return false;
        }
    };
    let mut complete = true;
    let mut note = |node: &Node, outcome: Result<(), Error>| {
        if let Err(error) = outcome {
            complete = false;
            tracing::warn!(
                kind = node.resource.kind,
                namespace = node.namespace,
                name = node.name,
                error = &error as &dyn std::error::Error,
                "cannot collect an object"
            );
        }
    };
    let by_uid: HashMap<&str, &Node> = nodes.iter().map(|node| (node.uid.as_str(), node)).collect();
    for node in nodes.iter().filter(|node| !node.owners.is_empty()) {
        note(node, tend(objects, node, &by_uid).await);
    }
    for owner in nodes
        .iter()
        .filter(|node| node.deletes_first() || node.lets_go())
    {
        let dependents = nodes
            .iter()
            .filter(|node| node.owners.iter().any(|one| one.uid == owner.uid));
        let blocked = dependents
            .flat_map(|node| &node.owners)
            .any(|reference| reference.uid == owner.uid && reference.blocks);
        if owner.lets_go() {
            note(owner, release(objects, owner, ORPHAN).await);
        } else if !blocked {
            note(owner, release(objects, owner, FOREGROUND).await);
        }
    }
    complete
}

/// Deletes a dependent, or frees it from owners that let it go.
async fn tend(objects: &Objects, node: &Node, by_uid: &HashMap<&str, &Node>) -> Result<(), Error> {
    let owner = |reference: &Owner| by_uid.get(reference.uid.as_str()).copied();
    let freed: Vec<&str> = node
        .owners
        .iter()
        .filter(|reference| owner(reference).is_some_and(Node::lets_go))
        .map(|reference| reference.uid.as_str())
        .collect();
    if !freed.is_empty() {
        return disown(objects, node, &freed).await;
    }
    let holds = |reference: &Owner| owner(reference).is_some_and(|owner| !owner.deletes_first());
    if node.owners.iter().any(holds) || node.terminating {
        return Ok(());
    }
    let waits = node
        .owners
        .iter()
        .any(|reference| owner(reference).is_some());
    let has_dependents = by_uid.values().any(|other| {
        other
            .owners
            .iter()
            .any(|reference| reference.uid == node.uid)
    });
    let propagation = if waits && has_dependents {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    let options = DeleteOptions {
        propagation: Some(propagation),
        preconditions: Preconditions {
            uid: Some(node.uid.clone()),
            resource_version: None,
        },
        ..DeleteOptions::default()
    };
    let deleted = objects
        .delete_value(
            node.resource,
            node.namespace.as_deref(),
            &node.name,
            &options,
        )
        .await;
    gone_is_fine(deleted.map(drop))
}

/// Removes references to owners that are deleted without their dependents.
async fn disown(objects: &Objects, node: &Node, owners: &[&str]) -> Result<(), Error> {
    change(objects, node, |object| {
        let metadata = metadata::of(object);
        if let Some(Value::Array(references)) = metadata.get_mut("ownerReferences") {
            references.retain(|reference| {
                reference["uid"]
                    .as_str()
                    .is_none_or(|uid| !owners.contains(&uid))
            });
            if references.is_empty() {
                metadata.remove("ownerReferences");
            }
        }
    })
    .await
}

async fn release(objects: &Objects, node: &Node, finalizer: &str) -> Result<(), Error> {
    change(objects, node, |object| {
        metadata::remove_finalizer(object, finalizer);
    })
    .await
}

async fn change(
    objects: &Objects,
    node: &Node,
    edit: impl Fn(&mut Value) + Send + Sync,
) -> Result<(), Error> {
    let options = WriteOptions::engine();
    let changed = objects
        .update_value(
            node.resource,
            node.namespace.as_deref(),
            &node.name,
            &options,
            |current| {
                let mut wanted = current.clone();
                edit(&mut wanted);
                Ok(wanted)
            },
        )
        .await;
    gone_is_fine(changed.map(drop))
}

/// What somebody else has removed or replaced meanwhile needs no collecting.
fn gone_is_fine(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
        outcome => outcome,
    }
}

/// All objects as they were at one revision: an owner that is missing among them did not exist, however long
/// the reading took.
async fn read(objects: &Objects) -> Result<Vec<Node>, Error> {
    for _ in 1..READS {
        match read_at(objects, objects.revision().await?).await {
            Err(Error::Expired(_)) => {}
            outcome => return outcome,
        }
    }
    read_at(objects, objects.revision().await?).await
}

async fn read_at(objects: &Objects, revision: Revision) -> Result<Vec<Node>, Error> {
    let request = ListRequest {
        at: Some(revision),
        ..ListRequest::default()
    };
    let mut nodes = Vec::new();
    for resource in objects.kinds().all() {
        if !resource.is_stored_form() || resource.kind == "Event" {
            continue;
        }
        let list = objects.list_values(resource, &request).await?;
        nodes.extend(list.items.iter().map(|object| Node::of(resource, object)));
    }
    Ok(nodes)
}
