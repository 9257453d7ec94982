//! Events are removed when they are old.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_supervise::{Shutdown, clock};
use serde_json::Value;

use super::{DeleteOptions, ListRequest, Objects, metadata};
use crate::error::Error;
use crate::resources;

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
