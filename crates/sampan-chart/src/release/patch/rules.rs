//! How fields of the kinds of Kubernetes are merged, as their API types declare it.

use super::Path;

/// How a field is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Objects field by field, everything else as a whole.
    Plain,
    /// An object as a whole.
    Replace,
    /// An object field by field, without what only others have set.
    RetainKeys,
    /// A list, by a key of its items.
    ByKey(&'static str),
    /// The same, where items lose what only others have set.
    ByKeyRetaining(&'static str),
    /// A list of texts that is a set.
    Set,
}

/// The rule for a field of a kind.
pub(super) fn rule(kind: &str, at: &Path<'_>) -> Rule {
    let (field, parent) = at.names();
    match parent {
        "metadata" if at.depth() == 2 || field == "finalizers" => match field {
            "finalizers" => Rule::Set,
            "ownerReferences" => Rule::ByKey("uid"),
            _ => Rule::Plain,
        },
        "containers" | "initContainers" | "ephemeralContainers" => of_container(field),
        "webhooks" if field == "matchConditions" => Rule::ByKey("name"),
        "status" if field == "conditions" => Rule::ByKey("type"),
        "spec" => of_spec(kind, at.depth(), field),
        "" => of_object(kind, field),
        _ => Rule::Plain,
    }
}

fn of_container(field: &str) -> Rule {
    match field {
        "ports" => Rule::ByKey("containerPort"),
        "env" => Rule::ByKey("name"),
        "volumeMounts" => Rule::ByKey("mountPath"),
        "volumeDevices" => Rule::ByKey("devicePath"),
        _ => Rule::Plain,
    }
}

fn of_object(kind: &str, field: &str) -> Rule {
    match (kind, field) {
        ("ServiceAccount", "secrets")
        | ("MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration", "webhooks") => {
            Rule::ByKey("name")
        }
        _ => Rule::Plain,
    }
}

fn of_spec(kind: &str, depth: usize, field: &str) -> Rule {
    match (kind, field) {
        ("Service", "ports") if depth == 2 => Rule::ByKey("port"),
        ("Deployment", "strategy") if depth == 2 => Rule::RetainKeys,
        ("PodDisruptionBudget", "selector") if depth == 2 => Rule::Replace,
        (
            "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy",
            "matchConditions" | "variables",
        ) => Rule::ByKey("name"),
        _ if has_pods(kind) => of_pod(field),
        _ => Rule::Plain,
    }
}

/// Whether objects of a kind are pods or hold templates of them.
fn has_pods(kind: &str) -> bool {
    matches!(
        kind,
        "Pod"
            | "PodTemplate"
            | "Deployment"
            | "ReplicaSet"
            | "ReplicationController"
            | "StatefulSet"
            | "DaemonSet"
            | "Job"
            | "CronJob"
    )
}

fn of_pod(field: &str) -> Rule {
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "imagePullSecrets"
        | "schedulingGates" => Rule::ByKey("name"),
        "volumes" | "resourceClaims" => Rule::ByKeyRetaining("name"),
        "hostAliases" => Rule::ByKey("ip"),
        "topologySpreadConstraints" => Rule::ByKey("topologyKey"),
        _ => Rule::Plain,
    }
}
