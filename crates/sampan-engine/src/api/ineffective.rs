//! Fields and kinds that are taken, kept and shown, but change nothing here: who writes them is told so.

use serde_json::Value;

use crate::resources::Resource;

/// Kinds that change nothing here, and why.
const KINDS: &[(&str, &str, &str)] = &[
    ("", "LimitRange", "limits are not applied"),
    ("", "ResourceQuota", "quotas are not counted"),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        "pods reach each other whatever policies say",
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        "no pod makes room for another",
    ),
];

/// Fields of jobs that change nothing here.
const OF_JOBS: &[&str] = &[
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "podFailurePolicy",
    "successPolicy",
];

/// A warning for each field of an object that has no effect, or for all of it.
pub(super) fn warnings(resource: &Resource, object: &Value) -> Vec<String> {
    let whole = KINDS
        .iter()
        .find(|(group, kind, _)| *group == resource.group && *kind == resource.kind);
    if let Some((_, _, why)) = whole {
        return vec![format!("{} has no effect here: {why}", resource.kind)];
    }
    let pod = match (resource.group, resource.kind) {
        ("", "Pod") => "spec",
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet") | ("batch", "Job") => {
            "spec.template.spec"
        }
        ("batch", "CronJob") => "spec.jobTemplate.spec.template.spec",
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    of_pods(pod, object, &mut found);
    if let ("batch", Some(job)) = (resource.group, pod.strip_suffix(".template.spec")) {
        let present = OF_JOBS
            .iter()
            .filter(|field| !at(object, job)[**field].is_null());
        found.extend(present.map(|field| format!("{job}.{field}")));
    }
    let policy = "persistentVolumeClaimRetentionPolicy";
    for when in ["whenDeleted", "whenScaled"] {
        if object["spec"][policy][when] == "Delete" {
            found.push(format!("spec.{policy}.{when}"));
        }
    }
    found
        .into_iter()
        .map(|field| format!("{field}: this field has no effect here"))
        .collect()
}

fn of_pods(pod: &str, object: &Value, found: &mut Vec<String>) {
    let spec = at(object, pod);
    if spec["activeDeadlineSeconds"].is_number() {
        found.push(format!("{pod}.activeDeadlineSeconds"));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let field = "requiredDuringSchedulingIgnoredDuringExecution";
        if !spec["affinity"][kind][field].is_null() {
            found.push(format!("{pod}.affinity.{kind}.{field}"));
        }
    }
}

fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(object, |value, part| &value[part])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_writes_what_changes_nothing_is_told() {
        let find = |kind| crate::resources::find("apps", "v1", kind).unwrap();
        let set = json!({"spec": {
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
            "template": {"spec": {
                "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}},
                "activeDeadlineSeconds": 5,
            }},
        }});
        assert_eq!(
            warnings(find("statefulsets"), &set),
            [
                "spec.template.spec.activeDeadlineSeconds: this field has no effect here",
                "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution: this field has no effect here",
                "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: this field has no effect here",
            ]
        );
        let plain = json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}});
        assert!(warnings(find("deployments"), &plain).is_empty());
        let find = |group, kind| crate::resources::find(group, "v1", kind).unwrap();
        let cron =
            json!({"spec": {"jobTemplate": {"spec": {"backoffLimitPerIndex": 1, "template": {}}}}});
        assert_eq!(
            warnings(find("batch", "cronjobs"), &cron),
            ["spec.jobTemplate.spec.backoffLimitPerIndex: this field has no effect here"]
        );
        assert_eq!(
            warnings(find("scheduling.k8s.io", "priorityclasses"), &json!({})),
            ["PriorityClass has no effect here: no pod makes room for another"]
        );
    }
}
