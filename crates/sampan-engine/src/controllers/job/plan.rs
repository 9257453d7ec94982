//! One round of a job: which pods to make, which to stop, and the status.
//!
//! A pod that has ended counts once. The status keeps the count, and beside it the identities of the counted pods
//! that are still there (`uncountedTerminatedPods`), so that a pod may be deleted at any time without being lost or
//! counted again. Both are written at once, which is why pods need no finalizers here. Once that is written, the pods
//! themselves are marked as counted and leave the list, which otherwise would be as long as the job.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus, UncountedTerminatedPods};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions::{self, Why};
use super::ended::{self, has_failed, has_succeeded, is_ending};
use super::{backoff, indexes};
use crate::controllers::pods;

/// How many pods one round makes, stops or marks at most; the next round goes on.
const BURST: usize = 500;

/// What users are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    Completed,
    Failed { reason: String, message: String },
    Suspended,
    Resumed,
}

/// What has to be done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Pods to make, each with its index if they have one.
    pub(super) create: Vec<Option<i32>>,
    /// Names of pods to stop.
    pub(super) delete: Vec<String>,
    /// Names of pods to mark as counted, once the status is written.
    pub(super) mark: Vec<String>,
    /// The status as of now.
    pub(super) status: JobStatus,
    /// When to look again although nothing changes.
    pub(super) again_at: Option<Timestamp>,
    /// What is worth an event.
    pub(super) news: Option<News>,
}

/// Plans one round of a job that has not ended, from the pods that it owns.
pub(super) fn plan(job: &Job, owned: &[Pod], now: Timestamp) -> Plan {
    let spec = job.spec.clone().unwrap_or_default();
    let old = job.status.clone().unwrap_or_default();
    let mut round = Round {
        active: owned.iter().filter(|pod| pods::is_active(pod)).collect(),
        terminating: owned.iter().filter(|pod| is_ending(pod)).count(),
        owned,
        now,
        completed: BTreeSet::new(),
        plan: Plan::default(),
        spec,
    };
    round.count(old);
    if job.metadata.deletion_timestamp.is_none() {
        round.decide();
    }
    round.plan
}

struct Round<'a> {
    spec: JobSpec,
    owned: &'a [Pod],
    /// Pods that neither have ended nor are told to.
    active: Vec<&'a Pod>,
    /// How many pods are told to end and have not done so.
    terminating: usize,
    now: Timestamp,
    /// The indexes whose pods have succeeded.
    completed: BTreeSet<i32>,
    plan: Plan,
}

impl<'a> Round<'a> {
    fn is_indexed(&self) -> bool {
        self.spec.completion_mode.as_deref() == Some("Indexed")
    }

    /// Takes what was counted before, and counts the pods that have ended since.
    fn count(&mut self, old: JobStatus) {
        let known = old.uncounted_terminated_pods.clone().unwrap_or_default();
        let succeeded = ended::uncounted(self.owned, has_succeeded);
        let failed = ended::uncounted(self.owned, has_failed);
        self.plan.mark = ended::unmarked(self.owned, BURST);
        let fresh = |list: &[String], known: Option<Vec<String>>| {
            let known = known.unwrap_or_default();
            number(list.iter().filter(|uid| !known.contains(uid)).count())
        };
        let mut count = old.succeeded.unwrap_or(0) + fresh(&succeeded, known.succeeded);
        let failures = old.failed.unwrap_or(0) + fresh(&failed, known.failed);
        if self.is_indexed() {
            let wanted = self.spec.completions.unwrap_or(0);
            let known = old.completed_indexes.as_deref().unwrap_or_default();
            self.completed = indexes::parse(known, wanted);
            let done = self.owned.iter();
            let done = done.filter(|pod| has_succeeded(pod));
            self.completed.extend(done.filter_map(indexes::of));
            self.completed.retain(|index| (0..wanted).contains(index));
            count = number(self.completed.len());
        }
        let ready = self.active.iter().filter(|pod| pods::is_ready(pod));
        let some = |count: i32| (count > 0).then_some(count);
        let list = |list: Vec<String>| (!list.is_empty()).then_some(list);
        self.plan.status = JobStatus {
            active: some(number(self.active.len())),
            ready: Some(number(ready.count())),
            terminating: Some(number(self.terminating)),
            succeeded: some(count),
            failed: some(failures),
            completed_indexes: list_text(&self.completed),
            uncounted_terminated_pods: Some(UncountedTerminatedPods {
                succeeded: list(succeeded),
                failed: list(failed),
            }),
            ..old
        };
    }

    fn condition(&mut self, kind: &str, value: bool, why: &Why) -> bool {
        let list = self.plan.status.conditions.get_or_insert_default();
        conditions::set(list, kind, value, why, self.now)
    }

    fn decide(&mut self) {
        let conditions = self.plan.status.conditions.as_deref().unwrap_or_default();
        if conditions::holds(conditions, conditions::SUCCESS_CRITERIA_MET) {
            // However long its last pods take to end, it has succeeded.
            self.stop(&self.least_advanced(self.active.len()));
            self.complete();
            return;
        }
        if let Some(why) = self.failure() {
            self.fail(&why);
            return;
        }
        if self.spec.suspend == Some(true) {
            if self.condition(
                conditions::SUSPENDED,
                true,
                &Why::new("JobSuspended", "Job suspended"),
            ) {
                self.plan.news = Some(News::Suspended);
            }
            self.plan.status.start_time = None;
            self.withdraw(&self.least_advanced(self.active.len()));
            return;
        }
        self.resume();
        if self.is_complete() {
            self.complete();
            return;
        }
        self.keep_running();
    }

    fn resume(&mut self) {
        let conditions = self.plan.status.conditions.as_deref().unwrap_or_default();
        if conditions::holds(conditions, conditions::SUSPENDED) {
            let why = Why::new("JobResumed", "Job resumed");
            self.condition(conditions::SUSPENDED, false, &why);
            self.plan.news = Some(News::Resumed);
        }
        self.plan.status.start_time.get_or_insert(Time(self.now));
    }

    /// Why the job is to be given up, if it is.
    fn failure(&mut self) -> Option<Why> {
        let status = &self.plan.status;
        let conditions = status.conditions.as_deref().unwrap_or_default();
        if let Some(condition) = conditions::find(conditions, conditions::FAILURE_TARGET) {
            return Some(Why::of(condition));
        }
        let limit = self.spec.backoff_limit.unwrap_or(6);
        if status.failed.unwrap_or(0) > limit || self.restarts_too_often(limit) {
            return Some(Why::new(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ));
        }
        let seconds = self.spec.active_deadline_seconds?;
        if self.spec.suspend == Some(true) {
            return None;
        }
        let begun = status.start_time.as_ref().map_or(self.now, |time| time.0);
        let deadline = begun.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        if deadline > self.now {
            self.look_again(deadline);
            return None;
        }
        Some(Why::new(
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        ))
    }

    /// Whether containers that are restarted in their pods have failed too often.
    fn restarts_too_often(&self, limit: i32) -> bool {
        let template = self.spec.template.spec.as_ref();
        if template.and_then(|spec| spec.restart_policy.as_deref()) != Some("OnFailure") {
            return false;
        }
        let alive = |pod: &&Pod| matches!(pods::phase(pod), "Pending" | "Running");
        let restarts: i32 = self
            .owned
            .iter()
            .filter(alive)
            .map(backoff::all_restarts)
            .sum();
        restarts > 0 && restarts >= limit
    }

    /// Stops all pods; when they have ended, the job has failed.
    fn fail(&mut self, why: &Why) {
        self.condition(conditions::FAILURE_TARGET, true, why);
        self.stop(&self.least_advanced(self.active.len()));
        if self.active.is_empty() && self.terminating == 0 {
            self.condition(conditions::FAILED, true, why);
            self.end();
            self.plan.news = Some(News::Failed {
                reason: why.reason.clone(),
                message: why.message.clone(),
            });
        }
    }

    fn is_complete(&self) -> bool {
        let succeeded = self.plan.status.succeeded.unwrap_or(0);
        let enough = match self.spec.completions {
            Some(wanted) => succeeded >= wanted,
            None => succeeded > 0,
        };
        enough && self.active.is_empty()
    }

    /// The job has succeeded, as soon as the last pods have ended.
    fn complete(&mut self) {
        let why = Why::new(
            "CompletionsReached",
            "Reached expected number of succeeded pods",
        );
        self.condition(conditions::SUCCESS_CRITERIA_MET, true, &why);
        if self.active.is_empty() && self.terminating == 0 {
            self.condition(conditions::COMPLETE, true, &why);
            self.end();
            self.plan.status.completion_time = Some(Time(self.now));
            self.plan.news = Some(News::Completed);
        }
    }

    /// Nothing is counted any more.
    fn end(&mut self) {
        self.plan.status.uncounted_terminated_pods = Some(UncountedTerminatedPods::default());
        if let (Some(seconds), now) = (self.spec.ttl_seconds_after_finished, self.now)
            && let Ok(at) = now.checked_add(SignedDuration::from_secs(seconds.into()))
        {
            self.plan.again_at = Some(at);
        }
    }

    /// Sees to it that as many pods run as there should be.
    fn keep_running(&mut self) {
        let misplaced = self.misplaced();
        if !misplaced.is_empty() {
            self.withdraw(&misplaced);
            return;
        }
        let parallelism = self.spec.parallelism.unwrap_or(1);
        let succeeded = self.plan.status.succeeded.unwrap_or(0);
        let wanted = match self.spec.completions {
            Some(completions) => (completions - succeeded).min(parallelism),
            // One success is enough: no more are started.
            None if succeeded > 0 => number(self.active.len()).min(parallelism),
            None => parallelism,
        };
        let wanted = usize::try_from(wanted).unwrap_or(0);
        if self.active.len() > wanted {
            self.withdraw(&self.least_advanced(self.active.len() - wanted));
            return;
        }
        let held_back = match self.spec.pod_replacement_policy.as_deref() {
            Some("Failed") => self.terminating,
            _ => 0,
        };
        let missing = wanted
            .saturating_sub(self.active.len() + held_back)
            .min(BURST);
        if missing == 0 {
            return;
        }
        if let Some(at) =
            backoff::next_start(self.owned, has_failed, self.now).filter(|at| *at > self.now)
        {
            self.look_again(at);
            return;
        }
        self.plan.create = if self.is_indexed() {
            self.open_indexes().take(missing).map(Some).collect()
        } else {
            vec![None; missing]
        };
    }

    /// The indexes for which nothing runs and which are not done.
    fn open_indexes(&self) -> impl Iterator<Item = i32> + use<'_> {
        let running: BTreeSet<i32> = self
            .active
            .iter()
            .filter_map(|pod| indexes::of(pod))
            .collect();
        (0..self.spec.completions.unwrap_or(0))
            .filter(move |index| !self.completed.contains(index) && !running.contains(index))
    }

    /// Active pods whose index the job has not, or has another pod for that is more advanced.
    fn misplaced(&self) -> Vec<&'a Pod> {
        if !self.is_indexed() {
            return Vec::new();
        }
        let indexes = 0..self.spec.completions.unwrap_or(0);
        let mut taken = BTreeSet::new();
        let mut misplaced = self.least_advanced(self.active.len());
        misplaced.reverse();
        misplaced.retain(|pod| {
            let own = indexes::of(pod).filter(|index| indexes.contains(index));
            own.is_none_or(|index| !taken.insert(index))
        });
        misplaced
    }

    /// So many of the active pods, those first that are least advanced.
    fn least_advanced(&self, count: usize) -> Vec<&'a Pod> {
        let mut active = self.active.clone();
        active.sort_by_cached_key(|pod| pods::removal_rank(pod));
        active.truncate(count);
        active
    }

    /// Stops pods, as many as one round may.
    fn stop(&mut self, pods: &[&Pod]) {
        let names = pods.iter().take(BURST);
        self.plan.delete = names.filter_map(|pod| pod.metadata.name.clone()).collect();
    }

    /// Stops pods that are not needed now, which is no failure of theirs.
    fn withdraw(&mut self, pods: &[&Pod]) {
        self.stop(pods);
        let stopped = pods.iter().take(BURST);
        let uids: Vec<String> = stopped.filter_map(|pod| pod.metadata.uid.clone()).collect();
        if !uids.is_empty() {
            let counted = self
                .plan
                .status
                .uncounted_terminated_pods
                .get_or_insert_default();
            counted.failed.get_or_insert_default().extend(uids);
        }
    }

    fn look_again(&mut self, at: Timestamp) {
        let earlier = self.plan.again_at.map_or(at, |old| old.min(at));
        self.plan.again_at = Some(earlier);
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn list_text(completed: &BTreeSet<i32>) -> Option<String> {
    (!completed.is_empty()).then(|| indexes::text(completed))
}

#[cfg(test)]
mod tests;
