//! Ports that containers listen on.

use sampan_model::yaml::Node;

use super::warning;
use crate::check::pod::Container;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "port-ssh",
            Judge::Containers(ssh),
            [
                "no container offers SSH",
                "A way in beside that of Kubernetes has accounts and keys that nobody sees or takes back; what is done there is not in the image and gone with the pod.",
                "remove the port, and use `kubectl exec`",
            ],
        ),
        warning(
            "port-privileged",
            Judge::Containers(privileged),
            [
                "a container listens on no port below 1024",
                "For such a port a process often has to be root, or to have the capability NET_BIND_SERVICE. A Service can have the port in its place.",
                "let the program listen on a port from 1024 on, and name it in `targetPort` of the Service",
            ],
        )
        .when_asked_for(),
    ]
}

fn ssh(container: &Container<'_>, sink: &mut Sink<'_>) {
    let is_tcp = |port: &&Node| {
        let protocol = port.get("protocol").and_then(Node::as_str);
        protocol.is_none_or(|protocol| protocol == "TCP")
    };
    let name = container.name();
    for port in container.ports().iter().filter(is_tcp) {
        let number = port.get("containerPort");
        if let Some(node) = number.filter(|number| number.as_i64() == Some(22)) {
            sink.report(node, format!("the container `{name}` offers SSH"));
        }
    }
}

fn privileged(container: &Container<'_>, sink: &mut Sink<'_>) {
    let name = container.name();
    let numbers = container
        .ports()
        .iter()
        .filter_map(|port| port.get("containerPort"));
    for node in numbers {
        if let Some(number) = node.as_i64().filter(|number| (1..1024).contains(number)) {
            sink.report(
                node,
                format!("the container `{name}` listens on the port {number}"),
            );
        }
    }
}
