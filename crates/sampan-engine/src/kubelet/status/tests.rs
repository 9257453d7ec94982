//! Statuses of small pods.

use super::*;
use k8s_openapi::api::core::v1::PodCondition;
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pod(policy: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"restartPolicy": policy, "initContainers": [{"name": "prepare", "image": "tool"}],
            "containers": [{"name": "web", "image": "web:1"}]},
    }))
    .unwrap()
}

fn running() -> State {
    let id = "0123456789abcdef0123456789abcdef".parse().unwrap();
    State::Running {
        id,
        started_at: at(5),
    }
}

fn ended(code: i32) -> Ended {
    let reason = if code == 0 { "Completed" } else { "Error" }.to_owned();
    let (started_at, finished_at) = (Some(at(1)), at(2));
    Ended {
        id: None,
        code,
        signal: None,
        reason,
        message: None,
        started_at,
        finished_at,
    }
}

fn status(pod: &Pod, records: &[Record]) -> PodStatus {
    let address = Some("10.200.0.5".to_owned());
    compute(&Facts {
        pod,
        records,
        address,
        host: "10.200.0.1".to_owned(),
        now: at(9),
    })
}

fn condition<'a>(status: &'a PodStatus, kind: &str) -> &'a PodCondition {
    status
        .conditions
        .as_ref()
        .unwrap()
        .iter()
        .find(|c| c.type_ == kind)
        .unwrap()
}

#[test]
fn a_pod_is_pending_until_it_is_initialized_and_then_ready() {
    let pod = pod("Always");
    let mut records = record::all(pod.spec.as_ref().unwrap());
    let pending = status(&pod, &records);
    assert_eq!(pending.phase.as_deref(), Some("Pending"));
    assert_eq!(
        condition(&pending, "Initialized").message.as_deref(),
        Some("containers with incomplete status: [prepare]")
    );
    records[0].state = State::Ended(ended(0));
    records[1].state = running();
    (records[1].started, records[1].ready) = (true, true);
    let ready = status(&pod, &records);
    assert_eq!(ready.phase.as_deref(), Some("Running"));
    for kind in ["Initialized", "Ready", "ContainersReady", "PodScheduled"] {
        assert_eq!(condition(&ready, kind).status, "True", "{kind}");
    }
    let container = &ready.container_statuses.unwrap()[0];
    assert_eq!(
        container.container_id.as_deref(),
        Some("sampan://0123456789abcdef0123456789abcdef")
    );
}

#[test]
fn a_failing_readiness_probe_takes_ready_away_and_keeps_the_phase() {
    let pod = pod("Always");
    let mut records = record::all(pod.spec.as_ref().unwrap());
    records[0].state = State::Ended(ended(0));
    records[1].state = running();
    records[1].started = true;
    let status = status(&pod, &records);
    assert_eq!(status.phase.as_deref(), Some("Running"));
    let ready = condition(&status, "Ready");
    assert_eq!(ready.reason.as_deref(), Some("ContainersNotReady"));
    assert_eq!(
        ready.message.as_deref(),
        Some("containers with unready status: [web]")
    );
}

#[test]
fn phases_of_pods_that_have_ended_follow_the_restart_policy() {
    for (policy, code, expected) in [
        ("Always", 0, "Running"),
        ("Always", 1, "Running"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 1, "Running"),
        ("Never", 0, "Succeeded"),
        ("Never", 1, "Failed"),
    ] {
        let pod = pod(policy);
        let mut records = record::all(pod.spec.as_ref().unwrap());
        records[0].state = State::Ended(ended(0));
        records[1].state = State::Ended(ended(code));
        let phase = status(&pod, &records).phase;
        assert_eq!(phase.as_deref(), Some(expected), "{policy} after {code}");
    }
}

#[test]
fn times_of_conditions_move_only_with_their_status() {
    let mut pod = pod("Always");
    let records = record::all(pod.spec.as_ref().unwrap());
    pod.status = Some(status(&pod, &records));
    let later = compute(&Facts {
        pod: &pod,
        records: &records,
        address: Some("10.200.0.5".to_owned()),
        host: "10.200.0.1".to_owned(),
        now: at(99),
    });
    assert_eq!(Some(later), pod.status);
}

#[test]
fn a_closed_readiness_gate_keeps_the_pod_out() {
    let mut pod = pod("Always");
    pod.spec.as_mut().unwrap().readiness_gates =
        Some(vec![k8s_openapi::api::core::v1::PodReadinessGate {
            condition_type: "x/lb".into(),
        }]);
    let mut records = record::all(pod.spec.as_ref().unwrap());
    records[0].state = State::Ended(ended(0));
    records[1].state = running();
    (records[1].started, records[1].ready) = (true, true);
    let status = status(&pod, &records);
    assert_eq!(condition(&status, "ContainersReady").status, "True");
    assert_eq!(
        condition(&status, "Ready").reason.as_deref(),
        Some("ReadinessGatesNotReady")
    );
}
