//! Hosts that manifests name.

use std::net::IpAddr;

use sampan_model::yaml::Node;

use super::each_text;
use crate::check::object::Object;
use crate::check::rule::Sink;
use crate::check::world::World;

/// Reports each host outside of the site that the object would ask.
pub(super) fn outside(object: &Object, sink: &mut Sink<'_>) {
    let mut found: Vec<(&Node, &str)> = Vec::new();
    for part in asking_parts(object) {
        each_text(part, "", &mut |node, _, text| {
            for host in hosts(text) {
                if !found.iter().any(|(_, known)| *known == host) {
                    found.push((node, host));
                }
            }
        });
    }
    if object.text(&["spec", "type"]) == Some("ExternalName")
        && let Some(name) = object.at(&["spec", "externalName"])
    {
        found.push((name, name.scalar().unwrap_or_default()));
    }
    if found.is_empty() {
        return sink.nothing_to_judge();
    }
    for (node, host) in found {
        if !is_inside(host, &object.namespace, sink.world) && !sink.settings.allows_host(host) {
            sink.report(node, format!("`{host}` is outside of the site"));
        }
    }
}

/// The parts of an object whose texts processes read. Annotations and labels are for people.
fn asking_parts(object: &Object) -> Vec<&Node> {
    match object.kind.as_str() {
        "ConfigMap" => object.at(&["data"]).into_iter().collect(),
        "Secret" => object.at(&["stringData"]).into_iter().collect(),
        _ => {
            let containers = object.pod().into_iter().flat_map(|pod| pod.containers());
            containers
                .flat_map(|container| ["env", "args", "command"].map(|part| container.get(part)))
                .flatten()
                .collect()
        }
    }
}

/// The hosts of all addresses in a text.
fn hosts(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let scheme = rest[..at]
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '+')
            .next()
            .unwrap_or_default();
        rest = &rest[at + 3..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "._-:@%[]".contains(c)))
            .unwrap_or(rest.len());
        let authority = rest[..end].rsplit('@').next().unwrap_or_default();
        // What a placeholder stands for is not known.
        let is_open = rest[end..].starts_with(['$', '{']);
        let host = host_of(authority);
        if !scheme.is_empty()
            && scheme != "unix"
            && scheme != "file"
            && !host.is_empty()
            && !is_open
        {
            found.push(host);
        }
        rest = &rest[end..];
    }
    found
}

fn host_of(authority: &str) -> &str {
    if let Some(inner) = authority.strip_prefix('[') {
        return inner.split(']').next().unwrap_or_default();
    }
    authority
        .split(':')
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
}

/// Hosts in names of schemas and namespaces, which nobody asks.
const NAMES_ONLY: &[&str] = &[
    "www.w3.org",
    "json-schema.org",
    "schemas.xmlsoap.org",
    "schemas.microsoft.com",
    "xmlns.com",
];

/// Endings of names that never lead out of a site (RFC 6761, RFC 6762, RFC 8375, and those of clusters).
const INSIDE: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "svc",
    "test",
    "invalid",
    "home.arpa",
    "lan",
    "localdomain",
];

fn is_inside(host: &str, namespace: &str, world: &World) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(address) => {
                address.is_private()
                    || address.is_loopback()
                    || address.is_unspecified()
                    || address.is_link_local()
            }
            IpAddr::V6(address) => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        };
    }
    let below = |ending: &str| {
        host == ending
            || host
                .strip_suffix(ending)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    // A name without a dot is that of a service or of a machine next door.
    if !host.contains('.')
        || NAMES_ONLY.contains(&host)
        || INSIDE.iter().any(|ending| below(ending))
    {
        return true;
    }
    is_service(host, namespace, world) || is_served(host, world)
}

/// `web.shop` is the service `web` in the namespace `shop`.
fn is_service(host: &str, namespace: &str, world: &World) -> bool {
    let mut parts = host.split('.');
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else {
        return false;
    };
    let is_service = |namespace: &str, name: &str| world.find("Service", namespace, name).is_some();
    let rest = parts.next();
    (rest.is_none() && (is_service(second, first) || second == namespace)) || (rest == Some("svc"))
}

/// Whether an Ingress of the inputs answers for the host.
fn is_served(host: &str, world: &World) -> bool {
    world.of_kind("Ingress").any(|ingress| {
        let rules = ingress.at(&["spec", "rules"]).map_or(&[][..], Node::items);
        rules
            .iter()
            .any(|rule| rule.get("host").and_then(Node::scalar) == Some(host))
    })
}
