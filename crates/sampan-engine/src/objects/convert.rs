//! Objects that are served in several forms, and stored in one: events of two groups, autoscalers of two versions.

mod autoscaler;
mod event;

use serde_json::Value;

use crate::resources::Resource;

/// Turns an object of this resource into the form in which it is stored.
pub(super) fn to_stored(resource: &Resource, object: &mut Value) {
    if resource.is_stored_form() {
        return;
    }
    match resource.kind {
        "Event" => event::to_core_group(object),
        "HorizontalPodAutoscaler" => autoscaler::to_version2(object),
        _ => {}
    }
}

/// Turns a stored object into the form of this resource.
pub(super) fn from_stored(resource: &Resource, object: &mut Value) {
    if resource.custom.is_some() {
        // All versions have the same fields.
        object["apiVersion"] = resource.api_version().into();
        return;
    }
    if resource.is_stored_form() {
        return;
    }
    match resource.kind {
        "Event" => event::to_events_group(object),
        "HorizontalPodAutoscaler" => autoscaler::to_version1(object),
        _ => {}
    }
}
