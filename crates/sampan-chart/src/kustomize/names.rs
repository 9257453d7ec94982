//! Names, namespaces and numbers of replicas.

use std::collections::HashSet;

use serde_json::Value;

use super::error::Error;
use super::kustomization::Replicas;
use super::path::{Make, walk};
use super::resource::{Id, Resource};

/// Moves all resources that can be in one into a namespace.
pub(super) fn namespace(namespace: &str, resources: &mut [Resource]) -> Result<(), Error> {
    if namespace.is_empty() {
        return Ok(());
    }
    for resource in resources.iter_mut() {
        resource.remember();
        let id = resource.id();
        if !id.is_cluster_scoped() {
            resource
                .metadata()
                .insert("namespace".to_owned(), namespace.into());
        }
        for (path, make) in fields(&id) {
            walk(&mut resource.value, path, make, &mut |value| {
                *value = namespace.into();
            });
        }
        if matches!(id.kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
            subjects(resource, namespace);
        }
    }
    let mut there = HashSet::new();
    for id in resources.iter().map(Resource::id) {
        if !there.insert(id.effective()) {
            let message = format!("namespace transformation produces ID conflict: {id}");
            return Err(Error::Invalid(message));
        }
    }
    Ok(())
}

/// Other fields that name the namespace.
fn fields(id: &Id) -> Vec<(&'static str, Make)> {
    match (id.group.as_str(), id.kind.as_str()) {
        ("", "Namespace") if id.version == "v1" => vec![("metadata/name", Make::Scalar)],
        ("apiregistration.k8s.io", "APIService") => vec![("spec/service/namespace", Make::Scalar)],
        ("apiextensions.k8s.io", "CustomResourceDefinition") => vec![(
            "spec/conversion/webhook/clientConfig/service/namespace",
            Make::Nothing,
        )],
        _ => Vec::new(),
    }
}

/// The account `default` is one of the namespace; of others it is not known.
fn subjects(resource: &mut Resource, namespace: &str) {
    let Some(Value::Array(subjects)) = resource.value.get_mut("subjects") else {
        return;
    };
    for subject in subjects.iter_mut().filter_map(Value::as_object_mut) {
        if subject.get("name").and_then(Value::as_str) == Some("default") {
            subject.insert("namespace".to_owned(), namespace.into());
        }
    }
}

/// Whether the name of a resource is none of its own making.
fn keeps_name(id: &Id) -> bool {
    match id.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => id.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// Puts a prefix before all names.
pub(super) fn prefix(prefix: &str, resources: &mut [Resource]) {
    if prefix.is_empty() {
        return;
    }
    for resource in resources {
        if keeps_name(&resource.original_id()) {
            continue;
        }
        resource.prefixes.push(prefix.to_owned());
        resource.remember();
        let name = format!("{prefix}{}", resource.id().name);
        resource.set_name(name);
    }
}

/// Puts a suffix behind all names.
pub(super) fn suffix(suffix: &str, resources: &mut [Resource]) {
    if suffix.is_empty() {
        return;
    }
    for resource in resources {
        if keeps_name(&resource.original_id()) {
            continue;
        }
        resource.suffixes.push(suffix.to_owned());
        resource.remember();
        let name = format!("{}{suffix}", resource.id().name);
        resource.set_name(name);
    }
}

/// Sets the number of replicas of the resources with a name.
pub(super) fn replicas(replicas: &Replicas, resources: &mut [Resource]) -> Result<(), Error> {
    let mut found = false;
    for resource in resources {
        let has_replicas = matches!(
            resource.id().kind.as_str(),
            "Deployment" | "ReplicationController" | "ReplicaSet" | "StatefulSet"
        );
        let ids = resource.all_ids();
        if has_replicas && ids.iter().any(|id| id.name == replicas.name) {
            found = true;
            let count = replicas.count;
            walk(
                &mut resource.value,
                "spec/replicas",
                Make::Scalar,
                &mut |value| {
                    *value = count.into();
                },
            );
        }
    }
    if found {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "resource with name {} does not match a config with the following GVK [Deployment, ReplicationController, ReplicaSet, StatefulSet]",
        replicas.name
    )))
}
