//! One round of a replica set: which pods to make, which to stop, and the status.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;

use crate::controllers::pods::{self, Availability};

/// How many pods one round makes or stops at most; the next round goes on.
const BURST: usize = 500;

/// What has to be done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// How many pods to make.
    pub(super) create: usize,
    /// Names of pods to stop.
    pub(super) delete: Vec<String>,
    /// The status as of now.
    pub(super) status: ReplicaSetStatus,
    /// When a ready pod becomes available.
    pub(super) again_at: Option<Timestamp>,
}

/// Plans one round from the pods that the set owns.
pub(super) fn plan(set: &ReplicaSet, owned: &[Pod], now: Timestamp) -> Plan {
    let active: Vec<&Pod> = owned.iter().filter(|pod| pods::is_active(pod)).collect();
    let wanted = set
        .spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let (status, again_at) = status(set, &active, now);
    let mut plan = Plan {
        status,
        again_at,
        ..Plan::default()
    };
    if set.metadata.deletion_timestamp.is_some() {
        return plan;
    }
    if active.len() < wanted {
        plan.create = (wanted - active.len()).min(BURST);
    } else {
        plan.delete = surplus(active, wanted);
    }
    plan
}

fn surplus(mut active: Vec<&Pod>, wanted: usize) -> Vec<String> {
    let count = (active.len() - wanted).min(BURST);
    active.sort_by_cached_key(|pod| pods::removal_rank(pod));
    active
        .iter()
        .take(count)
        .filter_map(|pod| pod.metadata.name.clone())
        .collect()
}

fn status(
    set: &ReplicaSet,
    active: &[&Pod],
    now: Timestamp,
) -> (ReplicaSetStatus, Option<Timestamp>) {
    let spec = set.spec.clone().unwrap_or_default();
    let template_labels = spec.template.and_then(|template| template.metadata?.labels);
    let labelled = active.iter().filter(|pod| {
        let labels = pod.metadata.labels.as_ref();
        template_labels
            .iter()
            .flatten()
            .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    });
    let min_ready = spec.min_ready_seconds.unwrap_or(0);
    let (mut available, mut again_at) = (0, None::<Timestamp>);
    for pod in active {
        match pods::availability(pod, min_ready, now) {
            Availability::Yes => available += 1,
            Availability::From(at) => again_at = Some(again_at.map_or(at, |old| old.min(at))),
            Availability::No => {}
        }
    }
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let some = |count: i32| (count > 0).then_some(count);
    let status = ReplicaSetStatus {
        replicas: count(active.len()),
        fully_labeled_replicas: some(count(labelled.count())),
        ready_replicas: some(count(
            active.iter().filter(|pod| pods::is_ready(pod)).count(),
        )),
        available_replicas: some(available),
        observed_generation: set.metadata.generation,
        conditions: set
            .status
            .as_ref()
            .and_then(|status| status.conditions.clone()),
        ..ReplicaSetStatus::default()
    };
    (status, again_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::apps::v1::ReplicaSetSpec;
    use k8s_openapi::api::core::v1::{PodCondition, PodSpec, PodStatus};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn set(replicas: i32, min_ready: i32) -> ReplicaSet {
        ReplicaSet {
            spec: Some(ReplicaSetSpec {
                replicas: Some(replicas),
                min_ready_seconds: Some(min_ready),
                ..ReplicaSetSpec::default()
            }),
            ..ReplicaSet::default()
        }
    }

    fn pod(name: &str, phase: &str, ready_since: Option<i64>, created: i64) -> Pod {
        let ready = ready_since.map(|since| PodCondition {
            type_: "Ready".to_owned(),
            status: "True".to_owned(),
            last_transition_time: Some(Time(at(since))),
            ..PodCondition::default()
        });
        Pod {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                creation_timestamp: Some(Time(at(created))),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec {
                node_name: Some("node".to_owned()),
                ..PodSpec::default()
            }),
            status: Some(PodStatus {
                phase: Some(phase.to_owned()),
                conditions: ready.map(|ready| vec![ready]),
                ..PodStatus::default()
            }),
        }
    }

    #[test]
    fn missing_pods_are_made_and_ended_ones_replaced() {
        let owned = [pod("a", "Running", Some(1), 1), pod("b", "Failed", None, 1)];
        assert_eq!(plan(&set(3, 0), &owned, at(9)).create, 2);
    }

    #[test]
    fn unready_and_young_pods_go_first() {
        let owned = [
            pod("old", "Running", Some(10), 1),
            pod("young", "Running", Some(20), 15),
            pod("unready", "Running", None, 1),
            pod("pending", "Pending", None, 1),
        ];
        assert_eq!(
            plan(&set(1, 0), &owned, at(99)).delete,
            ["pending", "unready", "young"]
        );
    }

    #[test]
    fn a_ready_pod_is_available_after_min_ready_seconds() {
        let owned = [pod("a", "Running", Some(100), 1)];
        let early = plan(&set(1, 30), &owned, at(110));
        assert_eq!(
            (early.status.available_replicas, early.again_at),
            (None, Some(at(130)))
        );
        let late = plan(&set(1, 30), &owned, at(130));
        assert_eq!(
            (late.status.available_replicas, late.again_at),
            (Some(1), None)
        );
    }
}
