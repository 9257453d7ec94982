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
        relation(
            "selector-policy-peer",
            Grade::Warning,
            Judge::Kinds(&["NetworkPolicy"], peers),
            [
                "those whom a NetworkPolicy lets in or out are there",
                "A peer without pods lets nobody through; often its labels were right once. Pods of other apps are not among the inputs, so this is judged only when it is asked for.",
                "correct the `podSelector` of the peer",
            ],
        )
        .when_asked_for(),
        relation(
            "selector-monitor",
            Grade::Warning,
            Judge::Kinds(&["ServiceMonitor", "PodMonitor"], monitor),
            [
                "a monitor selects something to watch",
                "Nobody measures what no monitor selects, and no alert tells of it.",
                "correct `spec.selector` or `spec.namespaceSelector`, or declare the monitor under `external` in .sampan-lint.yaml when what it watches comes from elsewhere",
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
    let mut selected = sink.world.selected(&object.namespace, selector);
    if selected.next().is_none() {
        sink.report(selector, message);
    }
}

fn peers(object: &Object, sink: &mut Sink<'_>) {
    for (list, direction) in [("ingress", "from"), ("egress", "to")] {
        let rules = object.at(&["spec", list]).map_or(&[][..], Node::items);
        let peers = rules
            .iter()
            .flat_map(|rule| rule.at(&[direction]).map_or(&[][..], Node::items));
        for peer in peers {
            // Labels of namespaces are rarely known.
            let selector = peer.at(&["podSelector"]);
            let selector = selector.filter(|_| peer.at(&["namespaceSelector"]).is_none());
            if let Some(selector) = selector.filter(|selector| !selector.entries().is_empty())
                && sink
                    .world
                    .selected(&object.namespace, selector)
                    .next()
                    .is_none()
            {
                sink.report(selector, "the peer of the policy selects no pod");
            }
        }
    }
}

fn monitor(object: &Object, sink: &mut Sink<'_>) {
    let Some(selector) = object.at(&["spec", "selector"]) else {
        return sink.nothing_to_judge();
    };
    let any = object.at(&["spec", "namespaceSelector", "any"]);
    let any = any.and_then(Node::as_bool) == Some(true);
    let names = object.at(&["spec", "namespaceSelector", "matchNames"]);
    let names = names.map_or(&[][..], Node::items);
    let is_near = |namespace: &str| match names {
        _ if any => true,
        [] => namespace == object.namespace,
        names => names.iter().any(|name| name.scalar() == Some(namespace)),
    };
    let (what, is_there) = if object.kind == "ServiceMonitor" {
        let mut services = sink.world.of_kind("Service");
        let fits = |service: &Object| {
            let labels = service.at(&["metadata", "labels"]);
            selector::fits(selector, labels.map_or(&[], Node::entries))
        };
        let found = services.any(|service| is_near(&service.namespace) && fits(service));
        ("Service", found)
    } else {
        let mut pods = sink.world.objects().iter().filter_map(Object::pod);
        let fits = pods
            .any(|pod| is_near(&pod.object.namespace) && selector::fits(selector, pod.labels()));
        ("pod", fits)
    };
    let is_declared = sink
        .settings
        .is_external(&object.kind, &object.namespace, &object.name);
    if !is_there && !is_declared {
        sink.report(selector, format!("the monitor selects no {what}"));
    }
}
