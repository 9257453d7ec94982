//! The rows of jobs and cron jobs.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec, JobStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::workload::{CONTAINERS, IMAGES, SELECTOR, containers, selector};
use super::{AGE, Column, NAME, age, column, number, read, text};

pub(super) const JOB: &[Column] = &[
    NAME,
    text("Status"),
    text("Completions"),
    text("Duration"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn job(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let job: Job = read(object)?;
    let spec = job.spec.clone().unwrap_or_default();
    let status = job.status.clone().unwrap_or_default();
    let (names, images) = containers(&spec.template);
    Some(vec![
        job.metadata.name.clone().into(),
        state(&job, &status).into(),
        completions(&spec, &status).into(),
        duration(&status, now).into(),
        age::of(&job.metadata, now).into(),
        names.into(),
        images.into(),
        labels(spec.selector.as_ref()).into(),
    ])
}

fn state(job: &Job, status: &JobStatus) -> &'static str {
    let is = |kind: &str| {
        let mut conditions = status.conditions.iter().flatten();
        conditions.any(|condition| condition.type_ == kind && condition.status == "True")
    };
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if job.metadata.deletion_timestamp.is_some() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(spec: &JobSpec, status: &JobStatus) -> String {
    let succeeded = status.succeeded.unwrap_or_default();
    match (spec.completions, spec.parallelism.unwrap_or_default()) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn duration(status: &JobStatus, now: Timestamp) -> String {
    let Some(started) = &status.start_time else {
        return String::new();
    };
    let end = status.completion_time.as_ref().map_or(now, |time| time.0);
    age::seconds(end.as_second() - started.0.as_second())
}

fn labels(wanted: Option<&LabelSelector>) -> String {
    wanted.map_or_else(|| "<none>".to_owned(), selector)
}

pub(super) const CRON_JOB: &[Column] = &[
    NAME,
    text("Schedule"),
    text("Timezone"),
    column("Suspend", "boolean"),
    number("Active"),
    text("Last Schedule"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

pub(super) fn cron_job(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let cron: CronJob = read(object)?;
    let spec = cron.spec.clone().unwrap_or_default();
    let status = cron.status.clone().unwrap_or_default();
    let job = spec.job_template.spec.unwrap_or_default();
    let (names, images) = containers(&job.template);
    let last = status.last_schedule_time.as_ref();
    let last = last.map_or_else(|| "<none>".to_owned(), |time| age::since(Some(time), now));
    Some(vec![
        cron.metadata.name.clone().into(),
        spec.schedule.into(),
        spec.time_zone.unwrap_or_else(|| "<none>".to_owned()).into(),
        // The cells of booleans are texts.
        if spec.suspend == Some(true) {
            "True"
        } else {
            "False"
        }
        .into(),
        status.active.map_or(0, |active| active.len()).into(),
        last.into(),
        age::of(&cron.metadata, now).into(),
        names.into(),
        images.into(),
        labels(job.selector.as_ref()).into(),
    ])
}
