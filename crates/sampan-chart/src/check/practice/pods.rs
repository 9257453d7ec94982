//! Pods as a whole.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::pod::Pod;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::selector;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "pod-alone",
            Judge::Kinds(&["Pod"], alone),
            [
                "a pod that shall stay belongs to a workload",
                "Nobody makes a pod anew that was deleted, or whose machine went down, and it cannot be changed by a rollout.",
                "make it the template of a Deployment, or of a StatefulSet or DaemonSet",
            ],
        ),
        critical(
            "pod-spread",
            Judge::Pods(spread),
            [
                "a constraint on how pods are spread holds for some pods",
                "Kubernetes refuses a constraint that allows no difference; one without labels, or with labels of other pods, spreads nothing.",
                "give it a `labelSelector` with labels of the pod, and a `maxSkew` of 1 or more",
            ],
        ),
        warning(
            "pod-priority",
            Judge::Pods(priority),
            [
                "a pod says how important it is",
                "When there is no room for all pods, those without a class are as unimportant as any other.",
                "set `priorityClassName`",
            ],
        )
        .when_asked_for(),
    ]
}

fn alone(object: &Object, sink: &mut Sink<'_>) {
    let Some(pod) = object.pod().filter(|pod| !pod.ends()) else {
        return sink.nothing_to_judge();
    };
    let owners = object.at(&["metadata", "ownerReferences"]);
    if owners.is_none_or(|owners| owners.items().is_empty()) {
        sink.report(pod.spec, "nobody makes the pod anew when it is gone");
    }
}

fn priority(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let class = pod.spec.at(&["priorityClassName"]);
    if class.and_then(Node::scalar).is_none_or(str::is_empty) {
        sink.report(pod.spec, "the pod does not say how important it is");
    }
}

fn spread(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    let constraints = pod.spec.at(&["topologySpreadConstraints"]);
    let Some(constraints) = constraints else {
        return sink.nothing_to_judge();
    };
    for constraint in constraints.items() {
        for field in ["maxSkew", "minDomains"] {
            let number = constraint.get(field);
            if let Some(node) = number.filter(|node| node.as_i64().is_some_and(|one| one < 1)) {
                let one = node.scalar().unwrap_or_default();
                sink.report(node, format!("`{field}` is {one}, and must be 1 or more"));
            }
        }
        match constraint.at(&["labelSelector"]) {
            None => sink.report_as(
                Grade::Warning,
                constraint,
                "the constraint has no `labelSelector`, and counts no pods",
            ),
            Some(selector) if !selector::fits(selector, pod.labels()) => sink.report_as(
                Grade::Warning,
                selector,
                "the constraint counts other pods than those that it spreads",
            ),
            Some(_) => {}
        }
    }
}
