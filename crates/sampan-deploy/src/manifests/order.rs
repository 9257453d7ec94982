//! The order in which objects come into being, so that what others refer to is there first.

use super::Object;

/// Kinds that others refer to, first to last. What is not named comes after them and before workloads.
const FIRST: [&str; 15] = [
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "PriorityClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
];

/// Kinds that run something or lead users to it.
const LAST: [&str; 10] = [
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "StatefulSet",
    "Deployment",
    "Job",
    "CronJob",
    "HorizontalPodAutoscaler",
    "Ingress",
];

/// Sorts objects by kind; within a kind the order of the files stays.
pub(super) fn sort(objects: &mut [Object]) {
    objects.sort_by_key(|object| rank(&object.id.kind));
}

/// The place of a kind in the order.
pub(crate) fn rank(kind: &str) -> usize {
    let first = FIRST.iter().position(|known| *known == kind);
    let last = || {
        LAST.iter()
            .position(|known| *known == kind)
            .map(|at| FIRST.len() + 1 + at)
    };
    first.or_else(last).unwrap_or(FIRST.len())
}
