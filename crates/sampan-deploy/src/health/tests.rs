use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::{State, pod, workload};

fn assessed(live: &Value) -> (State, String) {
    workload::assess(live["kind"].as_str().expect("the object has a kind"), live)
}

fn deployment(status: &Value) -> Value {
    json!({
        "kind": "Deployment",
        "metadata": {"generation": 2},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web", "tier": "front"}}},
        "status": status,
    })
}

#[test]
fn deployments_are_healthy_when_all_is_new_and_available() {
    let cases = [
        json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}),
        json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}),
        json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3}),
        json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}),
        json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}),
        json!({"observedGeneration": 2, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|status| {
            let (state, summary) = assessed(&deployment(status));
            format!("{state}: {summary}")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(
        workload::selector(&deployment(&json!({}))).as_deref(),
        Some("app=web,tier=front")
    );
}

#[test]
fn other_kinds_say_it_their_way() {
    let cases = [
        json!({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "readyReplicas": 1, "currentRevision": "a", "updateRevision": "b"}}),
        json!({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "readyReplicas": 1, "currentRevision": "b", "updateRevision": "b"}}),
        json!({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {}}),
        json!({"kind": "DaemonSet", "metadata": {"generation": 1}, "status": {"observedGeneration": 1,
            "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}}),
        json!({"kind": "Pod", "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
        json!({"kind": "Pod", "status": {"phase": "Pending"}}),
        json!({"kind": "Job", "spec": {"completions": 2}, "status": {"succeeded": 1}}),
        json!({"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "True", "message": "too often"}]}}),
        json!({"kind": "PersistentVolumeClaim", "status": {"phase": "Bound"}}),
        json!({"kind": "ConfigMap"}),
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|live| {
            let (state, summary) = assessed(live);
            format!("{} {state}: {summary}", live["kind"])
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn pods_say_why_they_wait() {
    let container = |state: &Value, restarts: i32| {
        let last = json!({"terminated": {"exitCode": 3}});
        json!([{"name": "web", "image": "web@sha256:ab", "imageID": "", "ready": false, "restartCount": restarts,
            "state": state, "lastState": last}])
    };
    let waiting =
        |reason: &str| json!({"waiting": {"reason": reason, "message": "because of this"}});
    let cases = [
        json!({"containerStatuses": container(&waiting("ContainerCreating"), 0)}),
        json!({"containerStatuses": container(&waiting("ErrImageNeverPull"), 0)}),
        json!({"containerStatuses": container(&waiting("ImagePullBackOff"), 0)}),
        json!({"containerStatuses": container(&waiting("CreateContainerConfigError"), 0)}),
        json!({"containerStatuses": container(&waiting("CrashLoopBackOff"), 1)}),
        json!({"containerStatuses": container(&waiting("CrashLoopBackOff"), 2)}),
        json!({"containerStatuses": container(&json!({"running": {"startedAt": "2026-01-01T00:00:25Z"}}), 0)}),
        json!({"containerStatuses": container(&json!({"running": {"startedAt": "2026-01-01T00:00:10Z"}}), 0)}),
        json!({"containerStatuses": container(&json!({"running": {}}), 4)}),
        json!({"containerStatuses": container(&json!({"terminated": {"exitCode": 1}}), 0)}),
        json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "no room"}]}),
        json!({"phase": "Failed", "reason": "Evicted"}),
    ];
    let now: jiff::Timestamp = "2026-01-01T00:00:30Z".parse().expect("the time is valid");
    let shown: Vec<String> = cases
        .iter()
        .map(|status| {
            let pod: Pod =
                serde_json::from_value(json!({"metadata": {"name": "web-1"}, "status": status}))
                    .expect("the case is a pod");
            pod::trouble(&pod, now).map_or_else(
                || "nothing".to_owned(),
                |found| {
                    format!(
                        "{} {}, hopeless after {:?}",
                        found.pod, found.what, found.hopeless_after
                    )
                },
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn jobs_and_daemon_sets_decide_for_themselves() {
    let said = |live: Value| {
        let (state, summary) = assessed(&live);
        format!("{state}: {summary}")
    };
    assert_eq!(
        said(json!({"kind": "Job", "spec": {"suspend": true}})),
        "healthy: suspended"
    );
    let daemons = |strategy: &str| {
        said(
            json!({"kind": "DaemonSet", "metadata": {"generation": 2}, "spec": {"updateStrategy": {"type": strategy}},
            "status": {"observedGeneration": 2, "desiredNumberScheduled": 1, "numberAvailable": 1}}),
        )
    };
    assert_eq!(daemons("RollingUpdate"), "waiting: 0/1 updated, 1 ready");
    assert_eq!(daemons("OnDelete"), "healthy: 1/1 ready");
    let crashing = |kind: &str| {
        let pod = json!({
            "metadata": {"name": "p", "ownerReferences": [
                {"apiVersion": "v1", "kind": kind, "name": "o", "uid": "u", "controller": true}]},
            "status": {"containerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": false,
                "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
        });
        let pod: Pod = serde_json::from_value(pod).expect("it is a pod");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let found = pod::trouble(&pod, now).expect("it is in trouble");
        found.hopeless_after.is_some()
    };
    assert!(crashing("ReplicaSet"));
    assert!(!crashing("Job"), "it may try as often as it says");
}
