//! Which port of a pod a service port means.

use k8s_openapi::api::core::v1::{Pod, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The number that a service port has on a pod: its target port, by number or by the name that one of
/// the pod's containers gives it.
pub(crate) fn target_port(port: &ServicePort, pod: &Pod) -> Option<u16> {
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => u16::try_from(port.port).ok(),
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
        Some(IntOrString::String(name)) => match name.parse() {
            Ok(number) => Some(number),
            Err(_) => named_port(pod, name, port.protocol.as_deref().unwrap_or("TCP")),
        },
    }
}

/// The number of the container port with this name.
pub(crate) fn named_port(pod: &Pod, name: &str, protocol: &str) -> Option<u16> {
    let spec = pod.spec.as_ref()?;
    let containers = spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten());
    let port = containers
        .flat_map(|container| container.ports.iter().flatten())
        .find(|port| {
            port.name.as_deref() == Some(name)
                && port.protocol.as_deref().unwrap_or("TCP") == protocol
        })?;
    u16::try_from(port.container_port).ok()
}
