//! What happens when a machine goes down.

use sampan_model::yaml::Node;

use super::warning;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::selector;

/// The kinds that keep a number of equal pods.
pub(super) const SCALED: &[&str] = &["Deployment", "StatefulSet"];

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "replicas-single",
            Judge::Kinds(&["Deployment"], single),
            [
                "a Deployment that serves requests has more than one pod",
                "With one pod, each move to another machine and each crash is an outage.",
                "set `spec.replicas` to 2 or more, or let an autoscaler do it",
            ],
        ),
        warning(
            "replicas-together",
            Judge::Kinds(SCALED, together),
            [
                "the pods of a workload are spread over machines",
                "Pods that may all be on one machine go down with it.",
                "add `topologySpreadConstraints`, or a `podAntiAffinity` with the topology key `kubernetes.io/hostname`, with the labels of the pods",
            ],
        ),
        warning(
            "replicas-recreate",
            Judge::Kinds(&["Deployment"], recreate),
            [
                "a Deployment that serves requests is replaced pod by pod",
                "With the strategy `Recreate`, all old pods end before the first new one starts.",
                "remove `spec.strategy.type`, or set it to `RollingUpdate`",
            ],
        ),
    ]
}

/// Whether a service sends requests to the pods of a workload.
pub(super) fn is_served(object: &Object, sink: &Sink<'_>) -> bool {
    object.pod().is_some_and(|pod| {
        sink.world
            .selecting("Service", &object.namespace, pod.labels())
            .next()
            .is_some()
    })
}

/// How many pods there will be at least; none when that is not known.
pub(super) fn replicas(object: &Object, sink: &Sink<'_>) -> Option<i64> {
    if let Some(scaler) = sink.world.autoscaler_of(object) {
        let least = ["minReplicas", "minReplicaCount"]
            .iter()
            .find_map(|field| scaler.at(&["spec", field])?.as_i64());
        return Some(least.unwrap_or(1).max(1));
    }
    match object.at(&["spec", "replicas"]) {
        None => Some(1),
        Some(node) => node.as_i64(),
    }
}

fn single(object: &Object, sink: &mut Sink<'_>) {
    if !is_served(object, sink) || sink.world.autoscaler_of(object).is_some() {
        return sink.nothing_to_judge();
    }
    if replicas(object, sink) == Some(1) {
        let place = object
            .at(&["spec", "replicas"])
            .or_else(|| object.at(&["spec"]));
        sink.report(
            place.unwrap_or(&object.root),
            "the Deployment has only one pod",
        );
    }
}

fn together(object: &Object, sink: &mut Sink<'_>) {
    let Some(pod) = object.pod() else {
        return sink.nothing_to_judge();
    };
    if replicas(object, sink).is_some_and(|replicas| replicas < 2) {
        return sink.nothing_to_judge();
    }
    let fits = |selector: Option<&Node>| {
        selector.is_some_and(|selector| selector::fits(selector, pod.labels()))
    };
    let spread = pod
        .spec
        .at(&["topologySpreadConstraints"])
        .map_or(&[][..], Node::items);
    let affinity = pod.spec.at(&["affinity", "podAntiAffinity"]);
    let terms = |field: &str| {
        affinity
            .and_then(|affinity| affinity.at(&[field]))
            .map_or(&[][..], Node::items)
    };
    let required = terms("requiredDuringSchedulingIgnoredDuringExecution").iter();
    let preferred = terms("preferredDuringSchedulingIgnoredDuringExecution").iter();
    let mut terms = required.chain(preferred.filter_map(|term| term.get("podAffinityTerm")));
    let is_spread = spread
        .iter()
        .any(|constraint| fits(constraint.get("labelSelector")));
    if !is_spread && !terms.any(|term| fits(term.get("labelSelector"))) {
        sink.report(pod.spec, "all pods may be on the same machine");
    }
}

fn recreate(object: &Object, sink: &mut Sink<'_>) {
    let kind = object.at(&["spec", "strategy", "type"]);
    if !is_served(object, sink) {
        return sink.nothing_to_judge();
    }
    if let Some(node) = kind.filter(|kind| kind.as_str() == Some("Recreate")) {
        sink.report(node, "all pods end before the first new one starts");
    }
}
