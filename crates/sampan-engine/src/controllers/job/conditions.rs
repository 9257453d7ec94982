//! The conditions of a job: whether it has ended, how, and what is in between.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(super) const COMPLETE: &str = "Complete";
pub(super) const FAILED: &str = "Failed";
pub(super) const SUSPENDED: &str = "Suspended";
/// It has succeeded, and its last pods are ending.
pub(super) const SUCCESS_CRITERIA_MET: &str = "SuccessCriteriaMet";
/// It has failed, and its last pods are ending.
pub(super) const FAILURE_TARGET: &str = "FailureTarget";

/// How a job has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Complete,
    /// It was given up.
    Failed,
}

/// How a job has ended, if it has.
pub(crate) fn outcome(job: &Job) -> Option<Outcome> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    if holds(conditions, COMPLETE) {
        Some(Outcome::Complete)
    } else if holds(conditions, FAILED) {
        Some(Outcome::Failed)
    } else {
        None
    }
}

/// When a job that has ended is to be deleted, if it says so.
pub(super) fn expires_at(job: &Job) -> Option<Timestamp> {
    let seconds = job.spec.as_ref()?.ttl_seconds_after_finished?;
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    let last = [COMPLETE, FAILED]
        .into_iter()
        .filter_map(|kind| find(conditions, kind))
        .find(|condition| condition.status == "True")?;
    let ended = last.last_transition_time.as_ref()?.0;
    ended
        .checked_add(SignedDuration::from_secs(seconds.into()))
        .ok()
}

/// A condition of this type.
pub(super) fn find<'a>(conditions: &'a [JobCondition], kind: &str) -> Option<&'a JobCondition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether a condition is true.
pub(super) fn holds(conditions: &[JobCondition], kind: &str) -> bool {
    find(conditions, kind).is_some_and(|condition| condition.status == "True")
}

/// Why a condition is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    /// In one word.
    pub(super) reason: String,
    /// In a sentence.
    pub(super) message: String,
}

impl Why {
    pub(super) fn new(reason: &str, message: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    }

    /// What a condition says.
    pub(super) fn of(condition: &JobCondition) -> Self {
        Self {
            reason: condition.reason.clone().unwrap_or_default(),
            message: condition.message.clone().unwrap_or_default(),
        }
    }
}

/// Sets a condition; tells whether it was different before.
pub(super) fn set(
    conditions: &mut Vec<JobCondition>,
    kind: &str,
    value: bool,
    why: &Why,
    now: Timestamp,
) -> bool {
    let status = if value { "True" } else { "False" };
    if find(conditions, kind).is_some_and(|condition| condition.status == status) {
        return false;
    }
    conditions.retain(|condition| condition.type_ != kind);
    conditions.push(JobCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(why.reason.clone()),
        message: Some(why.message.clone()),
        last_probe_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    });
    true
}
