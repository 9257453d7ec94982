//! What happens when a machine goes down, or is taken down.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::selector;

/// The kinds that keep a number of equal pods.
const SCALED: &[&str] = &["Deployment", "StatefulSet"];
const BUDGET: &[&str] = &["PodDisruptionBudget"];
const AUTOSCALER: &[&str] = &["HorizontalPodAutoscaler"];

#[expect(clippy::too_many_lines, reason = "a table")]
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
        warning(
            "disruption-budget",
            Judge::Kinds(SCALED, budget),
            [
                "somebody who empties a machine is told how many pods must stay",
                "Without a PodDisruptionBudget, all pods of a workload may be moved at the same moment.",
                "add a PodDisruptionBudget with the labels of the pods and `maxUnavailable: 1`",
            ],
        ),
        critical(
            "disruption-budget-empty",
            Judge::Kinds(BUDGET, empty_budget),
            [
                "a PodDisruptionBudget says how many pods must stay, or may go",
                "Kubernetes refuses one with both, and one with neither protects nothing.",
                "give `minAvailable` or `maxUnavailable`",
            ],
        ),
        warning(
            "disruption-budget-blocks",
            Judge::Kinds(BUDGET, blocking_budget),
            [
                "a PodDisruptionBudget lets at least one pod go",
                "When none may go, machines cannot be emptied, and their maintenance waits for ever.",
                "use `maxUnavailable: 1`, or a `minAvailable` below the number of pods",
            ],
        ),
        warning(
            "autoscaler-and-replicas",
            Judge::Kinds(SCALED, autoscaled),
            [
                "the number of pods is set in one place",
                "Each time the manifest is applied, it undoes what the autoscaler has done.",
                "remove `spec.replicas`",
            ],
        ),
        critical(
            "autoscaler-bounds",
            Judge::Kinds(AUTOSCALER, bounds),
            [
                "an autoscaler has room to work in",
                "Kubernetes refuses an autoscaler whose least number of pods is above the greatest; where both are the same, it does nothing.",
                "set `minReplicas` below `maxReplicas`",
            ],
        ),
    ]
}

/// Whether a service sends requests to the pods of a workload.
fn is_served(object: &Object, sink: &Sink<'_>) -> bool {
    object.pod().is_some_and(|pod| {
        sink.world
            .selecting("Service", "selector", &object.namespace, pod.labels())
            .next()
            .is_some()
    })
}

/// How many pods there will be at least; none when that is not known.
fn replicas(object: &Object, sink: &Sink<'_>) -> Option<i64> {
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

fn budget(object: &Object, sink: &mut Sink<'_>) {
    let Some(pod) = object.pod() else {
        return sink.nothing_to_judge();
    };
    if replicas(object, sink).is_none_or(|replicas| replicas < 2) {
        return sink.nothing_to_judge();
    }
    let mut budgets = sink.world.selecting(
        "PodDisruptionBudget",
        "selector",
        &object.namespace,
        pod.labels(),
    );
    if budgets.next().is_none() {
        let elsewhere = sink.world.of_kind("PodDisruptionBudget").find(|budget| {
            budget
                .at(&["spec", "selector"])
                .is_some_and(|selector| selector::fits(selector, pod.labels()))
        });
        sink.report(
            object.at(&["spec"]).unwrap_or(&object.root),
            "no PodDisruptionBudget says how many of its pods must stay",
        );
        if let Some(elsewhere) = elsewhere {
            sink.mend(format!(
                "`{}` has fitting labels, but is in the namespace `{}`",
                elsewhere.name, elsewhere.namespace
            ));
        }
    }
}

fn empty_budget(object: &Object, sink: &mut Sink<'_>) {
    let field = |name: &str| object.at(&["spec", name]);
    let spec = object.at(&["spec"]).unwrap_or(&object.root);
    match (field("minAvailable"), field("maxUnavailable")) {
        (None, None) => sink.report(
            spec,
            "the budget says neither how many pods must stay nor how many may go",
        ),
        (Some(_), Some(second)) => sink.report(
            second,
            "the budget says both how many pods must stay and how many may go",
        ),
        _ => {}
    }
}

fn blocking_budget(object: &Object, sink: &mut Sink<'_>) {
    let most = object.at(&["spec", "maxUnavailable"]);
    if let Some(most) = most.filter(|most| matches!(most.scalar(), Some("0" | "0%"))) {
        return sink.report(most, "no pod may ever go");
    }
    let (Some(least), Some(selector)) = (
        object.at(&["spec", "minAvailable"]),
        object.at(&["spec", "selector"]),
    ) else {
        return;
    };
    if least.scalar() == Some("100%") {
        return sink.report(least, "all pods must stay");
    }
    let Some(least_pods) = least.as_i64() else {
        return;
    };
    let pods = sink
        .world
        .pods(&object.namespace)
        .filter(|pod| selector::fits(selector, pod.labels()));
    let mut known = Some(0);
    for pod in pods {
        let replicas = if SCALED.contains(&pod.object.kind.as_str()) {
            replicas(pod.object, sink)
        } else {
            None
        };
        known = known.zip(replicas).map(|(sum, replicas)| sum + replicas);
    }
    if let Some(pods) = known.filter(|pods| *pods > 0 && least_pods >= *pods) {
        sink.report(
            least,
            format!("{least_pods} pods must stay, and there are {pods}"),
        );
    }
}

fn autoscaled(object: &Object, sink: &mut Sink<'_>) {
    let Some(scaler) = sink.world.autoscaler_of(object) else {
        return sink.nothing_to_judge();
    };
    let name = &scaler.name;
    if let Some(node) = object.at(&["spec", "replicas"]) {
        sink.report(
            node,
            format!("the number of pods is set here and by the autoscaler `{name}`"),
        );
    }
}

fn bounds(object: &Object, sink: &mut Sink<'_>) {
    let least = object.at(&["spec", "minReplicas"]);
    let most = object.at(&["spec", "maxReplicas"]);
    let number = |node: Option<&Node>| node.and_then(Node::as_i64);
    let (least_number, Some(most_number)) = (number(least).unwrap_or(1), number(most)) else {
        return sink.nothing_to_judge();
    };
    let place = least.or(most).unwrap_or(&object.root);
    if least_number > most_number {
        sink.report(
            place,
            format!("at least {least_number} pods and at most {most_number}"),
        );
    } else if least_number == most_number {
        sink.report_as(
            Grade::Warning,
            place,
            format!("there are always {most_number} pods"),
        );
    }
}
