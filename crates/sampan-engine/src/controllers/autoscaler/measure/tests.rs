use std::time::Duration;

use super::*;
use serde_json::{Value, json};

fn spec(metrics: &Value) -> HorizontalPodAutoscalerSpec {
    serde_json::from_value(json!({
        "maxReplicas": 10,
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "metrics": metrics,
    }))
    .unwrap()
}

fn cpu(share: i32) -> Value {
    json!([{"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": share}}}])
}

fn pod(name: &str, ready: bool) -> Pod {
    let ready = if ready { "True" } else { "False" };
    serde_json::from_value(json!({
        "metadata": {"name": name, "uid": name},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}}}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    }))
    .unwrap()
}

fn used(pods: &[Pod], millis: u64) -> HashMap<String, PodUse> {
    let one = |pod: &Pod| {
        let usage = PodUse {
            containers: vec![ContainerUse {
                name: "c".to_owned(),
                cpu_nanos: millis * 1_000_000,
                memory_bytes: 1 << 20,
            }],
            window: Duration::from_secs(1),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        (pod.metadata.uid.clone().unwrap(), usage)
    };
    pods.iter().map(one).collect()
}

fn wanted(millis: u64, pods: &[Pod]) -> i32 {
    let current = i32::try_from(pods.len()).unwrap();
    judge(&spec(&cpu(50)), current, pods, &used(pods, millis)).wanted(current)
}

#[test]
fn replicas_follow_the_use() {
    let pods = [pod("a", true), pod("b", true)];
    for (millis, expected) in [(50, 2), (54, 2), (100, 4), (80, 4), (20, 1), (200, 8)] {
        assert_eq!(
            wanted(millis, &pods),
            expected,
            "{millis}m of 100m, aimed at half"
        );
    }
}

#[test]
fn pods_that_are_not_ready_make_careful() {
    let pods = [pod("a", true), pod("b", false)];
    // One uses twice as much as it should; the other one may take over as soon as it is ready.
    assert_eq!(wanted(100, &pods), 2);
    assert_eq!(wanted(10, &pods), 2);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let mut without = pod("a", true);
    without.spec.as_mut().unwrap().containers[0].resources = None;
    let pods = [without];
    let verdict = judge(&spec(&cpu(50)), 1, &pods, &used(&pods, 900));
    assert_eq!(verdict.wanted(1), 1);
    assert_eq!(
        verdict.failures,
        [(
            "FailedGetResourceMetric",
            "failed to get cpu utilization: missing request for cpu in container c of Pod a"
                .to_owned()
        )]
    );
    let pods = [pod("a", true)];
    let external = json!([{"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value"}}}]);
    let verdict = judge(&spec(&external), 1, &pods, &used(&pods, 1));
    assert_eq!(verdict.failures[0].0, "FailedGetExternalMetric");
}
