use jiff::Timestamp;
use serde_json::{Value, json};

use super::{age, columns, conditions};
use crate::resources;

fn cells(group: &str, plural: &str, object: &Value) -> Vec<Value> {
    let resource = resources::find(group, "v1", plural).unwrap();
    let now: Timestamp = "2026-01-01T00:10:00Z".parse().unwrap();
    let cells = super::cells(resource, object, now);
    assert_eq!(cells.len(), columns(resource).as_array().unwrap().len());
    cells
}

fn pod(status: &Value) -> Vec<Value> {
    let object = json!({
        "kind": "Pod",
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "n", "containers": [{"name": "a"}, {"name": "b"}]},
        "status": status
    });
    cells("", "pods", &object)
}

#[test]
fn ages_have_two_or_three_figures() {
    for (seconds, text) in [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (3600, "60m"),
        (4 * 3600 + 120, "4h2m"),
        (30 * 3600, "30h"),
        (3 * 86400 + 7200, "3d2h"),
        (100 * 86400, "100d"),
        (800 * 86400, "2y70d"),
        (4000 * 86400, "10y"),
    ] {
        assert_eq!(age::seconds(seconds), text);
    }
}

#[test]
fn a_running_pod() {
    let running = |name: &str, ready: bool| {
        json!({"name": name, "ready": ready, "restartCount": 0, "image": "", "imageID": "",
               "state": {"running": {}}})
    };
    let status = json!({"phase": "Running", "podIP": "10.0.0.2",
                        "containerStatuses": [running("a", true), running("b", false)]});
    assert_eq!(
        pod(&status),
        [
            json!("p"),
            json!("1/2"),
            json!("Running"),
            json!("0"),
            json!("10m"),
            json!("10.0.0.2"),
            json!("n"),
            json!("<none>"),
            json!("<none>")
        ]
    );
}

#[test]
fn a_pod_that_fails_again_and_again() {
    let status = json!({"phase": "Running", "containerStatuses": [{
        "name": "a", "ready": false, "restartCount": 3, "image": "", "imageID": "",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:09:00Z"}}
    }]});
    let cells = pod(&status);
    assert_eq!(
        cells[1..4],
        [
            json!("0/2"),
            json!("CrashLoopBackOff"),
            json!("3 (60s ago)")
        ]
    );
}

#[test]
fn a_pod_that_has_ended_is_marked() {
    let resource = resources::find("", "v1", "pods").unwrap();
    let marked = conditions(resource, &json!({"status": {"phase": "Succeeded"}})).unwrap();
    assert_eq!(marked[0]["reason"], "Succeeded");
    assert_eq!(
        conditions(resource, &json!({"status": {"phase": "Running"}})),
        None
    );
}

#[test]
fn a_deployment() {
    let object = json!({
        "metadata": {"name": "web", "creationTimestamp": "2026-01-01T00:09:30Z"},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [
                {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}
            ]}}
        },
        "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}
    });
    assert_eq!(
        cells("apps", "deployments", &object),
        [
            json!("web"),
            json!("2/3"),
            json!(3),
            json!(1),
            json!("30s"),
            json!("a,b"),
            json!("a:1,b:1"),
            json!("app=web")
        ]
    );
}

#[test]
fn a_service() {
    let object = json!({
        "metadata": {"name": "web", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"type": "NodePort", "clusterIP": "10.0.0.1", "selector": {"app": "web"},
                 "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}
    });
    assert_eq!(
        cells("", "services", &object)[1..5],
        [
            json!("NodePort"),
            json!("10.0.0.1"),
            json!("<none>"),
            json!("80:30080/TCP,53/UDP")
        ]
    );
}

#[test]
fn an_event_of_either_group() {
    let old = json!({
        "metadata": {"name": "e"}, "type": "Normal", "reason": "Started", "message": "ok\n",
        "involvedObject": {"kind": "Pod", "name": "p"}, "count": 2,
        "source": {"component": "kubelet", "host": "n"},
        "lastTimestamp": "2026-01-01T00:09:00Z", "firstTimestamp": "2026-01-01T00:08:00Z"
    });
    let cells_of_old = cells("", "events", &old);
    assert_eq!(
        cells_of_old,
        [
            json!("60s"),
            json!("Normal"),
            json!("Started"),
            json!("pod/p"),
            json!(""),
            json!("kubelet, n"),
            json!("ok"),
            json!("2m"),
            json!(2),
            json!("e")
        ]
    );
    let new = json!({
        "metadata": {"name": "e"}, "type": "Normal", "reason": "Started", "note": "ok\n",
        "regarding": {"kind": "Pod", "name": "p"}, "deprecatedCount": 2,
        "deprecatedSource": {"component": "kubelet", "host": "n"},
        "deprecatedLastTimestamp": "2026-01-01T00:09:00Z",
        "deprecatedFirstTimestamp": "2026-01-01T00:08:00Z"
    });
    assert_eq!(cells("events.k8s.io", "events", &new), cells_of_old);
}
