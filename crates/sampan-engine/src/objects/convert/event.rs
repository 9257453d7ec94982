//! Events are shown by two groups: `v1`, as which they are stored, and `events.k8s.io/v1`, which gives some
//! fields other names.

use serde_json::{Map, Value};

use crate::objects::metadata;

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
