//! Fills in what a manifest leaves out, as Kubernetes does, so that what clients read, compare and
//! patch is what they know from a cluster.

mod batch;
mod fill;
mod pod;
mod policy;
mod service;
mod workload;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::custom::structural;
use crate::resources::Resource;
pub(crate) use batch::generate_selector;
pub(crate) use fill::drop_nulls;
use fill::{child, each, set};

/// Fills in the defaults of an object of this resource; filling in twice changes nothing.
pub fn apply(resource: &Resource, object: &mut Value) {
    drop_nulls(object);
    if let Some(custom) = resource.custom {
        structural::fill(&custom.schema, object);
        return;
    }
    let Value::Object(object) = object else {
        return;
    };
    match (resource.group, resource.kind) {
        ("", "Pod") => pod::pod(object),
        ("", "Service") => service::service(object),
        ("", "Endpoints") => {
            each(object, "subsets", |subset| {
                each(subset, "ports", |port| set(port, "protocol", "TCP"));
            });
        }
        ("", "LimitRange") => policy::limit_range(object),
        ("", "PodTemplate") => child(object, "template", pod::template),
        ("", "ResourceQuota") => policy::quota(object),
        ("", "Secret") => secret(object),
        ("", "Namespace") => namespace(object),
        ("", "PersistentVolumeClaim") => {
            child(object, "spec", workload::claim_spec);
            child(object, "status", |status| set(status, "phase", "Pending"));
        }
        ("", "PersistentVolume") => {
            child(object, "spec", |spec| {
                set(spec, "persistentVolumeReclaimPolicy", "Retain");
                set(spec, "volumeMode", "Filesystem");
                fill::canonical_quantities(spec, "capacity");
            });
            child(object, "status", |status| set(status, "phase", "Pending"));
        }
        ("apps", "DaemonSet") => workload::daemon_set(object),
        ("apps", "Deployment") => workload::deployment(object),
        ("apps", "ReplicaSet") => workload::replica_set(object),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("autoscaling", "HorizontalPodAutoscaler") if resource.version == "v2" => {
            policy::autoscaler(object);
        }
        ("networking.k8s.io", "NetworkPolicy") => policy::network_policy(object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            policy::binding(object);
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            set(object, "preemptionPolicy", "PreemptLowerPriority");
        }
        ("batch", "Job") => batch::job(object),
        ("batch", "CronJob") => batch::cron_job(object),
        ("networking.k8s.io", "Ingress") => {
            child(object, "status", |status| {
                child(status, "loadBalancer", |_| ());
            });
        }
        ("discovery.k8s.io", "EndpointSlice") => {
            each(object, "ports", |port| {
                set(port, "name", "");
                set(port, "protocol", "TCP");
            });
        }
        ("storage.k8s.io", "StorageClass") => {
            set(object, "reclaimPolicy", "Delete");
            set(object, "volumeBindingMode", "Immediate");
        }
        _ => {}
    }
}

/// `stringData` is the writable form of `data`.
fn secret(object: &mut Map<String, Value>) {
    set(object, "type", "Opaque");
    if let Some(Value::Object(plain)) = object.remove("stringData")
        && !plain.is_empty()
    {
        child(object, "data", |data| {
            for (key, value) in plain {
                let text = value.as_str().unwrap_or_default();
                data.insert(key, Value::String(STANDARD.encode(text)));
            }
        });
    }
}

/// A custom resource definition: the names that follow from its kind.
fn definition(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        child(spec, "names", |names| {
            let kind = fill::text(names, "kind").to_owned();
            set(names, "singular", kind.to_lowercase());
            set(names, "listKind", format!("{kind}List"));
        });
        child(spec, "conversion", |conversion| {
            set(conversion, "strategy", "None");
        });
    });
}

fn namespace(object: &mut Map<String, Value>) {
    let name = object
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .cloned();
    child(object, "metadata", |metadata| {
        child(metadata, "labels", |labels| {
            labels.extend(name.map(|name| ("kubernetes.io/metadata.name".to_owned(), name)));
        });
    });
    child(object, "spec", |spec| {
        set(spec, "finalizers", json!(["kubernetes"]));
    });
    child(object, "status", |status| set(status, "phase", "Active"));
}

#[cfg(test)]
mod tests;
