//! The rules of ingresses.

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend};

use super::causes::{Causes, Path};
use super::names;

/// Checks an ingress.
pub(super) fn check(ingress: &Ingress, _: Option<&Ingress>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &ingress.spec else {
        causes.invalid(
            &path,
            "",
            "either `defaultBackend` or `rules` must be specified",
        );
        return;
    };
    let rules = spec.rules.as_deref().unwrap_or_default();
    if rules.is_empty() && spec.default_backend.is_none() {
        causes.invalid(
            &path,
            rules,
            "either `defaultBackend` or `rules` must be specified",
        );
    }
    if let Some(found) = &spec.default_backend {
        backend(found, &path.child("defaultBackend"), causes);
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = path.child("rules").index(index);
        if let Some(name) = rule.host.as_deref().filter(|name| !name.is_empty()) {
            host(name, &path.child("host"), causes);
        }
        let Some(http) = &rule.http else { continue };
        let path = path.child("http").child("paths");
        if http.paths.is_empty() {
            causes.required(&path, "");
        }
        for (index, found) in http.paths.iter().enumerate() {
            http_path(found, &path.index(index), causes);
        }
    }
    for (index, tls) in spec.tls.iter().flatten().enumerate() {
        let path = path.child("tls").index(index).child("hosts");
        for (index, name) in tls.hosts.iter().flatten().enumerate() {
            host(name, &path.index(index), causes);
        }
    }
    if let Some(class) = spec.ingress_class_name.as_deref() {
        causes.complaints(
            &path.child("ingressClassName"),
            class,
            names::dns_subdomain(class),
        );
    }
}

fn host(name: &str, path: &Path, causes: &mut Causes) {
    if name.parse::<std::net::IpAddr>().is_ok() {
        causes.invalid(path, name, "must be a DNS name, not an IP address");
    } else if name.contains('*') {
        causes.complaints(path, name, names::wildcard_subdomain(name));
    } else {
        causes.complaints(path, name, names::dns_subdomain(name));
    }
}

fn http_path(found: &HTTPIngressPath, path: &Path, causes: &mut Causes) {
    let text_path = path.child("path");
    let text = found.path.as_deref().unwrap_or_default();
    match found.path_type.as_str() {
        "Exact" | "Prefix" => {
            if !text.starts_with('/') {
                causes.invalid(&text_path, text, "must be an absolute path");
            }
            for bad in ["//", "/./", "/../", "%2f", "%2F"] {
                if text.contains(bad) {
                    causes.invalid(&text_path, text, &format!("must not contain '{bad}'"));
                }
            }
            for bad in ["/..", "/."] {
                if text.ends_with(bad) {
                    causes.invalid(&text_path, text, &format!("cannot end with '{bad}'"));
                }
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !text.starts_with('/') {
                causes.invalid(&text_path, text, "must be an absolute path");
            }
        }
        "" => causes.required(&path.child("pathType"), "pathType must be specified"),
        other => causes.one_of(
            &path.child("pathType"),
            Some(other),
            &["Exact", "ImplementationSpecific", "Prefix"],
        ),
    }
    backend(&found.backend, &path.child("backend"), causes);
}

fn backend(backend: &IngressBackend, path: &Path, causes: &mut Causes) {
    match (&backend.service, &backend.resource) {
        (Some(_), Some(_)) => {
            causes.invalid(path, "", "cannot set both resource and service backends");
        }
        (None, None) => causes.required(path, "resource or service backend is required"),
        (None, Some(_)) => {}
        (Some(service), None) => {
            let path = path.child("service");
            if service.name.is_empty() {
                causes.required(&path.child("name"), "");
            } else {
                let name = &service.name;
                causes.complaints(&path.child("name"), name, names::dns_1035_label(name));
            }
            let port = service.port.clone().unwrap_or_default();
            let path = path.child("port");
            match (port.name.as_deref(), port.number) {
                (Some(_), Some(_)) => {
                    causes.invalid(&path, "", "cannot set both port name & port number");
                }
                (None, None) => causes.required(&path, "port name or number is required"),
                (Some(name), None) => {
                    causes.complaints(&path.child("name"), name, names::port_name(name));
                }
                (None, Some(number)) => causes.port(&path.child("number"), number),
            }
        }
    }
}
