//! Autoscalers, and who else decides over the number of pods.

use sampan_model::yaml::Node;

use super::availability::{SCALED, is_served};
use super::{critical, warning};
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};

const AUTOSCALER: &[&str] = &["HorizontalPodAutoscaler"];

pub(super) fn rules() -> Vec<Rule> {
    vec![
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
        warning(
            "autoscaler-single",
            Judge::Kinds(AUTOSCALER, single),
            [
                "an autoscaler keeps more than one pod of what serves requests",
                "When little is asked, the autoscaler leaves one pod, and each move to another machine and each crash is an outage.",
                "set `minReplicas` to 2 or more",
            ],
        ),
    ]
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

fn single(object: &Object, sink: &mut Sink<'_>) {
    let target = |field: &str| object.text(&["spec", "scaleTargetRef", field]);
    let scaled = target("kind")
        .zip(target("name"))
        .and_then(|(kind, name)| sink.world.find(kind, &object.namespace, name));
    // Of what is not among the inputs nobody knows whether it serves anything.
    if scaled.is_some_and(|scaled| !is_served(scaled, sink)) {
        return sink.nothing_to_judge();
    }
    let least = object.at(&["spec", "minReplicas"]);
    let most = object.at(&["spec", "maxReplicas"]);
    // One without room to work in is what `autoscaler-bounds` tells of.
    if most.and_then(Node::as_i64) == Some(1) {
        return;
    }
    if least
        .map_or(Some(1), Node::as_i64)
        .is_some_and(|least| least < 2)
    {
        let place = least.or_else(|| object.at(&["spec"]));
        sink.report(
            place.unwrap_or(&object.root),
            "the autoscaler may leave only one pod",
        );
    }
}
