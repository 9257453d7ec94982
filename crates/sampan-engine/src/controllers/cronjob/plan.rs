//! One round of a cron job: whether a job is due, which ones are over, and the status.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, Job};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::schedule::Schedule;
use crate::controllers::context::reference;
use crate::controllers::events::Kind;
use crate::controllers::job::{Outcome, outcome};

/// From how many missed times on users are told.
const MANY: usize = 100;
/// How long the next time is slept for at most: the clock of the machine may be set meanwhile.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(10);

/// Something that is worth an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct News {
    pub(super) kind: Kind,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What has to be done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Jobs to delete: old ones, and those that are replaced.
    pub(super) delete: Vec<String>,
    /// The time for which a job is to be made.
    pub(super) start: Option<Timestamp>,
    /// The status as of now, without the job that is to be made.
    pub(super) status: CronJobStatus,
    /// When to look again although nothing changes.
    pub(super) again_at: Option<Timestamp>,
    /// What is worth an event.
    pub(super) news: Vec<News>,
}

impl Plan {
    fn tell(&mut self, kind: Kind, reason: &'static str, message: String) {
        self.news.push(News {
            kind,
            reason,
            message,
        });
    }
}

/// Plans one round from the jobs that the cron job owns.
pub(super) fn plan(cron: &CronJob, jobs: &[Job], now: Timestamp) -> Plan {
    let spec = cron.spec.clone().unwrap_or_default();
    let mut plan = Plan::default();
    observe(cron, jobs, &mut plan);
    prune(&spec, jobs, &mut plan);
    if cron.metadata.deletion_timestamp.is_none() && spec.suspend != Some(true) {
        begin(cron, jobs, now, &mut plan);
    }
    plan
}

/// Notes which jobs run, and which have ended.
fn observe(cron: &CronJob, jobs: &[Job], plan: &mut Plan) {
    let old = cron.status.clone().unwrap_or_default();
    let (over, running): (Vec<&Job>, Vec<&Job>) =
        jobs.iter().partition(|job| outcome(job).is_some());
    for known in old.active.iter().flatten() {
        let name = known.name.as_deref().unwrap_or_default();
        let seen = over.iter().find(|job| job.metadata.uid == known.uid);
        if let Some(job) = seen {
            let how = match outcome(job) {
                Some(Outcome::Failed) => "Failed",
                _ => "Complete",
            };
            let message = format!("Saw completed job: {name}, condition: {how}");
            plan.tell(Kind::Normal, "SawCompletedJob", message);
        } else if !running.iter().any(|job| job.metadata.uid == known.uid) {
            let message = format!("Active job went missing: {name}");
            plan.tell(Kind::Normal, "MissingJob", message);
        }
    }
    let completed = over.iter();
    let completed = completed.filter_map(|job| job.status.as_ref()?.completion_time.clone());
    let active: Vec<ObjectReference> = running.into_iter().map(identity).collect();
    plan.status = CronJobStatus {
        active: (!active.is_empty()).then_some(active),
        last_successful_time: completed.chain(old.last_successful_time).max(),
        last_schedule_time: old.last_schedule_time,
    };
}

/// A reference to a job that does not change while it runs.
pub(super) fn identity(job: &Job) -> ObjectReference {
    ObjectReference {
        resource_version: None,
        ..reference(job)
    }
}

/// Picks the jobs that have ended and are too many, the oldest first.
fn prune(spec: &CronJobSpec, jobs: &[Job], plan: &mut Plan) {
    for (how, limit) in [
        (Outcome::Complete, spec.successful_jobs_history_limit),
        (Outcome::Failed, spec.failed_jobs_history_limit),
    ] {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
            continue;
        };
        let mut ended: Vec<&Job> = jobs
            .iter()
            .filter(|job| outcome(job) == Some(how))
            .collect();
        ended.sort_by_key(|job| {
            let started = job
                .status
                .as_ref()
                .and_then(|status| status.start_time.clone());
            (started, job.metadata.name.clone())
        });
        let excess = ended.len().saturating_sub(limit);
        let old = ended.into_iter().take(excess);
        let old = old.filter(|job| job.metadata.deletion_timestamp.is_none());
        plan.delete
            .extend(old.filter_map(|job| job.metadata.name.clone()));
    }
}

/// Starts a job if one is due.
fn begin(cron: &CronJob, jobs: &[Job], now: Timestamp, plan: &mut Plan) {
    let spec = cron.spec.clone().unwrap_or_default();
    let schedule = match Schedule::parse(&spec.schedule) {
        Ok(schedule) => schedule,
        Err(error) => {
            let message = format!("unparseable schedule: {:?} : {error}", spec.schedule);
            plan.tell(Kind::Warning, "UnparseableSchedule", message);
            return;
        }
    };
    let Some(zone) = super::zone(cron) else {
        let name = spec.time_zone.as_deref().unwrap_or_default();
        let message = format!("invalid timeZone: {name:?}: unknown time zone {name}");
        plan.tell(Kind::Warning, "UnknownTimeZone", message);
        return;
    };
    let latest = now.checked_add(LONGEST_SLEEP).unwrap_or(now);
    plan.again_at = schedule.next(now, &zone).map(|next| next.min(latest));
    let deadline = spec
        .starting_deadline_seconds
        .map(SignedDuration::from_secs);
    let created = cron.metadata.creation_timestamp.clone();
    let since = plan.status.last_schedule_time.clone().or(created);
    let since = since.map_or(now, |time| time.0);
    // Times that are over anyway need not be looked for, save the last one, which is told about.
    let Some(due) = schedule.last(since, now, &zone) else {
        return;
    };
    if deadline.is_some_and(|deadline| now.duration_since(due) > deadline) {
        let message = format!("Missed scheduled time to start a job: {}", written(due));
        plan.tell(Kind::Warning, "MissSchedule", message);
        return;
    }
    let earliest = deadline.and_then(|deadline| now.checked_sub(deadline).ok());
    let mut from = earliest.map_or(since, |earliest| earliest.max(since));
    let mut times = 0;
    while times <= MANY
        && let Some(next) = schedule.next(from, &zone).filter(|next| *next <= due)
    {
        from = next;
        times += 1;
    }
    if times > MANY {
        let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        plan.tell(Kind::Warning, "TooManyMissedTimes", message.to_owned());
    }
    let name = name_for(cron, due);
    if jobs
        .iter()
        .any(|job| job.metadata.name.as_ref() == Some(&name))
    {
        // It was made before the status could be written.
        plan.status.last_schedule_time = Some(Time(due));
        return;
    }
    start(&spec, due, plan);
}

/// The name of the job for a time: of two for the same minute there can be only one.
pub(super) fn name_for(cron: &CronJob, at: Timestamp) -> String {
    let name = cron.metadata.name.as_deref().unwrap_or_default();
    format!("{name}-{}", at.as_second() / 60)
}

fn start(spec: &CronJobSpec, due: Timestamp, plan: &mut Plan) {
    let active: Vec<String> = plan
        .status
        .active
        .iter()
        .flatten()
        .filter_map(|job| job.name.clone())
        .collect();
    match spec.concurrency_policy.as_deref() {
        Some("Forbid") if !active.is_empty() => {
            // It stays due, and starts as soon as the running one has ended.
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            plan.tell(Kind::Normal, "JobAlreadyActive", message.to_owned());
            return;
        }
        Some("Replace") => {
            plan.delete.extend(active);
            plan.status.active = None;
        }
        _ => {}
    }
    plan.start = Some(due);
    plan.status.last_schedule_time = Some(Time(due));
}

fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
