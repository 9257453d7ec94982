//! Autoscalers, and who else decides over the number of pods.

use sampan_model::yaml::Node;

use super::availability::SCALED;
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
