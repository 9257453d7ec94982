//! The addresses of services as environment variables.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, Service};

/// The variables for a pod: services of its namespace (unless it does not want them) and the API's own.
pub(super) fn variables(pod: &Pod, services: &[Service]) -> BTreeMap<String, String> {
    let links = pod.spec.as_ref().and_then(|spec| spec.enable_service_links) != Some(false);
    let namespace = pod.metadata.namespace.as_deref();
    let mut variables = BTreeMap::new();
    for service in services {
        let own = links && service.metadata.namespace.as_deref() == namespace;
        let api = service.metadata.name.as_deref() == Some("kubernetes")
            && service.metadata.namespace.as_deref() == Some("default");
        if own || api {
            describe(service, &mut variables);
        }
    }
    variables
}

fn describe(service: &Service, variables: &mut BTreeMap<String, String>) {
    let Some(spec) = service.spec.as_ref() else {
        return;
    };
    let address = spec.cluster_ip.as_deref().unwrap_or_default();
    let ports = spec.ports.as_deref().unwrap_or_default();
    if address.is_empty() || address == "None" || ports.is_empty() {
        return;
    }
    let name = constant(service.metadata.name.as_deref().unwrap_or_default());
    variables.insert(format!("{name}_SERVICE_HOST"), address.to_owned());
    variables.insert(format!("{name}_SERVICE_PORT"), ports[0].port.to_string());
    for (index, port) in ports.iter().enumerate() {
        let number = port.port;
        if let Some(port_name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let key = format!("{name}_SERVICE_PORT_{}", constant(port_name));
            variables.insert(key, number.to_string());
        }
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let lower = protocol.to_lowercase();
        let prefix = format!("{name}_PORT_{number}_{protocol}");
        let url = format!("{lower}://{address}:{number}");
        if index == 0 {
            variables.insert(format!("{name}_PORT"), url.clone());
        }
        variables.insert(prefix.clone(), url);
        variables.insert(format!("{prefix}_PROTO"), lower);
        variables.insert(format!("{prefix}_PORT"), number.to_string());
        variables.insert(format!("{prefix}_ADDR"), address.to_owned());
    }
}

fn constant(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
