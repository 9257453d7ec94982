//! One round of a daemon set: whether to make its pod or to stop it, and the status.

use std::cmp::Reverse;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::controllers::pods::{self, Availability};
use crate::controllers::revisions::POD_REVISION;

/// What is known besides the set and its pods.
pub(super) struct Situation<'a> {
    /// Whether a pod shall be on the node.
    pub(super) wanted: bool,
    /// The hash of the present template.
    pub(super) hash: &'a str,
    /// Now.
    pub(super) now: Timestamp,
}

/// What has to be done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Whether a pod of the present template is to be made.
    pub(super) create: bool,
    /// Names of pods to stop.
    pub(super) delete: Vec<String>,
    /// Pods that have ended, which they should not: reasons and messages.
    pub(super) warnings: Vec<(&'static str, String)>,
    /// The status as of now.
    pub(super) status: DaemonSetStatus,
    /// When a ready pod becomes available.
    pub(super) again_at: Option<Timestamp>,
}

/// How the set replaces a pod.
enum Replacement {
    /// Users delete it.
    OnDelete,
    /// The old one ends before the next one begins.
    OldFirst,
    /// The next one is available before the old one ends.
    NewFirst,
}

impl Replacement {
    fn of(set: &DaemonSet) -> Self {
        let strategy = set
            .spec
            .as_ref()
            .and_then(|spec| spec.update_strategy.as_ref());
        if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
            return Self::OnDelete;
        }
        let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
        match rolling.and_then(|rolling| rolling.max_surge.as_ref()) {
            Some(IntOrString::Int(1..)) => Self::NewFirst,
            // Of one pod any share is one pod.
            Some(IntOrString::String(share)) if share.trim_end_matches('%') != "0" => {
                Self::NewFirst
            }
            _ => Self::OldFirst,
        }
    }
}

/// The hash of the template that a pod was made from.
pub(super) fn hash_of(pod: &Pod) -> &str {
    let labels = pod.metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(POD_REVISION))
        .map_or("", String::as_str)
}

/// Plans one round from the pods that the set owns.
pub(super) fn plan(set: &DaemonSet, owned: &[Pod], situation: &Situation<'_>) -> Plan {
    let mut plan = Plan::default();
    observe(set, owned, situation, &mut plan);
    if set.metadata.deletion_timestamp.is_some() {
        return plan;
    }
    let staying = owned.iter().filter(|pod| !pods::is_terminating(pod));
    if !situation.wanted {
        plan.delete = staying
            .filter_map(|pod| pod.metadata.name.clone())
            .collect();
        return plan;
    }
    if owned.is_empty() {
        plan.create = true;
        return plan;
    }
    let (ended, mut alive): (Vec<&Pod>, Vec<&Pod>) =
        staying.partition(|pod| pods::is_terminal(pod));
    for pod in ended {
        plan.warnings.push(warning(set, pod));
        plan.delete.extend(pod.metadata.name.clone());
    }
    // The oldest of each template is kept, should there be several.
    alive.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
    let (mut new, mut old): (Vec<&Pod>, Vec<&Pod>) = alive
        .into_iter()
        .partition(|pod| hash_of(pod) == situation.hash);
    let surplus = new
        .drain(new.len().min(1)..)
        .chain(old.drain(old.len().min(1)..));
    plan.delete
        .extend(surplus.filter_map(|pod| pod.metadata.name.clone()));
    replace(
        set,
        (new.first().copied(), old.first().copied()),
        situation,
        &mut plan,
    );
    plan
}

/// Replaces the pod of an outdated template.
fn replace(
    set: &DaemonSet,
    (new, old): (Option<&Pod>, Option<&Pod>),
    situation: &Situation<'_>,
    plan: &mut Plan,
) {
    let Some(old) = old else { return };
    let available =
        |pod: &Pod| pods::availability(pod, min_ready(set), situation.now) == Availability::Yes;
    match (Replacement::of(set), new) {
        (Replacement::OnDelete, None) => {}
        (Replacement::NewFirst, None) => plan.create = true,
        // As long as the new one is not available, the old one is what there is, if it works.
        (Replacement::NewFirst, Some(new)) if !available(new) && available(old) => {}
        _ => plan.delete.extend(old.metadata.name.clone()),
    }
}

fn min_ready(set: &DaemonSet) -> i32 {
    let spec = set.spec.as_ref();
    spec.and_then(|spec| spec.min_ready_seconds).unwrap_or(0)
}

fn warning(set: &DaemonSet, pod: &Pod) -> (&'static str, String) {
    let namespace = set.metadata.namespace.as_deref().unwrap_or_default();
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let node = node.unwrap_or_default();
    let (reason, how) = match pods::phase(pod) {
        "Failed" => ("FailedDaemonPod", "failed"),
        _ => ("SucceededDaemonPod", "succeeded"),
    };
    let message =
        format!("Found {how} daemon pod {namespace}/{name} on node {node}, will try to delete it");
    (reason, message)
}

fn observe(set: &DaemonSet, owned: &[Pod], situation: &Situation<'_>, plan: &mut Plan) {
    let old = set.status.clone().unwrap_or_default();
    let mut status = DaemonSetStatus {
        observed_generation: set.metadata.generation,
        collision_count: old.collision_count,
        conditions: old.conditions,
        ..DaemonSetStatus::default()
    };
    // While one pod replaces another, the one that serves speaks for the node.
    let speaker = owned.iter().min_by_key(|pod| {
        (
            !pods::is_active(pod),
            !pods::is_ready(pod),
            Reverse(hash_of(pod) == situation.hash),
            pod.metadata.creation_timestamp.clone(),
        )
    });
    if situation.wanted {
        status.desired_number_scheduled = 1;
        let (mut updated, mut available) = (0, 0);
        if let Some(pod) = speaker {
            status.current_number_scheduled = 1;
            updated = i32::from(hash_of(pod) == situation.hash);
            status.number_ready = i32::from(pods::is_ready(pod));
            match pods::availability(pod, min_ready(set), situation.now) {
                Availability::Yes => available = 1,
                Availability::From(at) => plan.again_at = Some(at),
                Availability::No => {}
            }
        }
        let some = |count: i32| (count > 0).then_some(count);
        status.updated_number_scheduled = some(updated);
        status.number_available = some(available);
        status.number_unavailable = some(1 - available);
    } else if speaker.is_some() {
        status.number_misscheduled = 1;
    }
    plan.status = status;
}

#[cfg(test)]
mod tests;
