use super::*;
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn set(strategy: &serde_json::Value) -> DaemonSet {
    serde_json::from_value(json!({
        "metadata": {"name": "agent", "namespace": "default", "generation": 2},
        "spec": {"selector": {}, "template": {}, "updateStrategy": strategy},
    }))
    .unwrap()
}

fn pod(name: &str, hash: &str, phase: &str) -> Pod {
    let ready = if phase == "Running" { "True" } else { "False" };
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {POD_REVISION: hash}, "creationTimestamp": at(1)},
        "status": {"phase": phase, "conditions": [
            {"type": "Ready", "status": ready, "lastTransitionTime": at(1)}]},
    }))
    .unwrap()
}

fn round(set: &DaemonSet, owned: &[Pod], wanted: bool) -> Plan {
    let situation = Situation {
        wanted,
        hash: "new",
        now: at(10),
    };
    plan(set, owned, &situation)
}

#[test]
fn a_node_that_fits_has_one_pod() {
    let rolling = set(&json!({"type": "RollingUpdate"}));
    let begun = round(&rolling, &[], true);
    assert!(begun.create);
    assert_eq!(begun.status.desired_number_scheduled, 1);
    assert_eq!(begun.status.number_unavailable, Some(1));
    let running = [pod("a", "new", "Running"), pod("b", "new", "Running")];
    let settled = round(&rolling, &running[..1], true);
    assert!(!settled.create && settled.delete.is_empty());
    let status = settled.status;
    assert_eq!((status.number_ready, status.number_available), (1, Some(1)));
    assert_eq!(status.updated_number_scheduled, Some(1));
    assert_eq!(round(&rolling, &running, true).delete.len(), 1);
    let unwanted = round(&rolling, &running[..1], false);
    assert_eq!(unwanted.delete, ["a"]);
    assert_eq!(unwanted.status.number_misscheduled, 1);
}

#[test]
fn an_outdated_pod_goes_before_the_next_one_comes() {
    let rolling = set(
        &json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
    );
    let mut old = pod("a", "old", "Running");
    let replaced = round(&rolling, std::slice::from_ref(&old), true);
    assert_eq!(
        (replaced.create, replaced.delete),
        (false, vec!["a".to_owned()])
    );
    old.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(9)));
    let waiting = round(&rolling, &[old], true);
    assert!(!waiting.create && waiting.delete.is_empty());
}

#[test]
fn with_a_surge_the_next_one_comes_first() {
    let surging = set(
        &json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
    );
    let old = pod("a", "old", "Running");
    let begun = round(&surging, std::slice::from_ref(&old), true);
    assert!(begun.create && begun.delete.is_empty());
    let starting = [old.clone(), pod("b", "new", "Pending")];
    let waiting = round(&surging, &starting, true);
    assert!(!waiting.create && waiting.delete.is_empty());
    let started = [old, pod("b", "new", "Running")];
    assert_eq!(round(&surging, &started, true).delete, ["a"]);
}

#[test]
fn on_delete_leaves_the_old_one() {
    let manual = set(&json!({"type": "OnDelete"}));
    let kept = round(&manual, &[pod("a", "old", "Running")], true);
    assert!(!kept.create && kept.delete.is_empty());
    assert_eq!(kept.status.updated_number_scheduled, None);
}

#[test]
fn a_daemon_that_has_ended_is_replaced() {
    let rolling = set(&json!({"type": "RollingUpdate"}));
    let failed = round(&rolling, &[pod("a", "new", "Failed")], true);
    assert_eq!(failed.delete, ["a"]);
    assert_eq!(failed.warnings[0].0, "FailedDaemonPod");
}
