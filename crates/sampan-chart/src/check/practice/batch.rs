//! Work that ends.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "cronjob-deadline",
            Judge::Kinds(&["CronJob"], deadline),
            [
                "a CronJob says how late it may start",
                "After an hour in which nothing could start, all missed runs count; beyond 100 of them a CronJob without a deadline never starts again.",
                "add `spec.startingDeadlineSeconds`",
            ],
        ),
        warning(
            "cronjob-overlap",
            Judge::Kinds(&["CronJob"], overlap),
            [
                "a CronJob says whether its runs may overlap",
                "By default, a run that takes longer than the time to the next one runs beside it; where each waits for the other, they pile up until the machine is full.",
                "set `spec.concurrencyPolicy` to `Forbid` or `Replace`, or to `Allow` where it is meant",
            ],
        )
        .when_asked_for(),
        critical(
            "job-restart-policy",
            Judge::Kinds(&["Job", "CronJob"], restart_policy),
            [
                "the pods of a Job end",
                "Kubernetes refuses a Job whose pods have the restart policy `Always`, which is what they have when they say nothing.",
                "set the `restartPolicy` of its pods to `OnFailure` or `Never`",
            ],
        ),
        warning(
            "job-leftover",
            Judge::Kinds(&["Job"], leftover),
            [
                "a Job that has ended is removed",
                "Jobs and their pods stay for ever unless somebody removes them.",
                "add `spec.ttlSecondsAfterFinished`",
            ],
        )
        .when_asked_for(),
    ]
}

fn deadline(object: &Object, sink: &mut Sink<'_>) {
    if object.at(&["spec", "startingDeadlineSeconds"]).is_none() {
        sink.report(
            object.at(&["spec"]).unwrap_or(&object.root),
            "the CronJob does not say how late it may start",
        );
    }
}

fn overlap(object: &Object, sink: &mut Sink<'_>) {
    if object.at(&["spec", "concurrencyPolicy"]).is_none() {
        sink.report(
            object.at(&["spec"]).unwrap_or(&object.root),
            "the runs of the CronJob may overlap",
        );
    }
}

fn restart_policy(object: &Object, sink: &mut Sink<'_>) {
    let Some(pod) = object.pod() else {
        return sink.nothing_to_judge();
    };
    let policy = pod.spec.at(&["restartPolicy"]);
    match policy.and_then(Node::as_str) {
        Some("OnFailure" | "Never") => {}
        Some(other) => sink.report(
            policy.unwrap_or(pod.spec),
            format!(
                "pods of a {} may not have the restart policy `{other}`",
                object.kind
            ),
        ),
        None => sink.report(
            pod.spec,
            format!(
                "the pods of the {} have no restart policy, which means `Always`",
                object.kind
            ),
        ),
    }
}

fn leftover(object: &Object, sink: &mut Sink<'_>) {
    if object.is_hook() {
        return sink.nothing_to_judge();
    }
    if object.at(&["spec", "ttlSecondsAfterFinished"]).is_none() {
        sink.report(
            object.at(&["spec"]).unwrap_or(&object.root),
            "the Job stays for ever after it has ended",
        );
    }
}
