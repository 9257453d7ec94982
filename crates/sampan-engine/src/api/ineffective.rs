//! Fields that are taken, kept and shown, but change nothing here: who writes them is told so.

use serde_json::Value;

use crate::resources::Resource;

/// A warning for each field of an object that has no effect.
pub(super) fn warnings(resource: &Resource, object: &Value) -> Vec<String> {
    let pod = match (resource.group, resource.kind) {
        ("", "Pod") => "spec",
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet") => "spec.template.spec",
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    let spec = at(object, pod);
    if spec["activeDeadlineSeconds"].is_number() {
        found.push(format!("{pod}.activeDeadlineSeconds"));
    }
    for kind in ["nodeAffinity", "podAffinity", "podAntiAffinity"] {
        let field = "requiredDuringSchedulingIgnoredDuringExecution";
        if !spec["affinity"][kind][field].is_null() {
            found.push(format!("{pod}.affinity.{kind}.{field}"));
        }
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
    }
}
