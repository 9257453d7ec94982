//! Events are shown by two groups: `v1`, as which they are stored, and `events.k8s.io/v1`, which gives some
//! fields other names.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_supervise::{Shutdown, clock};
use serde_json::{Map, Value};

use super::{DeleteOptions, ListRequest, Objects, metadata};
use crate::error::Error;
use crate::resources;

/// Field names of `v1` and what `events.k8s.io/v1` calls them.
const NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Turns a `v1` event into one of `events.k8s.io/v1`.
pub(super) fn to_events_group(event: &mut Value) {
    let object = metadata::map(event);
    for (core, events) in NAMES {
        rename(object, core, events);
    }
    object.insert("apiVersion".to_owned(), "events.k8s.io/v1".into());
}

/// Turns an event of `events.k8s.io/v1` into one of `v1`.
pub(super) fn to_core_group(event: &mut Value) {
    let object = metadata::map(event);
    for (core, events) in NAMES {
        rename(object, events, core);
    }
    object.insert("apiVersion".to_owned(), "v1".into());
}

fn rename(object: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = object.remove(from) {
        object.insert(to.to_owned(), value);
    }
}

/// How long events are kept, and how often it is looked for older ones.
const KEEP: SignedDuration = SignedDuration::from_hours(1);
const LOOK_EVERY: Duration = Duration::from_mins(10);

/// Removes old events until the shutdown.
pub async fn expire_events(objects: Objects, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.triggered() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = expire(&objects).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot remove old events"
            );
        }
    }
}

async fn expire(objects: &Objects) -> Result<(), Error> {
    let events = resources::find("", "v1", "events").ok_or(Error::NoSuchResource)?;
    let list = objects.list_values(events, &ListRequest::default()).await?;
    let oldest = clock::now().checked_sub(KEEP).unwrap_or(Timestamp::MIN);
    for event in &list.items {
        if last_seen(event).is_some_and(|time| time >= oldest) {
            continue;
        }
        let namespace = metadata::text(event, "namespace");
        let name = metadata::text(event, "name").unwrap_or_default();
        match objects
            .delete_value(events, namespace, name, &DeleteOptions::default())
            .await
        {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// When something like the event was last seen.
fn last_seen(event: &Value) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/metadata/creationTimestamp",
    ]
    .into_iter()
    .filter_map(|path| event.pointer(path)?.as_str()?.parse().ok())
    .max()
}
