//! The endpoints of a service port.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use sampan_model::routing::Pool;

use super::Facts;
use super::ports::target_port;
use crate::controllers::pods;
use crate::controllers::selector::matches_all;

/// How long a client stays with one endpoint where the service does not say.
const AFFINITY: Duration = Duration::from_hours(3);

/// The ready endpoints of a service port.
pub(super) fn pool(facts: &Facts, service: &Service, port: &ServicePort) -> Pool {
    let mut endpoints: Vec<SocketAddr> = if selector(service).is_some() {
        members(facts, service)
            .filter(|(pod, _)| answers(service, pod))
            .filter_map(|(pod, address)| Some(SocketAddr::new(address, target_port(port, pod)?)))
            .collect()
    } else {
        own_slices(facts, service)
            .flat_map(|slice| from_slice(slice, port))
            .collect()
    };
    endpoints.sort();
    endpoints.dedup();
    Pool {
        endpoints,
        affinity: affinity(service),
    }
}

fn selector(service: &Service) -> Option<&std::collections::BTreeMap<String, String>> {
    service
        .spec
        .as_ref()?
        .selector
        .as_ref()
        .filter(|selector| !selector.is_empty())
}

/// The pods that a service selects and that have an address.
pub(super) fn members<'a>(
    facts: &'a Facts,
    service: &'a Service,
) -> impl Iterator<Item = (&'a Pod, IpAddr)> {
    let selector = selector(service);
    facts
        .pods
        .iter()
        .filter(move |pod| {
            pod.metadata.namespace == service.metadata.namespace
                && selector.is_some_and(|s| matches_all(s, pod.metadata.labels.as_ref()))
                && !pods::is_terminal(pod)
        })
        .filter_map(|pod| {
            let address = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
            Some((pod, address))
        })
}

/// Whether a pod gets new requests of this service.
pub(super) fn answers(service: &Service, pod: &Pod) -> bool {
    let all = service
        .spec
        .as_ref()
        .and_then(|spec| spec.publish_not_ready_addresses)
        == Some(true);
    all || (pods::is_ready(pod) && !pods::is_terminating(pod))
}

/// The slices that somebody wrote by hand for a service without selector.
pub(super) fn own_slices<'a>(
    facts: &'a Facts,
    service: &'a Service,
) -> impl Iterator<Item = &'a EndpointSlice> {
    facts.slices.iter().filter(|slice| {
        let label = |key: &str| {
            slice
                .metadata
                .labels
                .as_ref()
                .and_then(|labels| labels.get(key))
        };
        slice.metadata.namespace == service.metadata.namespace
            && label(crate::controllers::endpoints::SERVICE_NAME) == service.metadata.name.as_ref()
    })
}

fn from_slice(slice: &EndpointSlice, port: &ServicePort) -> Vec<SocketAddr> {
    let name = port.name.clone().unwrap_or_default();
    let number = slice
        .ports
        .iter()
        .flatten()
        .find(|candidate| candidate.name.clone().unwrap_or_default() == name)
        .and_then(|found| u16::try_from(found.port?).ok());
    let Some(number) = number else {
        return Vec::new();
    };
    slice
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.conditions.as_ref().and_then(|c| c.ready) != Some(false))
        .flat_map(|endpoint| endpoint.addresses.iter())
        .filter_map(|address| Some(SocketAddr::new(address.parse().ok()?, number)))
        .collect()
}

fn affinity(service: &Service) -> Option<Duration> {
    let spec = service.spec.as_ref()?;
    (spec.session_affinity.as_deref() == Some("ClientIP")).then(|| {
        let seconds = spec
            .session_affinity_config
            .as_ref()
            .and_then(|config| config.client_ip.as_ref())
            .and_then(|client| client.timeout_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok());
        seconds.map_or(AFFINITY, Duration::from_secs)
    })
}
