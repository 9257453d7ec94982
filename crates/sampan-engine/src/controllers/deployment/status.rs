//! The status of a deployment: counts, and conditions worded as Kubernetes words them.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus, ReplicaSet,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::limits;

const PROGRESSING: &str = "Progressing";
const AVAILABLE: &str = "Available";
const FAILURE: &str = "ReplicaFailure";
const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";

/// What happened to the new replica set in this round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It was just made.
    Created,
    /// It was there.
    Found,
    /// There is none yet.
    Missing,
}

/// Computes the status from the replica sets; `new` is the place of the one with the current template.
pub(super) fn compute(
    deployment: &Deployment,
    sets: &[ReplicaSet],
    new: Option<usize>,
    step: Step,
    now: Timestamp,
) -> DeploymentStatus {
    let spec = deployment.spec.clone().unwrap_or_default();
    let old = deployment.status.clone().unwrap_or_default();
    let mut status = counts(deployment, sets, new);
    status.conditions.clone_from(&old.conditions);
    set_available(&mut status, &spec, now);
    if spec.paused == Some(true) {
        set_paused(&mut status, &spec, now);
    } else {
        let name = new.and_then(|i| sets[i].metadata.name.clone());
        Progress {
            deployment,
            spec: &spec,
            old: &old,
            name,
            step,
            now,
        }
        .set(&mut status);
    }
    set_failure(&mut status, sets, new, now);
    status
}

fn counts(deployment: &Deployment, sets: &[ReplicaSet], new: Option<usize>) -> DeploymentStatus {
    let sum = |pick: fn(&k8s_openapi::api::apps::v1::ReplicaSetStatus) -> i32| -> i32 {
        sets.iter()
            .filter_map(|set| set.status.as_ref())
            .map(pick)
            .sum()
    };
    let wanted: i32 = sets
        .iter()
        .filter_map(|set| set.spec.as_ref())
        .filter_map(|spec| spec.replicas)
        .sum();
    let available = sum(|status| status.available_replicas.unwrap_or(0));
    let updated = new
        .and_then(|i| sets[i].status.as_ref())
        .map_or(0, |status| status.replicas);
    let some = |count: i32| (count > 0).then_some(count);
    DeploymentStatus {
        available_replicas: some(available),
        collision_count: deployment
            .status
            .as_ref()
            .and_then(|status| status.collision_count),
        observed_generation: deployment.metadata.generation,
        ready_replicas: some(sum(|status| status.ready_replicas.unwrap_or(0))),
        replicas: some(sum(|status| status.replicas)),
        unavailable_replicas: some(wanted - available),
        updated_replicas: some(updated),
        ..DeploymentStatus::default()
    }
}

fn set_available(status: &mut DeploymentStatus, spec: &DeploymentSpec, now: Timestamp) {
    let replicas = spec.replicas.unwrap_or(1);
    let minimum = replicas - limits(spec, replicas).map_or(0, |limits| limits.unavailable);
    let condition = if status.available_replicas.unwrap_or(0) >= minimum {
        condition(AVAILABLE, "True", "MinimumReplicasAvailable", now)
            .message("Deployment has minimum availability.")
    } else {
        condition(AVAILABLE, "False", "MinimumReplicasUnavailable", now)
            .message("Deployment does not have minimum availability.")
    };
    set(status, condition);
}

fn set_paused(status: &mut DeploymentStatus, spec: &DeploymentSpec, now: Timestamp) {
    let reason = progressing(status).and_then(|condition| condition.reason.as_deref());
    if spec.progress_deadline_seconds.is_some() && reason != Some(TIMED_OUT) {
        set(
            status,
            condition(PROGRESSING, "Unknown", "DeploymentPaused", now)
                .message("Deployment is paused"),
        );
    }
}

fn set_failure(
    status: &mut DeploymentStatus,
    sets: &[ReplicaSet],
    new: Option<usize>,
    now: Timestamp,
) {
    let failure = |set: &ReplicaSet| {
        set.status
            .as_ref()?
            .conditions
            .iter()
            .flatten()
            .find(|c| c.type_ == FAILURE)
            .cloned()
    };
    let found = new
        .and_then(|i| failure(&sets[i]))
        .or_else(|| sets.iter().find_map(failure));
    match found {
        Some(found) => set(
            status,
            condition(
                FAILURE,
                &found.status,
                found.reason.as_deref().unwrap_or_default(),
                now,
            )
            .message(found.message.as_deref().unwrap_or_default()),
        ),
        None => remove(status, FAILURE),
    }
}

/// The progress of a rollout, and when it counts as stuck.
struct Progress<'a> {
    deployment: &'a Deployment,
    spec: &'a DeploymentSpec,
    old: &'a DeploymentStatus,
    name: Option<String>,
    step: Step,
    now: Timestamp,
}

impl Progress<'_> {
    fn set(&self, status: &mut DeploymentStatus) {
        let Some(deadline) = self.spec.progress_deadline_seconds else {
            remove(status, PROGRESSING);
            return;
        };
        let reason = |status: &DeploymentStatus| {
            progressing(status).and_then(|condition| condition.reason.clone())
        };
        if reason(status).as_deref() == Some("DeploymentPaused") {
            let resumed = condition(PROGRESSING, "Unknown", "DeploymentResumed", self.now);
            set(status, resumed.message("Deployment is resumed"));
        }
        let name = self.name.as_deref().unwrap_or_default();
        match self.step {
            Step::Created => set(
                status,
                condition(PROGRESSING, "True", "NewReplicaSetCreated", self.now)
                    .message(&format!("Created new replica set \"{name}\"")),
            ),
            Step::Found if progressing(status).is_none() => set(
                status,
                condition(PROGRESSING, "True", "FoundNewReplicaSet", self.now)
                    .message(&format!("Found new replica set \"{name}\"")),
            ),
            Step::Found | Step::Missing => {}
        }
        // A rollout that has ended stays so, until pods of another template exist.
        if status.replicas == status.updated_replicas && reason(status).as_deref() == Some(COMPLETE)
        {
            return;
        }
        if is_complete(self.spec, status) {
            let done = condition(PROGRESSING, "True", COMPLETE, self.now);
            set(
                status,
                done.message(&self.says("has successfully progressed.")),
            );
        } else if self.advanced(status) {
            self.set_advanced(status);
        } else if self.timed_out(status, deadline) {
            let late = condition(PROGRESSING, "False", TIMED_OUT, self.now);
            set(
                status,
                late.message(&self.says("has timed out progressing.")),
            );
        }
    }

    fn says(&self, what: &str) -> String {
        let name = self.deployment.metadata.name.as_deref().unwrap_or_default();
        match &self.name {
            Some(set) => format!("ReplicaSet \"{set}\" {what}"),
            None => format!("Deployment \"{name}\" {what}"),
        }
    }

    fn advanced(&self, status: &DeploymentStatus) -> bool {
        let old_pods = |status: &DeploymentStatus| {
            status.replicas.unwrap_or(0) - status.updated_replicas.unwrap_or(0)
        };
        status.updated_replicas > self.old.updated_replicas
            || old_pods(status) < old_pods(self.old)
            || status.ready_replicas > self.old.ready_replicas
            || status.available_replicas > self.old.available_replicas
    }

    /// Renews the time of the last progress, which the deadline counts from.
    fn set_advanced(&self, status: &mut DeploymentStatus) {
        let mut fresh = condition(PROGRESSING, "True", "ReplicaSetUpdated", self.now)
            .message(&self.says("is progressing."));
        if let Some(current) = progressing(status).filter(|current| current.status == "True") {
            fresh
                .0
                .last_transition_time
                .clone_from(&current.last_transition_time);
        }
        remove(status, PROGRESSING);
        set(status, fresh);
    }

    fn timed_out(&self, status: &DeploymentStatus, deadline: i32) -> bool {
        let Some(condition) = progressing(status) else {
            return false;
        };
        match condition.reason.as_deref() {
            Some(COMPLETE) => false,
            Some(TIMED_OUT) => true,
            _ => condition
                .last_update_time
                .as_ref()
                .is_some_and(|from| self.now >= deadline_of(from, deadline)),
        }
    }
}

fn deadline_of(from: &Time, seconds: i32) -> Timestamp {
    from.0
        .checked_add(SignedDuration::from_secs(seconds.into()))
        .unwrap_or(Timestamp::MAX)
}

/// When a rollout that makes no progress will have to be looked at again.
pub(super) fn next_deadline(spec: &DeploymentSpec, status: &DeploymentStatus) -> Option<Timestamp> {
    let condition = progressing(status)?;
    if matches!(condition.reason.as_deref(), Some(COMPLETE | TIMED_OUT))
        || spec.paused == Some(true)
    {
        return None;
    }
    Some(deadline_of(
        condition.last_update_time.as_ref()?,
        spec.progress_deadline_seconds?,
    ))
}

/// Whether every pod is of the current template and available, and that has been observed.
pub(super) fn is_complete(spec: &DeploymentSpec, status: &DeploymentStatus) -> bool {
    let wanted = spec.replicas.unwrap_or(1);
    [
        status.updated_replicas,
        status.replicas,
        status.available_replicas,
    ]
    .iter()
    .all(|count| count.unwrap_or(0) == wanted)
}

fn progressing(status: &DeploymentStatus) -> Option<&DeploymentCondition> {
    status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == PROGRESSING)
}

/// A condition in the making.
struct New(DeploymentCondition);

impl New {
    fn message(mut self, message: &str) -> Self {
        self.0.message = Some(message.to_owned());
        self
    }
}

fn condition(kind: &str, status: &str, reason: &str, now: Timestamp) -> New {
    New(DeploymentCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        last_transition_time: Some(Time(now)),
        last_update_time: Some(Time(now)),
        message: None,
    })
}

/// Puts a condition in place, unless the present one says the same.
fn set(status: &mut DeploymentStatus, New(mut fresh): New) {
    let conditions = status.conditions.get_or_insert_default();
    if let Some(place) = conditions.iter_mut().find(|have| have.type_ == fresh.type_) {
        if place.status == fresh.status && place.reason == fresh.reason {
            return;
        }
        if place.status == fresh.status {
            fresh
                .last_transition_time
                .clone_from(&place.last_transition_time);
        }
        *place = fresh;
    } else {
        conditions.push(fresh);
    }
}

fn remove(status: &mut DeploymentStatus, kind: &str) {
    if let Some(conditions) = status.conditions.as_mut() {
        conditions.retain(|condition| condition.type_ != kind);
    }
}
