//! Selectors and what they select.

use sampan_model::yaml::Node;

use super::relation;
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::selector;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        relation(
            "selector-template",
            Grade::Critical,
            Judge::Kinds(
                &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"],
                template,
            ),
            [
                "a workload selects its own pods",
                "Kubernetes refuses a workload whose selector does not fit the labels of its own template.",
                "give `spec.template.metadata.labels` all labels of `spec.selector`",
            ],
        ),
        relation(
            "selector-service",
            Grade::Critical,
            Judge::Kinds(&["Service"], service),
            [
                "a Service selects some pod",
                "Who asks a Service without pods gets no answer.",
                "correct `spec.selector`, or declare the pods under `external` in .sampan-lint.yaml as `{kind: Pod, name: …}` with the name of the Service",
            ],
        ),
        relation(
            "selector-budget",
            Grade::Warning,
            Judge::Kinds(&["PodDisruptionBudget"], budget),
            [
                "a PodDisruptionBudget selects some pod",
                "A budget without pods protects nothing.",
                "correct `spec.selector`",
            ],
        ),
        relation(
            "selector-policy",
            Grade::Warning,
            Judge::Kinds(&["NetworkPolicy"], policy),
            [
                "a NetworkPolicy selects some pod",
                "A policy without pods guards nothing; often its labels were right once.",
                "correct `spec.podSelector`",
            ],
        ),
    ]
}

fn template(object: &Object, sink: &mut Sink<'_>) {
    let (Some(selector), Some(pod)) = (object.at(&["spec", "selector"]), object.pod()) else {
        return sink.nothing_to_judge();
    };
    let is_empty = selector.entries().is_empty();
    if is_empty || !selector::fits(selector, pod.labels()) {
        let what = if is_empty {
            "is empty"
        } else {
            "does not fit the labels of its own pods"
        };
        sink.report(selector, format!("the selector {what}"));
    }
}

fn service(object: &Object, sink: &mut Sink<'_>) {
    let selector = object
        .at(&["spec", "selector"])
        .filter(|selector| !selector.entries().is_empty());
    let is_external = object.text(&["spec", "type"]) == Some("ExternalName");
    // Without a selector, somebody else writes the endpoints.
    let Some(selector) = selector.filter(|_| !is_external) else {
        return sink.nothing_to_judge();
    };
    let is_declared = sink
        .settings
        .is_external("Pod", &object.namespace, &object.name);
    if sink.world.pods_of_service(object).is_empty() && !is_declared {
        sink.report(selector, "the Service selects no pod");
        let elsewhere = sink
            .world
            .objects()
            .iter()
            .filter(|other| other.namespace != object.namespace)
            .find(|other| {
                other
                    .pod()
                    .is_some_and(|pod| selector::plain_fits(selector, pod.labels()))
            });
        if let Some(other) = elsewhere {
            sink.mend(format!(
                "the pods of `{}` fit, but are in the namespace `{}`",
                other.name, other.namespace
            ));
        }
    }
}

fn budget(object: &Object, sink: &mut Sink<'_>) {
    selects(object, "selector", "the budget selects no pod", sink);
}

fn policy(object: &Object, sink: &mut Sink<'_>) {
    selects(object, "podSelector", "the policy selects no pod", sink);
}

fn selects(object: &Object, field: &str, message: &str, sink: &mut Sink<'_>) {
    let selector = object.at(&["spec", field]);
    // An empty selector is about all pods, whichever there are.
    let Some(selector) = selector.filter(|selector: &&Node| !selector.entries().is_empty()) else {
        return sink.nothing_to_judge();
    };
    if !sink
        .world
        .pods(&object.namespace)
        .any(|pod| selector::fits(selector, pod.labels()))
    {
        sink.report(selector, message);
    }
}
