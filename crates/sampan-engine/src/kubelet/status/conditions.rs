//! The conditions of a pod.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Facts, init_is_done, is_initialized, is_ready};
use crate::kubelet::record::{Record, Role};

/// Computes the conditions; those of others, such as readiness gates, are left alone.
pub(super) fn compute(facts: &Facts<'_>, phase: &str) -> Vec<PodCondition> {
    let completed = phase == "Succeeded";
    let containers = containers(facts.records, completed);
    let ready = if containers.ok {
        gates(facts.pod)
    } else {
        containers.clone()
    };
    let network = if facts.address.is_some() {
        Verdict::yes()
    } else {
        Verdict::no_reason()
    };
    let ours = [
        ("PodReadyToStartContainers", network),
        ("Initialized", initialized(facts.records, completed)),
        ("Ready", ready),
        ("ContainersReady", containers),
        ("PodScheduled", Verdict::yes()),
    ];
    let status = facts.pod.status.as_ref();
    let old = status
        .and_then(|status| status.conditions.clone())
        .unwrap_or_default();
    let mut list: Vec<PodCondition> = ours
        .iter()
        .map(|(kind, verdict)| verdict.condition(kind, &old, facts.now))
        .collect();
    let is_ours = |condition: &PodCondition| ours.iter().any(|(kind, _)| *kind == condition.type_);
    list.extend(old.into_iter().filter(|condition| !is_ours(condition)));
    list
}

fn names(records: &[Record], pick: impl Fn(&Record) -> bool) -> Option<String> {
    let picked: Vec<&str> = records
        .iter()
        .filter(|record| pick(record))
        .map(|record| record.name.as_str())
        .collect();
    (!picked.is_empty()).then(|| picked.join(" "))
}

fn containers(records: &[Record], completed: bool) -> Verdict {
    if completed {
        return Verdict::no("PodCompleted", None);
    }
    match names(records, |record| {
        record.role != Role::Init && !is_ready(record)
    }) {
        None => Verdict::yes(),
        Some(list) => Verdict::no(
            "ContainersNotReady",
            Some(format!("containers with unready status: [{list}]")),
        ),
    }
}

fn initialized(records: &[Record], completed: bool) -> Verdict {
    let missing = |record: &Record| record.role != Role::App && !init_is_done(record);
    let list = if is_initialized(records) {
        None
    } else {
        names(records, missing)
    };
    match list {
        Some(list) => Verdict::no(
            "ContainersNotInitialized",
            Some(format!("containers with incomplete status: [{list}]")),
        ),
        None if completed => Verdict {
            reason: Some("PodCompleted"),
            ..Verdict::yes()
        },
        None => Verdict::yes(),
    }
}

/// Whether all readiness gates of a pod are open.
fn gates(pod: &Pod) -> Verdict {
    let gates = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.readiness_gates.as_ref());
    let closed = gates.into_iter().flatten().find_map(|gate| {
        let kind = &gate.condition_type;
        match crate::controllers::pods::condition(pod, kind) {
            None => Some(format!(
                "corresponding condition of pod readiness gate \"{kind}\" does not exist."
            )),
            Some(found) if found.status == "True" => None,
            Some(found) => Some(format!(
                "the status of pod readiness gate \"{kind}\" is not \"True\", but {}",
                found.status
            )),
        }
    });
    match closed {
        None => Verdict::yes(),
        Some(message) => Verdict::no("ReadinessGatesNotReady", Some(message)),
    }
}

/// What a condition says.
#[derive(Clone, Debug)]
struct Verdict {
    ok: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Verdict {
    fn yes() -> Self {
        Self {
            ok: true,
            reason: None,
            message: None,
        }
    }

    fn no_reason() -> Self {
        Self {
            ok: false,
            reason: None,
            message: None,
        }
    }

    fn no(reason: &'static str, message: Option<String>) -> Self {
        Self {
            ok: false,
            reason: Some(reason),
            message,
        }
    }

    fn condition(&self, kind: &str, old: &[PodCondition], now: Timestamp) -> PodCondition {
        let status = if self.ok { "True" } else { "False" };
        let before = old.iter().find(|condition| condition.type_ == kind);
        let since = before
            .filter(|before| before.status == status)
            .and_then(|before| before.last_transition_time.clone());
        PodCondition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: self.reason.map(str::to_owned),
            message: self.message.clone(),
            last_transition_time: since.or(Some(Time(now))),
            ..PodCondition::default()
        }
    }
}
