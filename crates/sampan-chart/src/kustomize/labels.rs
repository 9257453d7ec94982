//! Labels and annotations of all resources, and of what they make.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::kustomization::{Kustomization, Labels};
use super::path::{FieldPath, Make, walk};
use super::resource::Resource;

/// The kinds with a template of pods, and their groups where it matters.
const WORKLOADS: [(&str, &str); 6] = [
    ("ReplicationController", ""),
    ("Deployment", ""),
    ("ReplicaSet", ""),
    ("DaemonSet", ""),
    ("StatefulSet", "apps"),
    ("Job", "batch"),
];

/// Adds the labels that a kustomization has for all resources.
pub(super) fn labels(kustomization: &Kustomization, resources: &mut [Resource]) {
    for labels in &kustomization.labels {
        add(&labels.pairs, &paths_of(labels), resources);
        for field in &labels.fields {
            let make = if field.create {
                Make::Table
            } else {
                Make::Nothing
            };
            for resource in resources.iter_mut() {
                let id = resource.id();
                if id.is_selected(&field.group, &field.version, &field.kind) {
                    set(resource, &field.path, make, &labels.pairs);
                }
            }
        }
    }
    let mut paths = metadata("labels");
    paths.extend(claims());
    paths.extend(selectors());
    add(&kustomization.common_labels, &paths, resources);
}

/// Adds annotations to all resources and the pods that they make.
pub(super) fn annotations(pairs: &BTreeMap<String, String>, resources: &mut [Resource]) {
    add(pairs, &metadata("annotations"), resources);
}

fn paths_of(labels: &Labels) -> Vec<FieldPath> {
    let mut paths = vec![FieldPath::of("", "metadata/labels", true)];
    if labels.include_selectors {
        paths = metadata("labels");
        paths.extend(claims());
        paths.extend(selectors());
        return paths;
    }
    if labels.include_templates {
        paths = metadata("labels");
    }
    if labels.include_templates || labels.include_volume_claim_templates {
        paths.extend(claims());
    }
    paths
}

fn add(pairs: &BTreeMap<String, String>, paths: &[FieldPath], resources: &mut [Resource]) {
    if pairs.is_empty() {
        return;
    }
    for resource in resources {
        let id = resource.id();
        for path in paths.iter().filter(|path| path.selects(&id)) {
            let make = if path.create {
                Make::Table
            } else {
                Make::Nothing
            };
            set(resource, &path.path, make, pairs);
        }
    }
}

fn set(resource: &mut Resource, path: &str, make: Make, pairs: &BTreeMap<String, String>) {
    walk(&mut resource.value, path, make, &mut |value| {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        if let Value::Object(table) = value {
            let pairs = pairs.iter();
            table.extend(pairs.map(|(key, value)| (key.clone(), value.clone().into())));
        }
    });
}

/// The metadata of resources, and of the pods and jobs that they make.
fn metadata(field: &str) -> Vec<FieldPath> {
    let mut paths = vec![FieldPath::of("", &format!("metadata/{field}"), true)];
    for (kind, group) in WORKLOADS {
        let path = format!("spec/template/metadata/{field}");
        let path = FieldPath::of(kind, &path, true).in_group(group);
        paths.push(if kind == "ReplicationController" {
            path.in_version("v1")
        } else {
            path
        });
    }
    for path in [
        "spec/jobTemplate/metadata",
        "spec/jobTemplate/spec/template/metadata",
    ] {
        let path = format!("{path}/{field}");
        paths.push(FieldPath::of("CronJob", &path, true).in_group("batch"));
    }
    paths
}

fn claims() -> Vec<FieldPath> {
    let path = "spec/volumeClaimTemplates[]/metadata/labels";
    vec![FieldPath::of("StatefulSet", path, true).in_group("apps")]
}

/// What selects pods by labels.
fn selectors() -> Vec<FieldPath> {
    let mut paths = vec![
        FieldPath::of("Service", "spec/selector", true).in_version("v1"),
        FieldPath::of("ReplicationController", "spec/selector", true).in_version("v1"),
        FieldPath::of("Deployment", "spec/selector/matchLabels", true),
        FieldPath::of("ReplicaSet", "spec/selector/matchLabels", true),
        FieldPath::of("DaemonSet", "spec/selector/matchLabels", true),
        FieldPath::of("StatefulSet", "spec/selector/matchLabels", true).in_group("apps"),
        FieldPath::of("Job", "spec/selector/matchLabels", false).in_group("batch"),
        FieldPath::of(
            "CronJob",
            "spec/jobTemplate/spec/selector/matchLabels",
            false,
        )
        .in_group("batch"),
        FieldPath::of("PodDisruptionBudget", "spec/selector/matchLabels", false).in_group("policy"),
    ];
    for path in [
        "spec/podSelector",
        "spec/ingress/from/podSelector",
        "spec/egress/to/podSelector",
    ] {
        let path = format!("{path}/matchLabels");
        paths.push(FieldPath::of("NetworkPolicy", &path, false).in_group("networking.k8s.io"));
    }
    for kind in ["Deployment", "StatefulSet"] {
        for affinity in ["podAffinity", "podAntiAffinity"] {
            for rule in [
                "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
                "requiredDuringSchedulingIgnoredDuringExecution",
            ] {
                let path = format!(
                    "spec/template/spec/affinity/{affinity}/{rule}/labelSelector/matchLabels"
                );
                paths.push(FieldPath::of(kind, &path, false).in_group("apps"));
            }
        }
        let path = "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels";
        paths.push(FieldPath::of(kind, path, false).in_group("apps"));
    }
    paths
}
