//! The rows of ways to pods.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Endpoints, Service, ServiceSpec, ServiceStatus};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, IngressRule, IngressStatus};
use serde_json::Value;

use super::{AGE, Column, NAME, age, or_none, read, text, wide};

/// How many names or addresses a cell shows.
const SHOWN: usize = 3;

pub(super) const SERVICE: &[Column] = &[
    NAME,
    text("Type"),
    text("Cluster-IP"),
    text("External-IP"),
    text("Port(s)"),
    AGE,
    wide("Selector"),
];

pub(super) fn service(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let service: Service = read(object)?;
    let spec = service.spec.unwrap_or_default();
    let status = service.status.unwrap_or_default();
    Some(vec![
        service.metadata.name.clone().into(),
        spec.type_.clone().into(),
        or_none(spec.cluster_ip.clone()).into(),
        external_address(&spec, &status).into(),
        ports(&spec).into(),
        age::of(&service.metadata, now).into(),
        labels(spec.selector.as_ref()).into(),
    ])
}

fn external_address(spec: &ServiceSpec, status: &ServiceStatus) -> String {
    let given = spec.external_ips.clone().unwrap_or_default();
    match spec.type_.as_deref() {
        Some("ExternalName") => spec.external_name.clone().unwrap_or_default(),
        Some("LoadBalancer") => {
            let balancer = status
                .load_balancer
                .iter()
                .flat_map(|status| &status.ingress);
            let balancer = balancer
                .flatten()
                .filter_map(|ingress| ingress.ip.clone().or_else(|| ingress.hostname.clone()));
            let all: Vec<String> = balancer.chain(given).collect();
            if all.is_empty() {
                "<pending>".to_owned()
            } else {
                all.join(",")
            }
        }
        _ => or_none(Some(given.join(","))),
    }
}

fn ports(spec: &ServiceSpec) -> String {
    let ports: Vec<String> = spec
        .ports
        .iter()
        .flatten()
        .map(|port| {
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            match port.node_port.filter(|&number| number > 0) {
                Some(node) => format!("{}:{node}/{protocol}", port.port),
                None => format!("{}/{protocol}", port.port),
            }
        })
        .collect();
    or_none(Some(ports.join(",")))
}

/// Labels as `-l` takes them.
pub(super) fn labels(labels: Option<&BTreeMap<String, String>>) -> String {
    let pairs: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    or_none(Some(pairs.join(",")))
}

pub(super) const INGRESS: &[Column] = &[
    NAME,
    text("Class"),
    text("Hosts"),
    text("Address"),
    text("Ports"),
    AGE,
];

pub(super) fn ingress(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let ingress: Ingress = read(object)?;
    let spec = ingress.spec.unwrap_or_default();
    let annotations = ingress.metadata.annotations.as_ref();
    let class = spec
        .ingress_class_name
        .clone()
        .or_else(|| annotations?.get("kubernetes.io/ingress.class").cloned());
    let encrypted = spec.tls.as_ref().is_some_and(|tls| !tls.is_empty());
    Some(vec![
        ingress.metadata.name.clone().into(),
        or_none(class).into(),
        hosts(spec.rules.as_deref().unwrap_or_default()).into(),
        balancer_addresses(ingress.status.as_ref()).into(),
        if encrypted { "80, 443" } else { "80" }.into(),
        age::of(&ingress.metadata, now).into(),
    ])
}

fn hosts(rules: &[IngressRule]) -> String {
    let named = rules.iter().filter_map(|rule| rule.host.as_deref());
    let named: Vec<&str> = named.filter(|host| !host.is_empty()).take(SHOWN).collect();
    match named.join(",") {
        hosts if hosts.is_empty() => "*".to_owned(),
        hosts if rules.len() > SHOWN => format!("{hosts} + {} more...", rules.len() - SHOWN),
        hosts => hosts,
    }
}

fn balancer_addresses(status: Option<&IngressStatus>) -> String {
    let balancer = status.and_then(|status| status.load_balancer.as_ref());
    let ingress = balancer
        .iter()
        .flat_map(|balancer| &balancer.ingress)
        .flatten();
    let addresses: Vec<&str> = ingress
        .filter_map(|ingress| ingress.ip.as_deref().or(ingress.hostname.as_deref()))
        .collect();
    addresses.join(",")
}

pub(super) const INGRESS_CLASS: &[Column] = &[NAME, text("Controller"), text("Parameters"), AGE];

pub(super) fn ingress_class(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let class: IngressClass = read(object)?;
    let spec = class.spec.unwrap_or_default();
    let parameters = spec.parameters.map(|parameters| {
        let group = parameters
            .api_group
            .map(|group| format!(".{group}"))
            .unwrap_or_default();
        format!("{}{group}/{}", parameters.kind, parameters.name)
    });
    Some(vec![
        class.metadata.name.clone().into(),
        spec.controller.unwrap_or_default().into(),
        or_none(parameters).into(),
        age::of(&class.metadata, now).into(),
    ])
}

pub(super) const ENDPOINTS: &[Column] = &[NAME, text("Endpoints"), AGE];

pub(super) fn endpoints(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let endpoints: Endpoints = read(object)?;
    let mut all = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        for address in subset.addresses.iter().flatten() {
            let ports = subset.ports.as_deref().unwrap_or_default();
            if ports.is_empty() {
                all.push(address.ip.clone());
            }
            all.extend(
                ports
                    .iter()
                    .map(|port| format!("{}:{}", address.ip, port.port)),
            );
        }
    }
    Some(vec![
        endpoints.metadata.name.clone().into(),
        some_of(&all).into(),
        age::of(&endpoints.metadata, now).into(),
    ])
}

fn some_of(all: &[String]) -> String {
    let shown = all
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(",");
    match all.len() {
        0 => "<none>".to_owned(),
        count if count > SHOWN => format!("{shown} + {} more...", count - SHOWN),
        _ => shown,
    }
}

pub(super) const ENDPOINT_SLICE: &[Column] = &[
    NAME,
    text("AddressType"),
    text("Ports"),
    text("Endpoints"),
    AGE,
];

pub(super) fn endpoint_slice(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let slice: EndpointSlice = read(object)?;
    let ports: Vec<String> = slice
        .ports
        .iter()
        .flatten()
        .filter_map(|port| port.port.map(|number| number.to_string()))
        .collect();
    let addresses: Vec<String> = slice
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.addresses.clone())
        .collect();
    let unset = |text: String| {
        if text == "<none>" {
            "<unset>".to_owned()
        } else {
            text
        }
    };
    Some(vec![
        slice.metadata.name.clone().into(),
        slice.address_type.clone().into(),
        unset(some_of(&ports)).into(),
        unset(some_of(&addresses)).into(),
        age::of(&slice.metadata, now).into(),
    ])
}
