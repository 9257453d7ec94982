//! The rows of what makes pods.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{
    ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet,
};
use k8s_openapi::api::core::v1::{PodTemplate, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::network::labels;
use super::{AGE, Column, NAME, age, number, or_none, read, text, wide};

pub(super) const CONTAINERS: Column = wide("Containers");
pub(super) const IMAGES: Column = wide("Images");
pub(super) const SELECTOR: Column = wide("Selector");

pub(super) const DEPLOYMENT: &[Column] = &[
    NAME,
    text("Ready"),
    text("Up-to-date"),
    text("Available"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn deployment(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let deployment: Deployment = read(object)?;
    let spec = deployment.spec.unwrap_or_default();
    let status = deployment.status.unwrap_or_default();
    let (names, images) = containers(&spec.template);
    let ready = status.ready_replicas.unwrap_or_default();
    Some(vec![
        deployment.metadata.name.clone().into(),
        format!("{ready}/{}", spec.replicas.unwrap_or_default()).into(),
        status.updated_replicas.unwrap_or_default().into(),
        status.available_replicas.unwrap_or_default().into(),
        age::of(&deployment.metadata, now).into(),
        names.into(),
        images.into(),
        selector(&spec.selector).into(),
    ])
}

pub(super) const REPLICA_SET: &[Column] = &[
    NAME,
    number("Desired"),
    number("Current"),
    number("Ready"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn replica_set(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let set: ReplicaSet = read(object)?;
    let spec = set.spec.unwrap_or_default();
    let status = set.status.unwrap_or_default();
    let (names, images) = containers(&spec.template.unwrap_or_default());
    Some(vec![
        set.metadata.name.clone().into(),
        spec.replicas.unwrap_or_default().into(),
        status.replicas.into(),
        status.ready_replicas.unwrap_or_default().into(),
        age::of(&set.metadata, now).into(),
        names.into(),
        images.into(),
        selector(&spec.selector).into(),
    ])
}

pub(super) const STATEFUL_SET: &[Column] = &[NAME, text("Ready"), AGE, CONTAINERS, IMAGES];

pub(super) fn stateful_set(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let set: StatefulSet = read(object)?;
    let spec = set.spec.unwrap_or_default();
    let ready = set
        .status
        .and_then(|status| status.ready_replicas)
        .unwrap_or_default();
    let (names, images) = containers(&spec.template);
    Some(vec![
        set.metadata.name.clone().into(),
        format!("{ready}/{}", spec.replicas.unwrap_or_default()).into(),
        age::of(&set.metadata, now).into(),
        names.into(),
        images.into(),
    ])
}

pub(super) const DAEMON_SET: &[Column] = &[
    NAME,
    number("Desired"),
    number("Current"),
    number("Ready"),
    number("Up-to-date"),
    number("Available"),
    text("Node Selector"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn daemon_set(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let set: DaemonSet = read(object)?;
    let spec = set.spec.unwrap_or_default();
    let status = set.status.unwrap_or_default();
    let (names, images) = containers(&spec.template);
    let nodes = spec.template.spec.and_then(|spec| spec.node_selector);
    Some(vec![
        set.metadata.name.clone().into(),
        status.desired_number_scheduled.into(),
        status.current_number_scheduled.into(),
        status.number_ready.into(),
        status.updated_number_scheduled.unwrap_or_default().into(),
        status.number_available.unwrap_or_default().into(),
        labels(nodes.as_ref()).into(),
        age::of(&set.metadata, now).into(),
        names.into(),
        images.into(),
        selector(&spec.selector).into(),
    ])
}

pub(super) const POD_TEMPLATE: &[Column] =
    &[NAME, text("Containers"), text("Images"), text("Pod Labels")];

pub(super) fn pod_template(object: &Value, _: Timestamp) -> Option<Vec<Value>> {
    let holder: PodTemplate = read(object)?;
    let template = holder.template.unwrap_or_default();
    let (names, images) = containers(&template);
    let own = template.metadata.and_then(|meta| meta.labels);
    Some(vec![
        holder.metadata.name.into(),
        names.into(),
        images.into(),
        labels(own.as_ref()).into(),
    ])
}

pub(super) const REVISION: &[Column] = &[NAME, text("Controller"), number("Revision"), AGE];

pub(super) fn revision(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let revision: ControllerRevision = read(object)?;
    let owners = revision.metadata.owner_references.iter().flatten();
    let controller = owners
        .into_iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| {
            let group = owner
                .api_version
                .split_once('/')
                .map_or("", |(group, _)| group);
            let kind = owner.kind.to_lowercase();
            if group.is_empty() {
                format!("{kind}/{}", owner.name)
            } else {
                format!("{kind}.{group}/{}", owner.name)
            }
        });
    Some(vec![
        revision.metadata.name.clone().into(),
        or_none(controller).into(),
        revision.revision.into(),
        age::of(&revision.metadata, now).into(),
    ])
}

/// The names and the images of the containers.
pub(super) fn containers(template: &PodTemplateSpec) -> (String, String) {
    let containers = template.spec.iter().flat_map(|spec| &spec.containers);
    let (names, images): (Vec<&str>, Vec<&str>) = containers
        .map(|container| {
            (
                container.name.as_str(),
                container.image.as_deref().unwrap_or_default(),
            )
        })
        .unzip();
    (names.join(","), images.join(","))
}

/// A selector as `-l` takes it.
pub(super) fn selector(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten();
    let mut parts: Vec<String> = equal.map(|(key, value)| format!("{key}={value}")).collect();
    for expression in selector.match_expressions.iter().flatten() {
        let key = &expression.key;
        let values = expression.values.as_deref().unwrap_or_default().join(",");
        parts.push(match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        });
    }
    if parts.is_empty() {
        labels(None)
    } else {
        parts.join(",")
    }
}
