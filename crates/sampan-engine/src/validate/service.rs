//! The rules of services.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};

use super::causes::{Causes, Path};
use super::{metadata, names, probe};

/// Checks a service.
pub(super) fn check(new: &Service, old: Option<&Service>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("ports"), "");
        return;
    };
    let kind = spec.type_.as_deref().unwrap_or("ClusterIP");
    causes.one_of(
        &path.child("type"),
        Some(kind),
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    );
    causes.one_of(
        &path.child("sessionAffinity"),
        spec.session_affinity.as_deref(),
        &["ClientIP", "None"],
    );
    metadata::labels(spec.selector.as_ref(), &path.child("selector"), causes);
    let headless = spec.cluster_ip.as_deref() == Some("None");
    let given = spec.ports.as_deref().unwrap_or_default();
    if kind == "ExternalName" {
        external_name(spec, &path, causes);
    } else {
        if given.is_empty() && !headless {
            causes.required(&path.child("ports"), "");
        }
        cluster_ip(spec, &path, causes);
    }
    if headless && matches!(kind, "NodePort" | "LoadBalancer") {
        let detail = format!("may not be set to 'None' for {kind} services");
        causes.invalid(&path.child("clusterIPs").index(0), "None", &detail);
    }
    ports(given, &path.child("ports"), causes);
    if let Some(old) = old.and_then(|old| old.spec.as_ref()) {
        unchanged(spec, old, &path, causes);
    }
}

fn external_name(spec: &ServiceSpec, path: &Path, causes: &mut Causes) {
    let name_path = path.child("externalName");
    match spec
        .external_name
        .as_deref()
        .map(|name| name.trim_end_matches('.'))
    {
        None | Some("") => causes.required(&name_path, ""),
        Some(name) => causes.complaints(&name_path, name, names::dns_subdomain(name)),
    }
    if spec
        .cluster_ip
        .as_deref()
        .is_some_and(|address| !address.is_empty())
    {
        causes.forbidden(
            &path.child("clusterIPs"),
            "may not be set when `type` is 'ExternalName'",
        );
    }
}

fn cluster_ip(spec: &ServiceSpec, path: &Path, causes: &mut Causes) {
    if let Some(address) = spec
        .cluster_ip
        .as_deref()
        .filter(|address| !address.is_empty())
        && address != "None"
        && address.parse::<IpAddr>().is_err()
    {
        causes.invalid(
            &path.child("clusterIPs").index(0),
            address,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        );
    }
}

fn ports(ports: &[ServicePort], path: &Path, causes: &mut Causes) {
    let mut seen_names = BTreeSet::new();
    let mut seen_ports = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        match port.name.as_deref() {
            None | Some("") if ports.len() > 1 => causes.required(&path.child("name"), ""),
            None | Some("") => {}
            Some(name) => {
                causes.complaints(&path.child("name"), name, names::dns_label(name));
                if !seen_names.insert(name) {
                    causes.duplicate(&path.child("name"), name);
                }
            }
        }
        causes.port(&path.child("port"), port.port);
        let protocol = port.protocol.as_deref();
        causes.one_of(&path.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
        if let Some(target) = &port.target_port {
            probe::port(target, &path.child("targetPort"), causes);
        }
        if !seen_ports.insert((port.port, protocol)) {
            let same = serde_json::json!({"port": port.port, "protocol": protocol});
            causes.duplicate(&path, &same);
        }
    }
}

/// The address of a service is for life, unless it becomes or was an external name.
fn unchanged(new: &ServiceSpec, old: &ServiceSpec, path: &Path, causes: &mut Causes) {
    let external = |spec: &ServiceSpec| spec.type_.as_deref() == Some("ExternalName");
    if external(new) || external(old) {
        return;
    }
    let address = |spec: &ServiceSpec| {
        spec.cluster_ip
            .clone()
            .filter(|address| !address.is_empty())
    };
    if let Some(old) = address(old)
        && address(new).as_deref() != Some(old.as_str())
    {
        let new = address(new).unwrap_or_default();
        let detail = "may not change once set";
        causes.invalid(&path.child("clusterIPs").index(0), &[new], detail);
    }
}
