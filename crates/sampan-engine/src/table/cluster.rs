//! The rows of what belongs to the cluster, and of what happens in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Namespace, Node, NodeStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde_json::Value;

use super::{AGE, Column, NAME, age, or_none, read, text, wide};

pub(super) const NAMESPACE: &[Column] = &[NAME, text("Status"), AGE];

pub(super) fn namespace(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let namespace: Namespace = read(object)?;
    let phase = namespace
        .status
        .and_then(|status| status.phase)
        .unwrap_or_default();
    Some(vec![
        namespace.metadata.name.clone().into(),
        phase.into(),
        age::of(&namespace.metadata, now).into(),
    ])
}

pub(super) const NODE: &[Column] = &[
    NAME,
    text("Status"),
    text("Roles"),
    AGE,
    text("Version"),
    wide("Internal-IP"),
    wide("External-IP"),
    wide("OS-Image"),
    wide("Kernel-Version"),
    wide("Container-Runtime"),
];

pub(super) fn node(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let node: Node = read(object)?;
    let status = node.status.unwrap_or_default();
    let ready = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "Ready");
    let mut state = match ready.map(|condition| condition.status.as_str()) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node
        .spec
        .is_some_and(|spec| spec.unschedulable == Some(true))
    {
        state.push_str(",SchedulingDisabled");
    }
    let info = status.node_info.clone().unwrap_or_default();
    let known = |text: String| {
        if text.is_empty() {
            "<unknown>".to_owned()
        } else {
            text
        }
    };
    Some(vec![
        node.metadata.name.clone().into(),
        state.into(),
        or_none(Some(roles(&node.metadata))).into(),
        age::of(&node.metadata, now).into(),
        info.kubelet_version.into(),
        address(&status, "InternalIP").into(),
        address(&status, "ExternalIP").into(),
        known(info.os_image).into(),
        known(info.kernel_version).into(),
        known(info.container_runtime_version).into(),
    ])
}

fn roles(metadata: &ObjectMeta) -> String {
    let labels = metadata.labels.iter().flatten();
    let roles: BTreeSet<&str> = labels
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role),
                None => (key == "kubernetes.io/role").then_some(value.as_str()),
            },
        )
        .filter(|role| !role.is_empty())
        .collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address(status: &NodeStatus, kind: &str) -> String {
    let mut addresses = status.addresses.iter().flatten();
    or_none(
        addresses
            .find(|address| address.type_ == kind)
            .map(|found| found.address.clone()),
    )
}

pub(super) const EVENT: &[Column] = &[
    text("Last Seen"),
    text("Type"),
    text("Reason"),
    text("Object"),
    wide("Subobject"),
    wide("Source"),
    text("Message"),
    wide("First Seen"),
    wide("Count"),
    Column {
        priority: 1,
        ..NAME
    },
];

pub(super) fn event(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let Some(event) = read::<Event>(object).filter(|_| object.get("involvedObject").is_some())
    else {
        return event_of_new_group(object, now);
    };
    let created = event.event_time.as_ref().map(|time| Time(time.0));
    let series = event.series.as_ref();
    let last = series
        .and_then(|series| series.last_observed_time.as_ref().map(|time| Time(time.0)))
        .or_else(|| event.last_timestamp.clone())
        .or_else(|| created.clone());
    let first = event.first_timestamp.clone().or(created);
    let count = series
        .and_then(|series| series.count)
        .or(event.count)
        .filter(|&count| count > 0);
    let about = &event.involved_object;
    let kind = about.kind.as_deref().unwrap_or_default().to_lowercase();
    let source = event.source.clone().unwrap_or_default();
    let component = source
        .component
        .or(event.reporting_component)
        .unwrap_or_default();
    let host = source
        .host
        .or(event.reporting_instance)
        .filter(|host| !host.is_empty());
    Some(vec![
        age::since(last.as_ref(), now).into(),
        event.type_.unwrap_or_default().into(),
        event.reason.unwrap_or_default().into(),
        format!("{kind}/{}", about.name.as_deref().unwrap_or_default()).into(),
        about.field_path.clone().unwrap_or_default().into(),
        host.map_or_else(|| component.clone(), |host| format!("{component}, {host}"))
            .into(),
        event.message.unwrap_or_default().trim().into(),
        age::since(first.as_ref(), now).into(),
        count.unwrap_or(1).into(),
        event.metadata.name.clone().into(),
    ])
}

/// The same of an event of the group `events.k8s.io`, which has other names for the same things.
fn event_of_new_group(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let mut object = object.clone();
    let fields = object.as_object_mut()?;
    for (new, old) in [
        ("regarding", "involvedObject"),
        ("note", "message"),
        ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
        ("reportingController", "reportingComponent"),
    ] {
        if let Some(value) = fields.remove(new) {
            fields.insert(old.to_owned(), value);
        }
    }
    fields.get("involvedObject")?;
    event(&object, now)
}

pub(super) const LEASE: &[Column] = &[NAME, text("Holder"), AGE];

pub(super) fn lease(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let lease: Lease = read(object)?;
    let holder = lease
        .spec
        .and_then(|spec| spec.holder_identity)
        .unwrap_or_default();
    Some(vec![
        lease.metadata.name.clone().into(),
        holder.into(),
        age::of(&lease.metadata, now).into(),
    ])
}
