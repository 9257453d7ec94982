//! How many pods must stay when a machine is emptied.

use sampan_kubernetes::Version;
use sampan_model::yaml::Node;

use super::availability::{SCALED, replicas};
use super::{critical, warning};
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::selector;

const BUDGET: &[&str] = &["PodDisruptionBudget"];

pub(super) fn rules() -> Vec<Rule> {
    vec![
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
            "disruption-budget-unhealthy",
            Judge::Kinds(BUDGET, unhealthy),
            [
                "a PodDisruptionBudget does not keep pods that do not work",
                "By default, a pod that crashes or never became ready counts as one that must stay, so that nobody can empty its machine until somebody deletes it by hand.",
                "set `unhealthyPodEvictionPolicy: AlwaysAllow`",
            ],
        ),
    ]
}

fn budget(object: &Object, sink: &mut Sink<'_>) {
    let Some(pod) = object.pod() else {
        return sink.nothing_to_judge();
    };
    if replicas(object, sink).is_none_or(|replicas| replicas < 2) {
        return sink.nothing_to_judge();
    }
    let mut budgets = sink
        .world
        .selecting("PodDisruptionBudget", &object.namespace, pod.labels());
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
    let Some(least) = object.at(&["spec", "minAvailable"]) else {
        return;
    };
    if least.scalar() == Some("100%") {
        return sink.report(least, "all pods must stay");
    }
    let Some(selector) = object.at(&["spec", "selector"]) else {
        return;
    };
    let mut known = Some(0);
    for pod in sink.world.selected(&object.namespace, selector) {
        let replicas = if SCALED.contains(&pod.object.kind.as_str()) {
            replicas(pod.object, sink)
        } else {
            None
        };
        known = known.zip(replicas).map(|(sum, replicas)| sum + replicas);
    }
    let Some(pods) = known.filter(|pods| *pods > 0) else {
        return;
    };
    if let Some(least_pods) = amount(least, pods).filter(|least| *least >= pods) {
        sink.report(
            least,
            format!("{least_pods} pods must stay, and there are {pods}"),
        );
    }
}

/// A number of pods, or so many in a hundred of all, of which a part counts as a whole pod.
fn amount(node: &Node, pods: i64) -> Option<i64> {
    if let Some(number) = node.as_i64() {
        return Some(number);
    }
    let percent: i64 = node.as_str()?.strip_suffix('%')?.parse().ok()?;
    let parts = percent.checked_mul(pods)?;
    Some(parts.checked_add(99)?.div_euclid(100))
}

/// The first version of Kubernetes that asks nobody for the policy on pods that do not work.
const POLICY_SINCE: Version = Version::of_minor(27);

fn unhealthy(object: &Object, sink: &mut Sink<'_>) {
    if sink.settings.version() < POLICY_SINCE {
        return sink.nothing_to_judge();
    }
    let policy = object.at(&["spec", "unhealthyPodEvictionPolicy"]);
    if policy.and_then(Node::as_str) != Some("AlwaysAllow") {
        let place = policy.or_else(|| object.at(&["spec"]));
        sink.report(
            place.unwrap_or(&object.root),
            "pods that do not work may keep a machine from being emptied",
        );
    }
}
