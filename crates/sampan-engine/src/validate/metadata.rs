//! The rules of `metadata`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::causes::{Causes, Path};
use super::names;
use crate::decode;
use crate::resources::Resource;

/// All annotations of an object together may have this size.
const MOST_ANNOTATION_BYTES: usize = 256 * 1024;

/// Checks the metadata of any object.
pub(super) fn check(resource: &Resource, object: &Value, old: Option<&Value>, causes: &mut Causes) {
    let read = |object: &Value| decode::object::<ObjectMeta>(object.get("metadata")?).ok();
    let Some(meta) = read(object) else { return };
    let path = Path::new("metadata");
    let name_path = path.child("name");
    match meta.name.as_deref() {
        None | Some("") => causes.required(&name_path, "name or generateName is required"),
        Some(name) => causes.complaints(&name_path, name, name_complaints(resource, name)),
    }
    labels(meta.labels.as_ref(), &path.child("labels"), causes);
    annotations(
        meta.annotations.as_ref(),
        &path.child("annotations"),
        causes,
    );
    for (index, owner) in meta.owner_references.iter().flatten().enumerate() {
        let path = path.child("ownerReferences").index(index);
        for (name, value) in [
            ("apiVersion", &owner.api_version),
            ("kind", &owner.kind),
            ("name", &owner.name),
            ("uid", &owner.uid),
        ] {
            if value.is_empty() {
                causes.invalid(
                    &path.child(name),
                    value,
                    &format!("{name} must not be empty"),
                );
            }
        }
    }
    for (index, finalizer) in meta.finalizers.iter().flatten().enumerate() {
        let path = path.child("finalizers").index(index);
        causes.complaints(&path, finalizer, names::qualified_name(finalizer));
    }
    if let Some(old) = old.and_then(read) {
        causes.unchanged(&name_path, &meta.name, &old.name);
        causes.unchanged(&path.child("namespace"), &meta.namespace, &old.namespace);
        if meta.uid.is_some() {
            causes.unchanged(&path.child("uid"), &meta.uid, &old.uid);
        }
    }
}

/// What is wrong with the name of an object of this resource.
fn name_complaints(resource: &Resource, name: &str) -> Vec<String> {
    match (resource.group, resource.kind) {
        ("", "Service") => names::dns_1035_label(name),
        ("", "Namespace") => names::dns_label(name),
        ("rbac.authorization.k8s.io", _) => names::path_segment(name),
        _ => names::dns_subdomain(name),
    }
}

/// Checks labels, of an object or of a template.
pub(super) fn labels(labels: Option<&BTreeMap<String, String>>, path: &Path, causes: &mut Causes) {
    for (key, value) in labels.into_iter().flatten() {
        causes.complaints(path, key, names::qualified_name(key));
        causes.complaints(path, value, names::label_value(value));
    }
}

/// Checks annotations, of an object or of a template.
pub(super) fn annotations(
    annotations: Option<&BTreeMap<String, String>>,
    path: &Path,
    causes: &mut Causes,
) {
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        causes.complaints(path, key, names::qualified_name(&key.to_lowercase()));
        size += key.len() + value.len();
    }
    if size > MOST_ANNOTATION_BYTES {
        causes.too_long(path, MOST_ANNOTATION_BYTES);
    }
}
