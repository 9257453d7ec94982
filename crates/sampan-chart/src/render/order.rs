//! The order in which Helm installs and uninstalls: by kind, and as they stand in the chart within a kind.

use crate::compatibility::Compatibility;

/// The kinds in the order of installing them; the flag tells which are known to Helm 4 only.
const KINDS: [(&str, bool); 38] = [
    ("PriorityClass", false),
    ("Namespace", false),
    ("NetworkPolicy", false),
    ("ResourceQuota", false),
    ("LimitRange", false),
    ("PodSecurityPolicy", false),
    ("PodDisruptionBudget", false),
    ("ServiceAccount", false),
    ("Secret", false),
    ("SecretList", false),
    ("ConfigMap", false),
    ("StorageClass", false),
    ("PersistentVolume", false),
    ("PersistentVolumeClaim", false),
    ("CustomResourceDefinition", false),
    ("ClusterRole", false),
    ("ClusterRoleList", false),
    ("ClusterRoleBinding", false),
    ("ClusterRoleBindingList", false),
    ("Role", false),
    ("RoleList", false),
    ("RoleBinding", false),
    ("RoleBindingList", false),
    ("Service", false),
    ("DaemonSet", false),
    ("Pod", false),
    ("ReplicationController", false),
    ("ReplicaSet", false),
    ("Deployment", false),
    ("HorizontalPodAutoscaler", false),
    ("StatefulSet", false),
    ("Job", false),
    ("CronJob", false),
    ("IngressClass", false),
    ("Ingress", false),
    ("APIService", false),
    ("MutatingWebhookConfiguration", true),
    ("ValidatingWebhookConfiguration", true),
];

/// What sorts kinds in the order of installing: known ones first, the others by their names.
#[must_use]
pub fn install_key(kind: &str, compatibility: Compatibility) -> (usize, String) {
    match place(kind, compatibility) {
        Some(place) => (place, String::new()),
        None => (KINDS.len(), kind.to_owned()),
    }
}

/// What sorts kinds in the order of uninstalling: known ones first, in the order against that of installing, except that
/// services go right behind what leads to them.
#[must_use]
pub fn uninstall_key(kind: &str, compatibility: Compatibility) -> (usize, String) {
    let before = if kind == "Service" {
        "IngressClass"
    } else {
        kind
    };
    match place(before, compatibility) {
        Some(place) => (
            (KINDS.len() - place) * 2 + usize::from(before != kind),
            String::new(),
        ),
        None => (usize::MAX, kind.to_owned()),
    }
}

fn place(kind: &str, compatibility: Compatibility) -> Option<usize> {
    let known = |(name, newer): &(&str, bool)| {
        *name == kind && (!newer || compatibility == Compatibility::Helm4)
    };
    KINDS.iter().position(known)
}
