//! Jobs that are deleted when they have ended.

use k8s_openapi::api::core::v1::Event;
use serde_json::Value;

use super::State;
use crate::manifests::Object;

/// What the target warns of when it gives a job up.
const FAILURES: [&str; 5] = [
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "FailedIndexes",
    "MaxFailedIndexesExceeded",
    "PodFailurePolicy",
];

/// Whether an object is a job that the target deletes some time after its end.
pub(super) fn goes_when_done(object: &Object) -> bool {
    let time = object.body.pointer("/spec/ttlSecondsAfterFinished");
    object.id.kind == "Job" && time.is_some_and(Value::is_number)
}

/// How a job that has gone by itself has ended. Events are kept for a while only; without one, nothing speaks against it.
pub(super) fn end(events: &[Event], name: &str) -> (State, String) {
    let last = events
        .iter()
        .filter(|event| event.involved_object.kind.as_deref() == Some("Job"))
        .filter(|event| event.involved_object.name.as_deref() == Some(name))
        .filter(|event| {
            let reason = event.reason.as_deref().unwrap_or_default();
            reason == "Completed" || FAILURES.contains(&reason)
        })
        .max_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    match last.filter(|event| event.reason.as_deref() != Some("Completed")) {
        Some(event) => {
            let why = event.message.as_deref().unwrap_or_default();
            (State::Failed, format!("failed: {why}"))
        }
        None => (State::Healthy, "ended and gone, as it asks".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, reason: &str, second: u8) -> Event {
        serde_json::from_value(json!({
            "metadata": {},
            "involvedObject": {"kind": "Job", "name": name},
            "reason": reason,
            "message": "too often",
            "lastTimestamp": format!("2026-01-01T00:00:{second:02}Z"),
        }))
        .unwrap()
    }

    #[test]
    fn a_job_that_is_gone_ended_as_its_last_event_says() {
        let failed = event("a", "BackoffLimitExceeded", 5);
        let later = event("a", "SuccessfulDelete", 9);
        let told = [failed, later, event("b", "Completed", 8)];
        assert_eq!(
            end(&told, "a"),
            (State::Failed, "failed: too often".to_owned())
        );
        assert_eq!(end(&told, "b").0, State::Healthy);
        let again = [event("a", "Completed", 7), told[0].clone()];
        assert_eq!(end(&again, "a").0, State::Healthy);
        assert_eq!(end(&[], "a").0, State::Healthy);
    }
}
