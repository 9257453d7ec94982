//! The rules of jobs and cron jobs.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::causes::{Causes, Path};
use super::{names, pod, selector};
use crate::controllers::cronjob::schedule::Schedule;

/// The label that a selector which was not given selects by.
const OWN_LABEL: &str = "batch.kubernetes.io/controller-uid";
/// Each index has a pod at a time at most, and the status lists them.
const MOST_INDEXED_PODS: i32 = 100_000;
/// The names of a cron job's jobs have eleven characters more.
const LONGEST_CRON_NAME: usize = 52;

/// Checks a job.
pub(super) fn job(new: &Job, old: Option<&Job>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("template"), "");
        return;
    };
    generated(spec, &new.metadata, &path, causes);
    job_spec(spec, &path, causes);
    match &spec.selector {
        None => causes.required(&path.child("selector"), ""),
        Some(selector) => selector::fits(selector, &spec.template, &path, causes),
    }
    if spec.completion_mode.as_deref() == Some("Indexed") {
        let last = spec.completions.unwrap_or(1).max(1) - 1;
        let name = new.metadata.name.as_deref().unwrap_or_default();
        let complaints = names::dns_label(&format!("{name}-{last}"));
        let path = Path::new("metadata").child("name");
        for complaint in complaints {
            let detail = format!("will not able to create pod with invalid DNS label: {complaint}");
            causes.invalid(&path, name, &detail);
        }
    }
    if let Some(old) = old {
        unchanged(spec, old, &path, causes);
    }
}

/// Checks that a selector which was not to be given was not.
fn generated(spec: &JobSpec, metadata: &ObjectMeta, path: &Path, causes: &mut Causes) {
    if spec.manual_selector == Some(true) {
        return;
    }
    let uid = metadata.uid.clone().unwrap_or_default();
    let own = LabelSelector {
        match_labels: Some(BTreeMap::from([(OWN_LABEL.to_owned(), uid)])),
        match_expressions: None,
    };
    if let Some(selector) = &spec.selector
        && *selector != own
    {
        causes.invalid(
            &path.child("selector"),
            selector,
            "`selector` not auto-generated",
        );
    }
}

/// Checks what a job and the template of one have in common.
fn job_spec(spec: &JobSpec, path: &Path, causes: &mut Causes) {
    for (field, value) in [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        (
            "ttlSecondsAfterFinished",
            spec.ttl_seconds_after_finished.map(i64::from),
        ),
    ] {
        causes.at_least(&path.child(field), value, 0);
    }
    let mode = spec.completion_mode.as_deref();
    let modes = ["Indexed", "NonIndexed"];
    causes.one_of(&path.child("completionMode"), mode, &modes);
    if mode == Some("Indexed") {
        let completions = path.child("completions");
        if spec.completions.is_none() {
            let detail = "when completion mode is Indexed";
            causes.required(&completions, detail);
        }
        let parallelism = spec.parallelism.unwrap_or(1);
        if parallelism > MOST_INDEXED_PODS {
            let detail = format!(
                "must be less than or equal to {MOST_INDEXED_PODS} when completion mode is Indexed"
            );
            causes.invalid(&path.child("parallelism"), &parallelism, &detail);
        }
    }
    causes.one_of(
        &path.child("podReplacementPolicy"),
        spec.pod_replacement_policy.as_deref(),
        &["Failed", "TerminatingOrFailed"],
    );
    let template = path.child("template");
    pod::template(&spec.template, &template, causes);
    let policy = spec.template.spec.as_ref();
    let policy = policy.and_then(|spec| spec.restart_policy.as_deref());
    if !matches!(policy, Some("OnFailure" | "Never")) {
        let detail = "valid values: \"OnFailure\", \"Never\"";
        causes.required(&template.child("spec").child("restartPolicy"), detail);
    }
}

/// Checks that an update changes only what may change.
fn unchanged(spec: &JobSpec, old_job: &Job, path: &Path, causes: &mut Causes) {
    let Some(old) = &old_job.spec else { return };
    let indexed = spec.completion_mode.as_deref() == Some("Indexed");
    // An indexed job may grow and shrink if all its pods run at once.
    let elastic = indexed && spec.completions == spec.parallelism;
    if !elastic {
        causes.unchanged(
            &path.child("completions"),
            &spec.completions,
            &old.completions,
        );
    }
    causes.unchanged(&path.child("selector"), &spec.selector, &old.selector);
    let begun = old_job
        .status
        .as_ref()
        .is_some_and(|status| status.start_time.is_some());
    let (mut new_template, mut old_template) = (spec.template.clone(), old.template.clone());
    if old.suspend == Some(true) && !begun {
        // Where the pods will run may still be decided.
        for template in [&mut new_template, &mut old_template] {
            forget_placement(template);
        }
    }
    if new_template != old_template {
        causes.unchanged(&path.child("template"), &spec.template, &old.template);
    }
    causes.unchanged(
        &path.child("completionMode"),
        &spec.completion_mode,
        &old.completion_mode,
    );
    causes.unchanged(
        &path.child("podFailurePolicy"),
        &spec.pod_failure_policy,
        &old.pod_failure_policy,
    );
    causes.unchanged(&path.child("managedBy"), &spec.managed_by, &old.managed_by);
}

fn forget_placement(template: &mut PodTemplateSpec) {
    if let Some(metadata) = template.metadata.as_mut() {
        metadata.labels = None;
        metadata.annotations = None;
    }
    if let Some(spec) = template.spec.as_mut() {
        spec.affinity = None;
        spec.node_selector = None;
        spec.tolerations = None;
        spec.scheduling_gates = None;
    }
}

/// Checks a cron job.
pub(super) fn cron_job(new: &CronJob, old: Option<&CronJob>, causes: &mut Causes) {
    let path = Path::new("spec");
    let name = new.metadata.name.as_deref().unwrap_or_default();
    if name.len() > LONGEST_CRON_NAME {
        let detail = format!("must be no more than {LONGEST_CRON_NAME} characters");
        causes.invalid(&Path::new("metadata").child("name"), name, &detail);
    }
    let Some(spec) = &new.spec else {
        causes.required(&path.child("schedule"), "");
        return;
    };
    schedule(&spec.schedule, spec.time_zone.is_some(), &path, causes);
    let same_zone = old
        .and_then(|old| old.spec.as_ref())
        .is_some_and(|old| old.time_zone == spec.time_zone);
    if let Some(zone) = spec.time_zone.as_deref().filter(|_| !same_zone) {
        time_zone(zone, &path.child("timeZone"), causes);
    }
    let deadline = path.child("startingDeadlineSeconds");
    causes.at_least(&deadline, spec.starting_deadline_seconds, 0);
    causes.one_of(
        &path.child("concurrencyPolicy"),
        spec.concurrency_policy.as_deref(),
        &["Allow", "Forbid", "Replace"],
    );
    for (field, limit) in [
        (
            "successfulJobsHistoryLimit",
            spec.successful_jobs_history_limit,
        ),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ] {
        causes.at_least(&path.child(field), limit, 0);
    }
    let job_path = path.child("jobTemplate").child("spec");
    match &spec.job_template.spec {
        None => causes.required(&job_path.child("template"), ""),
        Some(job) => {
            if job.manual_selector == Some(true) {
                causes.one_of(
                    &job_path.child("manualSelector"),
                    Some("true"),
                    &["nil", "false"],
                );
            }
            job_spec(job, &job_path, causes);
        }
    }
}

fn schedule(text: &str, zone_given: bool, path: &Path, causes: &mut Causes) {
    let field = path.child("schedule");
    if text.is_empty() {
        causes.required(&field, "");
    } else if text.contains("TZ=") {
        let detail = if zone_given {
            "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        } else {
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        };
        causes.invalid(&field, text, detail);
    } else if let Err(error) = Schedule::parse(text) {
        causes.invalid(&field, text, &error.to_string());
    }
}

fn time_zone(zone: &str, path: &Path, causes: &mut Causes) {
    if zone.is_empty() {
        causes.invalid(path, zone, "timeZone must be nil or non-empty string");
    } else if zone.eq_ignore_ascii_case("local") {
        causes.invalid(
            path,
            zone,
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        );
    } else if TimeZone::get(zone).is_err() {
        causes.invalid(path, zone, &format!("unknown time zone {zone}"));
    }
}
