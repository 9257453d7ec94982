//! Refuses objects that Kubernetes would refuse, with the same words.
//!
//! [`strict`] finds what does not belong into an object of its kind (`fieldValidation`);
//! [`check`] finds values that are not allowed. Both are pure functions over JSON values, called
//! after the defaults are filled in.

mod batch;
mod causes;
mod config;
mod container;
mod definition;
mod duplicates;
mod ingress;
mod metadata;
mod names;
mod pod;
mod policy;
mod probe;
mod quantity;
mod rbac;
mod selector;
mod service;
pub mod strict;
mod volume;
mod workload;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::custom::structural;
use crate::decode;
use crate::error::Cause;
use crate::resources::Resource;
use causes::Causes;
pub(crate) use quantity::Quantity;

/// The rules that an object breaks; `old` is the object that it is to replace.
///
/// An object that cannot be read as its kind breaks no rule here: [`strict::findings`] reports it.
#[must_use]
pub fn check(resource: &Resource, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Causes::default();
    metadata::check(resource, object, old, &mut causes);
    let found = &mut causes;
    if let Some(custom) = resource.custom {
        found.extend(structural::causes(&custom.schema, object));
        return causes.into_vec();
    }
    match (resource.group, resource.kind) {
        ("", "Pod") => typed(object, old, found, pod::check),
        ("", "Service") => typed(object, old, found, service::check),
        ("", "ConfigMap") => typed(object, old, found, config::config_map),
        ("", "Secret") => typed(object, old, found, config::secret),
        ("", "PersistentVolumeClaim") => typed(object, old, found, volume::claim),
        ("apps", "DaemonSet") => typed(object, old, found, workload::daemon_set),
        ("apps", "Deployment") => typed(object, old, found, workload::deployment),
        ("apps", "ReplicaSet") => typed(object, old, found, workload::replica_set),
        ("apps", "StatefulSet") => typed(object, old, found, workload::stateful_set),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            definition::check(object, old, found);
        }
        ("autoscaling", "HorizontalPodAutoscaler") => {
            typed(object, old, found, policy::autoscaler);
        }
        ("networking.k8s.io", "NetworkPolicy") => {
            typed(object, old, found, policy::network_policy);
        }
        ("policy", "PodDisruptionBudget") => {
            typed(object, old, found, policy::disruption_budget);
        }
        ("rbac.authorization.k8s.io", "Role") => typed(object, old, found, rbac::role),
        ("rbac.authorization.k8s.io", "RoleBinding") => {
            typed(object, old, found, rbac::role_binding);
        }
        ("rbac.authorization.k8s.io", "ClusterRole") => {
            typed(object, old, found, rbac::cluster_role);
        }
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => {
            typed(object, old, found, rbac::cluster_role_binding);
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            typed(object, old, found, policy::priority_class);
        }
        ("batch", "CronJob") => typed(object, old, found, batch::cron_job),
        ("batch", "Job") => typed(object, old, found, batch::job),
        ("networking.k8s.io", "Ingress") => typed(object, old, found, ingress::check),
        _ => {}
    }
    causes.into_vec()
}

/// Reads both objects as their kind and checks them, if that is possible.
fn typed<K: DeserializeOwned>(
    object: &Value,
    old: Option<&Value>,
    causes: &mut Causes,
    check: fn(&K, Option<&K>, &mut Causes),
) {
    let Ok(new) = decode::object::<K>(object) else {
        return;
    };
    let old = old.and_then(|old| decode::object(old).ok());
    check(&new, old.as_ref(), causes);
}

#[cfg(test)]
mod tests;
