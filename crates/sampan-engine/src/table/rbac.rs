//! The rows of role bindings; roles have those of any object.

use jiff::Timestamp;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef, Subject};
use serde_json::Value;

use super::{AGE, Column, NAME, age, read, text, wide};

pub(super) const BINDING: &[Column] = &[
    NAME,
    text("Role"),
    AGE,
    wide("Users"),
    wide("Groups"),
    wide("ServiceAccounts"),
];

pub(super) fn role_binding(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let binding: RoleBinding = read(object)?;
    let age = age::of(&binding.metadata, now);
    Some(row(
        binding.metadata.name,
        &binding.role_ref,
        age,
        binding.subjects.as_deref(),
    ))
}

pub(super) fn cluster_role_binding(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let binding: ClusterRoleBinding = read(object)?;
    let age = age::of(&binding.metadata, now);
    Some(row(
        binding.metadata.name,
        &binding.role_ref,
        age,
        binding.subjects.as_deref(),
    ))
}

fn row(
    name: Option<String>,
    role: &RoleRef,
    age: String,
    subjects: Option<&[Subject]>,
) -> Vec<Value> {
    let named = |kind: &str| {
        let subjects = subjects.unwrap_or_default().iter();
        let names: Vec<String> = subjects
            .filter(|subject| subject.kind == kind)
            .map(|subject| match &subject.namespace {
                Some(namespace) if kind == "ServiceAccount" => {
                    format!("{namespace}/{}", subject.name)
                }
                _ => subject.name.clone(),
            })
            .collect();
        Value::from(names.join(", "))
    };
    vec![
        name.into(),
        format!("{}/{}", role.kind, role.name).into(),
        age.into(),
        named("User"),
        named("Group"),
        named("ServiceAccount"),
    ]
}
