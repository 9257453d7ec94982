//! Names and labels.

use sampan_model::yaml::{Key, Node};

use super::schema;
use crate::check::Grade;
use crate::check::object::Object;
use crate::check::rule::{Judge, Rule, Sink};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        schema(
            "object-name",
            Grade::Critical,
            Judge::Objects(name),
            [
                "the name of an object is one that Kubernetes takes",
                "Kubernetes refuses other names.",
                "use small letters, digits and `-`, with a letter or digit at both ends",
            ],
        ),
        schema(
            "object-label",
            Grade::Critical,
            Judge::Objects(labels),
            [
                "labels have keys and values that Kubernetes takes",
                "Kubernetes refuses an object with a label that has blanks, or more than 63 characters.",
                "use letters, digits, `-`, `_` and `.`, with a letter or digit at both ends, and 63 characters at most",
            ],
        ),
        schema(
            "port-name",
            Grade::Critical,
            Judge::Objects(ports),
            [
                "ports have names and numbers that Kubernetes takes",
                "Kubernetes refuses other ones.",
                "name a port with small letters, digits and single `-`, 15 characters at most and one letter at least; its number is 1 to 65535",
            ],
        ),
    ]
}

/// Kinds whose names are those of paths, and may be nearly anything.
const FREE_NAMES: &[&str] = &["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];

/// A label of the domain name system (RFC 1123).
fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

fn is_part(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| word(*byte) || *byte == b'-')
        && bytes.first().is_some_and(|first| word(*first))
        && bytes.last().is_some_and(|last| word(*last))
}

/// A name with dots. Kubernetes bounds it as a whole only, not its parts.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn name(object: &Object, sink: &mut Sink<'_>) {
    let Some(node) = object.at(&["metadata", "name"]) else {
        return sink.nothing_to_judge();
    };
    let name = object.name.as_str();
    let is_custom = object.group().contains('.') && !object.group().ends_with(".k8s.io");
    if name.contains("${") || FREE_NAMES.contains(&object.kind.as_str()) || is_custom {
        return sink.nothing_to_judge();
    }
    let begins_with_digit = name.starts_with(|first: char| first.is_ascii_digit());
    let fits = match object.kind.as_str() {
        "Service" => is_label(name) && !begins_with_digit,
        "Namespace" | "StatefulSet" => is_label(name),
        "CronJob" => is_subdomain(name) && name.len() <= 52,
        _ => is_subdomain(name),
    };
    if !fits {
        sink.report(node, format!("`{name}` is no name for a {}", object.kind));
        if object.kind == "CronJob" && name.len() > 52 {
            sink.mend("use 52 characters at most: the names of its Jobs have 11 more");
        } else if object.kind == "Service" && begins_with_digit {
            sink.mend("begin the name of a Service with a letter");
        }
    }
}

fn labels(object: &Object, sink: &mut Sink<'_>) {
    let own = object.at(&["metadata", "labels"]);
    let template = object
        .pod()
        .and_then(|pod| pod.template.at(&["metadata", "labels"]));
    let template = template.filter(|labels| own.is_none_or(|own| !std::ptr::eq(own, *labels)));
    for (key, value) in own.into_iter().chain(template).flat_map(Node::entries) {
        check(key, value, sink);
    }
}

fn check(key: &Key, value: &Node, sink: &mut Sink<'_>) {
    let parts = key.name.rsplit_once('/');
    let (prefix, name) = parts.map_or((None, key.name.as_str()), |(prefix, name)| {
        (Some(prefix), name)
    });
    if name.is_empty() || !is_label_text(name) || prefix.is_some_and(|prefix| !is_subdomain(prefix))
    {
        sink.report(value, format!("`{}` is no key of a label", key.name));
    }
    let text = value.as_str().unwrap_or_default();
    if !text.contains("${") && !is_label_text(text) {
        sink.report(value, format!("`{text}` is no value of a label"));
    }
}

/// Text of a label; empty is allowed for values.
fn is_label_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    let end_fits = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && end_fits(bytes.first())
        && end_fits(bytes.last())
}

/// The name of a service (RFC 6335, section 5.1), in small letters.
fn is_port_name(text: &str) -> bool {
    text.len() <= 15
        && is_part(text)
        && !text.contains("--")
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn ports(object: &Object, sink: &mut Sink<'_>) {
    if object.kind == "Service" && object.group().is_empty() {
        let ports = object.at(&["spec", "ports"]).map_or(&[][..], Node::items);
        for port in ports {
            // A port of a Service may have any label as its name.
            number(port.at(&["port"]), 1, sink);
            number(port.at(&["nodePort"]), 0, sink);
            target_port(port.at(&["targetPort"]), sink);
        }
        return;
    }
    let Some(pod) = object.pod() else {
        return sink.nothing_to_judge();
    };
    for port in pod.containers().flat_map(|container| container.ports()) {
        port_name(port.at(&["name"]), sink);
        number(port.at(&["containerPort"]), 1, sink);
        number(port.at(&["hostPort"]), 0, sink);
    }
}

fn port_name(node: Option<&Node>, sink: &mut Sink<'_>) {
    let Some(node) = node else { return };
    let name = node.as_str().unwrap_or_default();
    if !name.is_empty() && !name.contains("${") && !is_port_name(name) {
        sink.report(node, format!("`{name}` is no name for a port"));
    }
}

fn target_port(node: Option<&Node>, sink: &mut Sink<'_>) {
    let text = node.and_then(Node::as_str).unwrap_or_default();
    if let Some(node) = node.filter(|_| text.parse::<u16>().is_ok()) {
        sink.report(node, format!("`{text}` is text, and no name for a port"));
        return sink.mend(format!("write the number without quotes: `{text}`"));
    }
    port_name(node, sink);
    number(node, 1, sink);
}

/// Zero stands for no port where a port may be left out.
fn number(node: Option<&Node>, least: i64, sink: &mut Sink<'_>) {
    if let Some(node) = node
        && let Some(number) = node
            .as_i64()
            .filter(|number| !(least..=65535).contains(number))
    {
        sink.report(node, format!("{number} is no number of a port"));
    }
}
