//! Autoscalers are stored as `autoscaling/v2`. `autoscaling/v1` has a field of its own for the use of processors, and
//! carries all else in annotations.

use serde_json::{Map, Value, json};

use crate::objects::metadata;

/// What `autoscaling/v1` has no fields for: where it is in `autoscaling/v2`, and the annotation that carries it.
const CARRIED: &[(&str, &str, &str)] = &[
    ("spec", "metrics", "autoscaling.alpha.kubernetes.io/metrics"),
    (
        "spec",
        "behavior",
        "autoscaling.alpha.kubernetes.io/behavior",
    ),
    (
        "status",
        "currentMetrics",
        "autoscaling.alpha.kubernetes.io/current-metrics",
    ),
    (
        "status",
        "conditions",
        "autoscaling.alpha.kubernetes.io/conditions",
    ),
];

/// Turns an autoscaler of `autoscaling/v1` into one of `autoscaling/v2`.
pub(super) fn to_version2(object: &mut Value) {
    for (part, field, annotation) in CARRIED {
        let carried = annotations(object).and_then(|annotations| annotations.remove(*annotation));
        let carried = carried.as_ref().and_then(Value::as_str);
        if let Some(carried) = carried.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            object[*part][*field] = carried;
        }
    }
    if annotations(object).is_some_and(|annotations| annotations.is_empty()) {
        metadata::of(object).remove("annotations");
    }
    if let Some(share) = take(object, "spec", "targetCPUUtilizationPercentage") {
        let target = json!({"type": "Utilization", "averageUtilization": share});
        add_metric(object, "spec", "metrics", "target", &target);
    }
    if let Some(share) = take(object, "status", "currentCPUUtilizationPercentage") {
        let current = json!({"averageUtilization": share});
        add_metric(object, "status", "currentMetrics", "current", &current);
    }
    metadata::map(object).insert("apiVersion".to_owned(), "autoscaling/v2".into());
}

/// Turns an autoscaler of `autoscaling/v2` into one of `autoscaling/v1`.
pub(super) fn to_version1(object: &mut Value) {
    for (part, field, plain, side) in [
        (
            "spec",
            "metrics",
            "targetCPUUtilizationPercentage",
            "target",
        ),
        (
            "status",
            "currentMetrics",
            "currentCPUUtilizationPercentage",
            "current",
        ),
    ] {
        let Some(Value::Array(mut metrics)) = take(object, part, field) else {
            continue;
        };
        let found = metrics.iter().position(|metric| {
            metric["resource"]["name"] == "cpu"
                && metric["resource"][side]["averageUtilization"].is_number()
        });
        if let Some(index) = found {
            let share = &metrics.remove(index)["resource"][side]["averageUtilization"];
            object[part][plain] = share.clone();
        }
        if !metrics.is_empty() {
            object[part][field] = metrics.into();
        }
    }
    for (part, field, annotation) in CARRIED {
        if let Some(value) = take(object, part, field) {
            let annotations = metadata::field_map(metadata::of(object), "annotations");
            annotations.insert((*annotation).to_owned(), value.to_string().into());
        }
    }
    metadata::map(object).insert("apiVersion".to_owned(), "autoscaling/v1".into());
}

fn annotations(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.pointer_mut("/metadata/annotations")?.as_object_mut()
}

fn take(object: &mut Value, part: &str, field: &str) -> Option<Value> {
    object.get_mut(part)?.as_object_mut()?.remove(field)
}

/// Adds a metric about the use of processors before the others.
fn add_metric(object: &mut Value, part: &str, list: &str, side: &str, value: &Value) {
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", side: value}});
    match &mut object[part][list] {
        Value::Array(metrics) => metrics.insert(0, metric),
        absent => *absent = json!([metric]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_the_versions() {
        let memory = json!({"type": "Resource", "resource": {"name": "memory",
            "target": {"type": "AverageValue", "averageValue": "1Gi"}}});
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 60}}});
        let stored = json!({
            "apiVersion": "autoscaling/v2",
            "metadata": {"name": "web"},
            "spec": {"maxReplicas": 3, "metrics": [cpu, memory], "behavior": {"scaleDown": {"stabilizationWindowSeconds": 1}}},
            "status": {"desiredReplicas": 1, "conditions": [{"type": "AbleToScale"}],
                "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}]},
        });
        let mut object = stored.clone();
        to_version1(&mut object);
        assert_eq!(object["spec"]["targetCPUUtilizationPercentage"], 60);
        assert_eq!(object["status"]["currentCPUUtilizationPercentage"], 7);
        assert!(object["spec"].get("metrics").is_none());
        to_version2(&mut object);
        assert_eq!(object, stored);
    }
}
