//! Who may reach what.

use sampan_model::yaml::Node;

use super::warning;
use crate::check::object::Object;
use crate::check::pod::Pod;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "network-policy",
            Judge::Pods(policy),
            [
                "a NetworkPolicy says who may talk to a pod",
                "Where none does, every pod of the cluster reaches every port of this one, an intruder's too.",
                "add a NetworkPolicy with the labels of the pod; one for the whole namespace that denies by default is a good beginning",
            ],
        ),
        warning(
            "network-policy-egress",
            Judge::Pods(egress),
            [
                "a NetworkPolicy says whom a pod may talk to",
                "An intruder in a pod that may talk to everybody goes on from there.",
                "add `Egress` to the `policyTypes` of its NetworkPolicy, with what the pod needs",
            ],
        )
        .when_asked_for(),
        warning(
            "service-node-port",
            Judge::Kinds(&["Service"], node_port),
            [
                "a service takes no port of all machines",
                "The port is open on each machine, past the gateway and its TLS, and no NetworkPolicy knows who asks.",
                "use an Ingress, or a service of the type LoadBalancer",
            ],
        ),
        warning(
            "ingress-tls",
            Judge::Kinds(&["Ingress"], tls),
            [
                "an Ingress has a certificate",
                "Without one, what its users send and read can be read and changed by everybody on the way.",
                "add `spec.tls` with the hosts and the Secret that holds the certificate",
            ],
        )
        .when_asked_for(),
    ]
}

/// The directions that policies speak of, for a pod.
fn directions(pod: &Pod<'_>, sink: &Sink<'_>) -> (bool, bool) {
    let (mut ingress, mut egress) = (false, false);
    for policy in sink
        .world
        .selecting("NetworkPolicy", &pod.object.namespace, pod.labels())
    {
        match policy
            .at(&["spec", "policyTypes"])
            .map_or(&[][..], Node::items)
        {
            [] => {
                ingress = true;
                egress |= policy
                    .at(&["spec", "egress"])
                    .is_some_and(|rules| !rules.items().is_empty());
            }
            types => {
                ingress |= types.iter().any(|kind| kind.as_str() == Some("Ingress"));
                egress |= types.iter().any(|kind| kind.as_str() == Some("Egress"));
            }
        }
    }
    (ingress, egress)
}

/// No policy holds in the network of the machine.
fn has_own_network(pod: &Pod<'_>) -> bool {
    pod.spec.get("hostNetwork").and_then(Node::as_bool) != Some(true)
}

fn policy(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    if pod.ends() || !has_own_network(pod) {
        return sink.nothing_to_judge();
    }
    if !directions(pod, sink).0 {
        sink.report(pod.spec, "no NetworkPolicy says who may talk to the pod");
    }
}

fn egress(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    if !has_own_network(pod) {
        return sink.nothing_to_judge();
    }
    if !directions(pod, sink).1 {
        sink.report(pod.spec, "no NetworkPolicy says whom the pod may talk to");
    }
}

fn node_port(object: &Object, sink: &mut Sink<'_>) {
    let kind = object.at(&["spec", "type"]);
    if let Some(kind) = kind.filter(|kind| kind.as_str() == Some("NodePort")) {
        sink.report(kind, "the service takes a port of all machines");
    }
}

fn tls(object: &Object, sink: &mut Sink<'_>) {
    let tls = object.at(&["spec", "tls"]).map_or(&[][..], Node::items);
    if tls.is_empty() {
        sink.report(
            object.at(&["spec"]).unwrap_or(&object.root),
            "the Ingress has no certificate",
        );
    }
}
