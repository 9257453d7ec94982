//! One round of a stateful set: which ordinals to make, to stop or to update, in order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;

use super::identity;
use crate::controllers::pods::{self, Availability};
use crate::controllers::revisions::POD_REVISION;

/// The two revisions that a stateful set may be between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revisions {
    /// The one that has been rolled out completely.
    pub(super) current: String,
    /// The one of the present template.
    pub(super) update: String,
}

/// What has to be done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Ordinals to make, each with the revision it gets.
    pub(super) create: Vec<(i32, String)>,
    /// Ordinals whose pods wait, perhaps for a claim that was deleted after they were made.
    pub(super) pending: Vec<i32>,
    /// Names of pods to stop.
    pub(super) delete: Vec<String>,
    /// The status as of now.
    pub(super) status: StatefulSetStatus,
    /// When a ready pod becomes available.
    pub(super) again_at: Option<Timestamp>,
}

/// How the set treats its pods.
struct Policy {
    first: i32,
    replicas: i32,
    ordered: bool,
    rolling: bool,
    partition: i32,
    min_ready: i32,
}

impl Policy {
    fn of(spec: &StatefulSetSpec) -> Self {
        let strategy = spec.update_strategy.as_ref();
        Self {
            first: spec
                .ordinals
                .as_ref()
                .and_then(|ordinals| ordinals.start)
                .unwrap_or(0),
            replicas: spec.replicas.unwrap_or(1),
            ordered: spec.pod_management_policy.as_deref() != Some("Parallel"),
            rolling: strategy.and_then(|s| s.type_.as_deref()) != Some("OnDelete"),
            partition: strategy
                .and_then(|s| s.rolling_update.as_ref())
                .and_then(|rolling| rolling.partition)
                .unwrap_or(0),
            min_ready: spec.min_ready_seconds.unwrap_or(0),
        }
    }

    fn end(&self) -> i32 {
        self.first + self.replicas
    }
}

struct Round<'a> {
    policy: Policy,
    revisions: &'a Revisions,
    /// Pods that the set owns, by ordinal.
    pods: BTreeMap<i32, &'a Pod>,
    now: Timestamp,
    plan: Plan,
}

/// Plans one round from the pods that the set owns.
pub(super) fn plan(
    set: &StatefulSet,
    owned: &[Pod],
    revisions: &Revisions,
    now: Timestamp,
) -> Plan {
    let spec = set.spec.clone().unwrap_or_default();
    let old = set.status.clone().unwrap_or_default();
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let pods = owned
        .iter()
        .filter_map(|pod| Some((identity::ordinal(name, pod.metadata.name.as_deref()?)?, pod)))
        .collect();
    let mut round = Round {
        policy: Policy::of(&spec),
        revisions,
        pods,
        now,
        plan: Plan::default(),
    };
    round.observe(set, &old);
    if set.metadata.deletion_timestamp.is_none() {
        round.act();
        round.note_pending();
    }
    round.plan
}

impl Round<'_> {
    fn act(&mut self) {
        if self.fill() && self.drop_surplus() && self.policy.rolling {
            self.update();
        }
    }

    fn note_pending(&mut self) {
        let range = self.policy.first..self.policy.end();
        let pending = self
            .pods
            .iter()
            .filter(|(ordinal, _)| range.contains(*ordinal))
            .filter(|(_, pod)| pods::phase(pod) == "Pending" && !pods::is_terminating(pod));
        self.plan.pending = pending.map(|(ordinal, _)| *ordinal).collect();
    }

    /// Makes what is missing, from the first ordinal on; false when the rest has to wait.
    fn fill(&mut self) -> bool {
        for ordinal in self.policy.first..self.policy.end() {
            let Some(pod) = self.pods.get(&ordinal).copied() else {
                let revision = self.revision_for(ordinal);
                self.plan.create.push((ordinal, revision));
                if self.policy.ordered {
                    return false;
                }
                continue;
            };
            if pods::is_terminal(pod) && !pods::is_terminating(pod) {
                self.delete(pod);
                if self.policy.ordered {
                    return false;
                }
                continue;
            }
            if !self.policy.ordered || self.is_healthy(pod) {
                continue;
            }
            // A pod that is not healthy holds up the others, except when it can only be replaced:
            // waiting for it would keep a broken template from ever being taken back.
            if self.is_hopeless(ordinal, pod) {
                self.delete(pod);
            }
            return false;
        }
        true
    }

    /// Stops what is beyond the wanted number, from the last ordinal on; false when the rest has to wait.
    fn drop_surplus(&mut self) -> bool {
        let range = self.policy.first..self.policy.end();
        let surplus: Vec<&Pod> = self
            .pods
            .iter()
            .rev()
            .filter(|(o, _)| !range.contains(*o))
            .map(|(_, p)| *p)
            .collect();
        for pod in surplus {
            if !pods::is_terminating(pod) {
                self.delete(pod);
            }
            if self.policy.ordered {
                return false;
            }
        }
        true
    }

    /// Replaces one pod of an outdated revision, from the last ordinal down to the partition.
    fn update(&mut self) {
        let lowest = self.policy.first + self.policy.partition;
        for ordinal in (lowest..self.policy.end()).rev() {
            let Some(pod) = self.pods.get(&ordinal).copied() else {
                return;
            };
            if revision_of(pod) != self.revisions.update && !pods::is_terminating(pod) {
                self.delete(pod);
                return;
            }
            if !self.is_healthy(pod) {
                return;
            }
        }
    }

    fn delete(&mut self, pod: &Pod) {
        self.plan.delete.extend(pod.metadata.name.clone());
    }

    fn is_healthy(&self, pod: &Pod) -> bool {
        pods::phase(pod) == "Running"
            && !pods::is_terminating(pod)
            && pods::availability(pod, self.policy.min_ready, self.now) == Availability::Yes
    }

    /// Whether an unhealthy pod is of a revision that is to be replaced, and that either never was rolled
    /// out completely or has no ready pod left to protect.
    fn is_hopeless(&self, ordinal: i32, pod: &Pod) -> bool {
        self.policy.rolling
            && !pods::is_terminating(pod)
            && ordinal >= self.policy.first + self.policy.partition
            && revision_of(pod) != self.revisions.update
            && (revision_of(pod) != self.revisions.current
                || !self.pods.values().any(|pod| pods::is_ready(pod)))
    }

    /// The revision of a pod that is made anew while an update is under way.
    fn revision_for(&self, ordinal: i32) -> String {
        let keep = ordinal < self.policy.first + self.policy.partition;
        let revision = if self.policy.rolling && keep {
            &self.revisions.current
        } else {
            &self.revisions.update
        };
        revision.clone()
    }

    fn observe(&mut self, set: &StatefulSet, old: &StatefulSetStatus) {
        let mut status = StatefulSetStatus {
            observed_generation: set.metadata.generation,
            collision_count: Some(old.collision_count.unwrap_or(0)),
            conditions: old.conditions.clone(),
            current_revision: Some(self.revisions.current.clone()),
            update_revision: Some(self.revisions.update.clone()),
            ..StatefulSetStatus::default()
        };
        let (mut ready, mut available, mut current, mut updated) = (0, 0, 0, 0);
        for pod in self.pods.values().filter(|pod| !pods::is_terminal(pod)) {
            status.replicas += 1;
            if pods::phase(pod) == "Running" && pods::is_ready(pod) {
                ready += 1;
                match pods::availability(pod, self.policy.min_ready, self.now) {
                    Availability::Yes => available += 1,
                    Availability::From(at) => {
                        let again = self.plan.again_at.map_or(at, |old| old.min(at));
                        self.plan.again_at = Some(again);
                    }
                    Availability::No => {}
                }
            }
            if !pods::is_terminating(pod) {
                current += i32::from(revision_of(pod) == self.revisions.current);
                updated += i32::from(revision_of(pod) == self.revisions.update);
            }
        }
        let whole = status.replicas == self.policy.replicas;
        if self.policy.rolling && whole && updated == status.replicas && ready == updated {
            current = updated;
            status.current_revision = Some(self.revisions.update.clone());
        }
        let some = |count: i32| (count > 0).then_some(count);
        status.ready_replicas = some(ready);
        status.available_replicas = Some(available);
        status.current_replicas = some(current);
        status.updated_replicas = some(updated);
        self.plan.status = status;
    }
}

fn revision_of(pod: &Pod) -> &str {
    pod.metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(POD_REVISION))
        .map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
