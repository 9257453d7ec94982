//! The rows of volumes, their claims and classes.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::Value;

use super::{AGE, Column, NAME, age, column, read, text, wide};

const TERMINATING: &str = "Terminating";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

pub(super) const CLAIM: &[Column] = &[
    NAME,
    text("Status"),
    text("Volume"),
    text("Capacity"),
    text("Access Modes"),
    text("StorageClass"),
    text("VolumeAttributesClass"),
    AGE,
    wide("VolumeMode"),
];

pub(super) fn claim(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let claim: PersistentVolumeClaim = read(object)?;
    let spec = claim.spec.unwrap_or_default();
    let status = claim.status.unwrap_or_default();
    let bound = spec
        .volume_name
        .as_ref()
        .is_some_and(|name| !name.is_empty());
    let capacity = status
        .capacity
        .as_ref()
        .and_then(|capacity| capacity.get("storage"));
    let phase = match claim.metadata.deletion_timestamp {
        Some(_) => TERMINATING.to_owned(),
        None => status.phase.unwrap_or_default(),
    };
    let attributes = spec
        .volume_attributes_class_name
        .unwrap_or_else(|| "<unset>".to_owned());
    Some(vec![
        claim.metadata.name.clone().into(),
        phase.into(),
        spec.volume_name.unwrap_or_default().into(),
        capacity
            .filter(|_| bound)
            .map_or_else(String::new, |size| size.0.clone())
            .into(),
        modes(status.access_modes.as_deref().filter(|_| bound)).into(),
        spec.storage_class_name.unwrap_or_default().into(),
        attributes.into(),
        age::of(&claim.metadata, now).into(),
        spec.volume_mode
            .unwrap_or_else(|| "<unset>".to_owned())
            .into(),
    ])
}

pub(super) const VOLUME: &[Column] = &[
    NAME,
    text("Capacity"),
    text("Access Modes"),
    text("Reclaim Policy"),
    text("Status"),
    text("Claim"),
    text("StorageClass"),
    text("VolumeAttributesClass"),
    text("Reason"),
    AGE,
    wide("VolumeMode"),
];

pub(super) fn volume(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let volume: PersistentVolume = read(object)?;
    let spec = volume.spec.unwrap_or_default();
    let status = volume.status.unwrap_or_default();
    let capacity = spec
        .capacity
        .as_ref()
        .and_then(|capacity| capacity.get("storage"));
    let claim = spec.claim_ref.as_ref().map(|claim| {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{}/{}", part(&claim.namespace), part(&claim.name))
    });
    let phase = match volume.metadata.deletion_timestamp {
        Some(_) => TERMINATING.to_owned(),
        None => status.phase.unwrap_or_default(),
    };
    Some(vec![
        volume.metadata.name.clone().into(),
        capacity
            .map_or_else(String::new, |size| size.0.clone())
            .into(),
        modes(spec.access_modes.as_deref()).into(),
        spec.persistent_volume_reclaim_policy
            .unwrap_or_default()
            .into(),
        phase.into(),
        claim.unwrap_or_default().into(),
        spec.storage_class_name.unwrap_or_default().into(),
        spec.volume_attributes_class_name
            .unwrap_or_else(|| "<unset>".to_owned())
            .into(),
        status.reason.unwrap_or_default().into(),
        age::of(&volume.metadata, now).into(),
        spec.volume_mode
            .unwrap_or_else(|| "<unset>".to_owned())
            .into(),
    ])
}

/// Access modes in their short form, in the order in which Kubernetes lists them.
fn modes(modes: Option<&[String]>) -> String {
    const SHORT: &[(&str, &str)] = &[
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let given = modes.unwrap_or_default();
    let known = SHORT
        .iter()
        .filter(|(name, _)| given.iter().any(|mode| mode == name));
    known.map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

pub(super) const CLASS: &[Column] = &[
    NAME,
    text("Provisioner"),
    text("ReclaimPolicy"),
    text("VolumeBindingMode"),
    column("AllowVolumeExpansion", "boolean"),
    AGE,
];

pub(super) fn class(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let class: StorageClass = read(object)?;
    let annotations = class.metadata.annotations.as_ref();
    let default = annotations
        .and_then(|all| all.get(DEFAULT_CLASS))
        .is_some_and(|on| on == "true");
    let mut name = class.metadata.name.clone().unwrap_or_default();
    if default {
        name.push_str(" (default)");
    }
    Some(vec![
        name.into(),
        class.provisioner.into(),
        class.reclaim_policy.unwrap_or_default().into(),
        class.volume_binding_mode.unwrap_or_default().into(),
        class.allow_volume_expansion.unwrap_or_default().into(),
        age::of(&class.metadata, now).into(),
    ])
}
