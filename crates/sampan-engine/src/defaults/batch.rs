//! The defaults of jobs and cron jobs.

use serde_json::{Map, Value, json};

use super::fill::{child, present, set};
use super::pod::template;

/// The labels that tell the pods of a job whose they are; the older ones for those who still look for them.
const OWN_LABELS: [(&str, &str); 4] = [
    ("batch.kubernetes.io/controller-uid", "uid"),
    ("batch.kubernetes.io/job-name", "name"),
    ("controller-uid", "uid"),
    ("job-name", "name"),
];

/// A job.
pub(super) fn job(object: &mut Map<String, Value>) {
    child(object, "spec", job_spec);
    child(object, "status", |_| ());
}

/// A cron job.
pub(super) fn cron_job(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "concurrencyPolicy", "Allow");
        set(spec, "suspend", false);
        set(spec, "successfulJobsHistoryLimit", 3);
        set(spec, "failedJobsHistoryLimit", 1);
        child(spec, "jobTemplate", |template| {
            child(template, "metadata", |_| ());
            child(template, "spec", template_spec);
        });
    });
    child(object, "status", |_| ());
}

fn job_spec(spec: &mut Map<String, Value>) {
    // Neither number: one pod. Parallelism alone: as many as it takes until one succeeds.
    if !spec.contains_key("parallelism") {
        set(spec, "completions", 1);
    }
    set(spec, "parallelism", 1);
    // Also with `backoffLimitPerIndex`, which has no effect here: a job without any limit would go on for ever.
    set(spec, "backoffLimit", 6);
    set(spec, "completionMode", "NonIndexed");
    set(spec, "manualSelector", false);
    set(spec, "suspend", false);
    let policy = if spec.contains_key("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    set(spec, "podReplacementPolicy", policy);
    child(spec, "template", template);
}

/// The jobs of a cron job get the rest of their defaults when they are made.
fn template_spec(spec: &mut Map<String, Value>) {
    child(spec, "template", template);
}

/// Makes the labels by which a new job finds its pods, unless it brings a selector of its own.
pub(crate) fn generate_selector(job: &mut Value) {
    let metadata = job["metadata"].clone();
    let Value::Object(object) = job else { return };
    present(object, "spec", |spec| {
        if spec.get("manualSelector") == Some(&json!(true)) {
            return;
        }
        child(spec, "template", |template| {
            child(template, "metadata", |meta| {
                child(meta, "labels", |labels| {
                    for (label, field) in OWN_LABELS {
                        set(labels, label, metadata[field].clone());
                    }
                });
            });
        });
        child(spec, "selector", |selector| {
            child(selector, "matchLabels", |labels| {
                let (label, field) = OWN_LABELS[0];
                set(labels, label, metadata[field].clone());
            });
        });
    });
    let labels = object
        .get("spec")
        .and_then(|spec| spec.pointer("/template/metadata/labels"))
        .cloned();
    if let Some(labels) = labels {
        present(object, "metadata", |metadata| {
            let own = metadata.get("labels").and_then(Value::as_object);
            if own.is_none_or(Map::is_empty) {
                metadata.insert("labels".to_owned(), labels);
            }
        });
    }
}
