//! Probes: how Kubernetes learns that a container works.

use sampan_model::yaml::Node;

use super::{critical, warning};
use crate::check::Grade;
use crate::check::pod::{Container, Pod, Role};
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        warning(
            "probe-readiness",
            Judge::Pods(readiness),
            [
                "a pod that serves requests has a readiness probe",
                "Without one, a pod gets requests as soon as its process has started, and a rollout goes on although the new version never becomes able to answer.",
                "add a `readinessProbe` to the container that answers, asking for what its users ask for",
            ],
        ),
        warning(
            "probe-liveness",
            Judge::Pods(liveness),
            [
                "a pod that serves requests has a liveness probe",
                "A process that hangs is started anew only when somebody asks it whether it still lives.",
                "add a `livenessProbe` that fails only when a restart would help",
            ],
        ),
        warning(
            "probe-same",
            Judge::Containers(same),
            [
                "readiness and liveness are not the same question",
                "When both ask the same, a container that is only busy, or waits for something else, is killed instead of being left alone for a while; under load, one after the other goes down.",
                "let the liveness probe ask for less, or give it far more patience (`failureThreshold`, `periodSeconds`)",
            ],
        ),
        critical(
            "probe-port",
            Judge::Containers(ports),
            [
                "a probe asks a port that the container has",
                "A probe that asks for a port by a name that the container does not give fails for ever: the pod never becomes ready, or is killed again and again.",
                "name one of the container's `ports`, or declare the port",
            ],
        ),
    ]
}

const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// Whether a service sends requests to the pod.
fn is_served(pod: &Pod<'_>, sink: &Sink<'_>) -> bool {
    let (namespace, labels) = (&pod.object.namespace, pod.labels());
    !pod.ends()
        && sink
            .world
            .selecting("Service", namespace, labels)
            .next()
            .is_some()
}

fn readiness(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    without(
        pod,
        "readinessProbe",
        "no container of the pod says when it is ready for requests",
        sink,
    );
}

fn liveness(pod: &Pod<'_>, sink: &mut Sink<'_>) {
    without(
        pod,
        "livenessProbe",
        "no container of the pod says whether it still lives",
        sink,
    );
}

fn without(pod: &Pod<'_>, probe: &str, message: &str, sink: &mut Sink<'_>) {
    if !is_served(pod, sink) {
        return sink.nothing_to_judge();
    }
    let mut main = pod
        .containers()
        .filter(|container| container.role != Role::Init);
    if !main.any(|container| container.get(probe).is_some()) {
        let first = pod
            .spec
            .get("containers")
            .and_then(|containers| containers.items().first());
        sink.report(first.unwrap_or(pod.spec), message);
    }
}

fn same(container: &Container<'_>, sink: &mut Sink<'_>) {
    let (Some(ready), Some(alive)) = (
        container.get("readinessProbe"),
        container.get("livenessProbe"),
    ) else {
        return sink.nothing_to_judge();
    };
    if question(ready).is_some()
        && question(ready) == question(alive)
        && patience(alive) <= patience(ready)
    {
        let name = container.name();
        sink.report(
            alive,
            format!("the container `{name}` is killed by the very answer that makes it unready"),
        );
    }
}

/// What a probe asks.
fn question(probe: &Node) -> Option<String> {
    let (kind, action) = ["httpGet", "tcpSocket", "grpc", "exec"]
        .into_iter()
        .find_map(|kind| Some((kind, probe.get(kind)?)))?;
    let scalar = |key: &str| {
        action
            .get(key)
            .and_then(Node::scalar)
            .unwrap_or_default()
            .to_owned()
    };
    Some(match kind {
        "exec" => action
            .get("command")
            .map(Node::to_json)
            .unwrap_or_default()
            .to_string(),
        _ => format!(
            "{kind} {} {} {} {}",
            scalar("host"),
            scalar("port"),
            scalar("path"),
            scalar("service")
        ),
    })
}

/// For how many seconds a probe may fail.
fn patience(probe: &Node) -> i64 {
    let number = |key: &str, usual| probe.get(key).and_then(Node::as_i64).unwrap_or(usual);
    number("periodSeconds", 10).saturating_mul(number("failureThreshold", 3))
}

fn ports(container: &Container<'_>, sink: &mut Sink<'_>) {
    let probes = PROBES
        .iter()
        .filter_map(|probe| Some((*probe, container.get(probe)?)));
    for (probe, node) in probes {
        let actions = ["httpGet", "tcpSocket", "grpc"]
            .iter()
            .filter_map(|action| node.get(action)?.get("port"));
        for port in actions {
            check_port(container, probe, port, sink);
        }
    }
}

fn check_port(container: &Container<'_>, probe: &str, port: &Node, sink: &mut Sink<'_>) {
    let declared = |field: &str, text: &str| {
        container
            .ports()
            .iter()
            .any(|port| port.get(field).and_then(Node::scalar) == Some(text))
    };
    let name = container.name();
    match (port.as_i64(), port.as_str()) {
        (Some(number), _) => {
            let is_known =
                container.ports().is_empty() || declared("containerPort", &number.to_string());
            if !is_known {
                let message = format!(
                    "the {probe} of `{name}` asks port {number}, which the container does not declare"
                );
                sink.report_as(Grade::Warning, port, message);
            }
        }
        (None, Some(text)) if !text.contains("${") && !declared("name", text) => {
            sink.report(port, format!("the {probe} of `{name}` asks the port `{text}`, which the container does not have"));
        }
        _ => {}
    }
}
