//! The order in which resources are written.

use super::kustomization::{LegacyOrder, SortOptions};
use super::resource::{Id, Resource};

/// Kinds that others need come first.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// What may keep others from being made comes last.
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Sorts by kind and name, unless the kustomization wants the order in which resources were found.
pub(super) fn sort(resources: &mut [Resource], options: Option<SortOptions>) {
    let options = options.unwrap_or_default();
    if options.order == "fifo" {
        return;
    }
    let kinds = options.legacy_sort_options.unwrap_or_else(|| LegacyOrder {
        order_first: FIRST.map(str::to_owned).into(),
        order_last: LAST.map(str::to_owned).into(),
    });
    resources.sort_by_cached_key(|resource| key(&resource.id(), &kinds));
}

fn key(id: &Id, kinds: &LegacyOrder) -> (i64, String, String) {
    let place = |list: &[String]| list.iter().rposition(|kind| *kind == id.kind);
    let signed = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
    let rank = match (place(&kinds.order_last), place(&kinds.order_first)) {
        (Some(place), _) => 1 + signed(place),
        (None, Some(place)) => signed(place) - signed(kinds.order_first.len()),
        (None, None) => 0,
    };
    let or = |text: &str, none: &'static str| {
        if text.is_empty() {
            none.to_owned()
        } else {
            text.to_owned()
        }
    };
    let kind = format!(
        "{}_{}_{}",
        or(&id.group, "~G"),
        or(&id.version, "~V"),
        or(&id.kind, "~K")
    );
    let name = format!("{}|{}", or(&id.namespace, "~X"), or(&id.name, "~N"));
    (rank, kind, name)
}
