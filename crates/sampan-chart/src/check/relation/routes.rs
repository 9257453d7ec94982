//! The way of a request: Ingress, Service, port of a container.

use sampan_model::yaml::{Content, Node};

use super::{field, relation};
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::selector;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        relation(
            "ingress-port",
            Grade::Critical,
            Judge::Kinds(&["Ingress"], ingress),
            [
                "an Ingress sends requests to a port that the Service has",
                "Requests for that path get an error.",
                "name one of the ports of the Service",
            ],
        ),
        relation(
            "service-port",
            Grade::Critical,
            Judge::Kinds(&["Service"], service),
            [
                "a Service sends requests to a port that its pods have",
                "A port that is called by a name which no container gives leads nowhere. A number that no container declares often is a slip.",
                "correct `targetPort`, or declare the port under `ports` of the container",
            ],
        ),
        relation(
            "statefulset-service",
            Grade::Critical,
            Judge::Kinds(&["StatefulSet"], stateful_set),
            [
                "a StatefulSet has the Service that names its pods",
                "Pods of a StatefulSet are found by names below its Service, which must be there and have no address of its own; otherwise the pods do not find each other.",
                "add a Service with `clusterIP: None` and the labels of the pods, and name it in `spec.serviceName`",
            ],
        ),
    ]
}

/// Where an Ingress sends requests.
pub(super) struct Backend<'a> {
    /// The node with the name of the service.
    pub(super) name: &'a Node,
    /// The port, by name or number.
    port: Option<&'a Node>,
}

/// All backends of an Ingress, in the form of `networking.k8s.io/v1` and the one before.
pub(super) fn backends(ingress: &Object) -> Vec<Backend<'_>> {
    let rules = ingress.at(&["spec", "rules"]).map_or(&[][..], Node::items);
    let paths = rules
        .iter()
        .flat_map(|rule| rule.at(&["http", "paths"]).map_or(&[][..], Node::items));
    let of_paths = paths.filter_map(|path| path.get("backend"));
    let usual = ["defaultBackend", "backend"]
        .iter()
        .filter_map(|field| ingress.at(&["spec", field]));
    usual.chain(of_paths).filter_map(backend).collect()
}

fn backend(node: &Node) -> Option<Backend<'_>> {
    if let Some(service) = node.at(&["service"]) {
        let port = service
            .at(&["port", "name"])
            .or_else(|| service.at(&["port", "number"]));
        return Some(Backend {
            name: service.get("name")?,
            port,
        });
    }
    Some(Backend {
        name: node.get("serviceName")?,
        port: node.get("servicePort"),
    })
}

fn ports(service: &Object) -> &[Node] {
    service.at(&["spec", "ports"]).map_or(&[], Node::items)
}

fn ingress(object: &Object, sink: &mut Sink<'_>) {
    for backend in backends(object) {
        let Some(port) = backend.port.filter(|port| !selector::is_open(port)) else {
            continue;
        };
        let name = backend.name.scalar().unwrap_or_default();
        let Some(service) = sink.world.find("Service", &object.namespace, name) else {
            continue;
        };
        let wanted = port.scalar().unwrap_or_default();
        let key = if port.as_i64().is_some() {
            "port"
        } else {
            "name"
        };
        if !ports(service)
            .iter()
            .any(|port| field(port, key) == Some(wanted))
        {
            let known: Vec<_> = ports(service)
                .iter()
                .filter_map(|port| field(port, key))
                .map(|port| format!("`{port}`"))
                .collect();
            sink.report(port, format!("the Service `{name}` has no port `{wanted}`"));
            if !known.is_empty() {
                sink.mend(format!("the Service has {}", known.join(", ")));
            }
        }
    }
}

fn service(object: &Object, sink: &mut Sink<'_>) {
    let pods = sink.world.pods_of_service(object);
    if pods.is_empty() {
        return sink.nothing_to_judge();
    }
    for port in ports(object) {
        let Some(target) = port.at(&["targetPort"]).or_else(|| port.at(&["port"])) else {
            continue;
        };
        if let Content::String(name, _) = &target.content {
            if !name.contains("${")
                && name.parse::<u16>().is_err()
                && !pods.iter().any(|pod| pod.has_port_name(name))
            {
                let owner = &pods[0].object.name;
                sink.report(
                    target,
                    format!("no container of `{owner}` has a port `{name}`"),
                );
            }
        } else if let Some(number) = target.as_i64() {
            let declared: Vec<i64> = pods
                .iter()
                .flat_map(super::super::pod::Pod::port_numbers)
                .collect();
            if !declared.is_empty() && !declared.contains(&number) {
                let owner = &pods[0].object.name;
                sink.report_as(
                    Grade::Warning,
                    target,
                    format!("no container of `{owner}` declares the port {number}"),
                );
            }
        }
    }
}

fn stateful_set(object: &Object, sink: &mut Sink<'_>) {
    let Some(pod) = object.pod() else {
        return sink.nothing_to_judge();
    };
    let Some(node) = object
        .at(&["spec", "serviceName"])
        .filter(|node| node.scalar() != Some(""))
    else {
        let spec = object.at(&["spec"]).unwrap_or(&object.root);
        return sink.report_as(Grade::Warning, spec, "the StatefulSet names no Service");
    };
    let name = node.scalar().unwrap_or_default();
    if selector::is_open(node)
        || sink
            .settings
            .is_external("Service", &object.namespace, name)
    {
        return;
    }
    let Some(service) = sink.world.find("Service", &object.namespace, name) else {
        return sink.report(
            node,
            format!("there is no Service `{name}`, which names the pods"),
        );
    };
    let selects = service
        .at(&["spec", "selector"])
        .is_some_and(|selector| selector::plain_fits(selector, pod.labels()));
    if !selects {
        return sink.report(
            node,
            format!("the Service `{name}` does not select the pods"),
        );
    }
    // One pod is found by the address of the Service as well.
    if service.text(&["spec", "clusterIP"]) != Some("None")
        && object.replicas().is_none_or(|replicas| replicas > 1)
    {
        sink.report_as(
            Grade::Warning,
            node,
            format!("the Service `{name}` has an address of its own, so the pods have no names"),
        );
    }
}
