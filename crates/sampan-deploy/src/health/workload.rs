//! What the status of each kind says.

use serde_json::Value;

use super::State;

const KINDS: [&str; 7] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Pod",
    "Job",
    "PersistentVolumeClaim",
];

/// Whether objects of the kind can be healthy or not; others are fine as soon as they exist.
pub(super) fn has_health(kind: &str) -> bool {
    KINDS.contains(&kind)
}

/// The state and a few words about it.
pub(super) fn assess(kind: &str, live: &Value) -> (State, String) {
    if !observed(live) {
        return (State::Waiting, "not taken up yet".to_owned());
    }
    match kind {
        "Deployment" => deployment(live),
        "StatefulSet" => stateful_set(live),
        "DaemonSet" => daemon_set(live),
        "ReplicaSet" => replicas(live, number(live, "/status/readyReplicas")),
        "Pod" => pod(live),
        "Job" => job(live),
        "PersistentVolumeClaim" => claim(live),
        _ => (State::Healthy, "there".to_owned()),
    }
}

/// Whether it is a pod that has not ended.
pub(super) fn goes_on(live: &Value) -> bool {
    let phase = live.pointer("/status/phase").and_then(Value::as_str);
    text(live, "kind") == "Pod" && phase != Some("Succeeded")
}

/// The labels by which an object finds its pods, as a selector; a pod finds itself by its own.
pub(super) fn selector(live: &Value) -> Option<String> {
    let labels = live.pointer("/spec/selector/matchLabels").or_else(|| {
        (live.get("kind").and_then(Value::as_str) == Some("Pod"))
            .then(|| live.pointer("/metadata/labels"))?
    });
    let Value::Object(labels) = labels? else {
        return None;
    };
    let terms: Vec<String> = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    (!terms.is_empty()).then(|| terms.join(","))
}

/// Whether the status speaks of the spec as it is now.
fn observed(live: &Value) -> bool {
    match live
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64)
    {
        Some(observed) => {
            observed
                >= live
                    .pointer("/metadata/generation")
                    .and_then(Value::as_i64)
                    .unwrap_or(0)
        }
        None => !matches!(
            live.get("kind").and_then(Value::as_str),
            Some("Deployment" | "StatefulSet" | "DaemonSet")
        ),
    }
}

fn number(live: &Value, path: &str) -> i64 {
    live.pointer(path).and_then(Value::as_i64).unwrap_or(0)
}

fn wanted(live: &Value) -> i64 {
    live.pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or(1)
}

fn state(healthy: bool) -> State {
    if healthy {
        State::Healthy
    } else {
        State::Waiting
    }
}

fn replicas(live: &Value, ready: i64) -> (State, String) {
    let wanted = wanted(live);
    (
        state(ready >= wanted && number(live, "/status/replicas") == wanted),
        format!("{ready}/{wanted} ready"),
    )
}

fn deployment(live: &Value) -> (State, String) {
    let wanted = wanted(live);
    let updated = number(live, "/status/updatedReplicas");
    let available = number(live, "/status/availableReplicas");
    let all = number(live, "/status/replicas");
    let progressing = condition(live, "Progressing");
    if progressing.is_some_and(|condition| text(condition, "reason") == "ProgressDeadlineExceeded")
    {
        return (
            State::Failed,
            "made no progress within its own deadline".to_owned(),
        );
    }
    let summary = if updated < wanted {
        format!("{updated}/{wanted} updated, {available} available")
    } else if all > updated {
        format!(
            "{updated}/{wanted} updated, {} old ones ending",
            all - updated
        )
    } else {
        format!("{available}/{wanted} ready")
    };
    (
        state(updated >= wanted && all <= updated && available >= wanted),
        summary,
    )
}

fn stateful_set(live: &Value) -> (State, String) {
    let wanted = wanted(live);
    let ready = number(live, "/status/readyReplicas");
    let updated = number(live, "/status/updatedReplicas");
    let revision = |name: &str| {
        live.pointer(&format!("/status/{name}"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let partition = number(live, "/spec/updateStrategy/rollingUpdate/partition");
    let on_delete = live
        .pointer("/spec/updateStrategy/type")
        .and_then(Value::as_str)
        == Some("OnDelete");
    let current = revision("currentRevision") == revision("updateRevision");
    let all_updated = on_delete || current || updated >= wanted - partition;
    let summary = if all_updated {
        format!("{ready}/{wanted} ready")
    } else {
        format!("{updated}/{wanted} updated, {ready} ready")
    };
    (state(all_updated && ready >= wanted), summary)
}

fn daemon_set(live: &Value) -> (State, String) {
    let wanted = number(live, "/status/desiredNumberScheduled");
    let updated = number(live, "/status/updatedNumberScheduled");
    let available = number(live, "/status/numberAvailable");
    let on_delete = live
        .pointer("/spec/updateStrategy/type")
        .and_then(Value::as_str)
        == Some("OnDelete");
    let all_updated = on_delete || updated >= wanted;
    let summary = if all_updated {
        format!("{available}/{wanted} ready")
    } else {
        format!("{updated}/{wanted} updated, {available} ready")
    };
    (state(all_updated && available >= wanted), summary)
}

fn pod(live: &Value) -> (State, String) {
    let phase = live
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or("Pending");
    let ready =
        condition(live, "Ready").is_some_and(|condition| text(condition, "status") == "True");
    match phase {
        "Succeeded" => (State::Healthy, "completed".to_owned()),
        "Failed" => (State::Failed, "failed".to_owned()),
        _ if ready => (State::Healthy, "ready".to_owned()),
        _ => (State::Waiting, phase.to_lowercase()),
    }
}

fn job(live: &Value) -> (State, String) {
    let is =
        |kind| condition(live, kind).is_some_and(|condition| text(condition, "status") == "True");
    if is("Failed") {
        let why = condition(live, "Failed").map_or("", |condition| text(condition, "message"));
        return (State::Failed, format!("failed: {why}"));
    }
    let suspended = live.pointer("/spec/suspend").and_then(Value::as_bool);
    if suspended == Some(true) && !is("Complete") {
        // Whoever wrote that it shall not run yet does not wait for it.
        return (State::Healthy, "suspended".to_owned());
    }
    let wanted = live
        .pointer("/spec/completions")
        .and_then(Value::as_i64)
        .unwrap_or(1);
    (
        state(is("Complete")),
        format!("{}/{wanted} completed", number(live, "/status/succeeded")),
    )
}

fn claim(live: &Value) -> (State, String) {
    let phase = live
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or("Pending");
    (state(phase == "Bound"), phase.to_lowercase())
}

fn condition<'a>(live: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = live.pointer("/status/conditions")?.as_array()?;
    conditions
        .iter()
        .find(|condition| text(condition, "type") == kind)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
