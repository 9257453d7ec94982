//! Which pods answer for a service, as `Endpoints` and `EndpointSlice` objects tell it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort as CorePort, EndpointSubset, Endpoints, ObjectReference, Pod,
    Service, ServicePort,
};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::controllers::pods;
use crate::controllers::selector::{matches_all, owned_by};
use crate::routing::ports::target_port;

/// The label that ties a slice to its service.
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label that names the maker of a slice.
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Us, as Kubernetes' own controller is called, since clients look for it.
pub(crate) const MANAGER: &str = "endpointslice-controller.k8s.io";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The ports of one subset: name, number, protocol.
type Ports = Vec<(Option<String>, i32, String)>;

/// Pods of a service, grouped by the port numbers that they resolve the service's ports to.
fn grouped<'a>(service: &Service, pods: &'a [Pod]) -> BTreeMap<Ports, Vec<&'a Pod>> {
    let spec = service.spec.clone().unwrap_or_default();
    let selector = spec.selector.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let mut groups: BTreeMap<Ports, Vec<&Pod>> = BTreeMap::new();
    for pod in pods {
        let chosen = matches_all(&selector, pod.metadata.labels.as_ref());
        if chosen && !pods::is_terminal(pod) && address(pod).is_some() {
            groups.entry(resolved(&ports, pod)).or_default().push(pod);
        }
    }
    for pods in groups.values_mut() {
        pods.sort_by_key(|pod| pod.metadata.name.clone());
    }
    groups
}

fn resolved(ports: &[ServicePort], pod: &Pod) -> Ports {
    ports
        .iter()
        .filter_map(|port| {
            let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
            Some((
                port.name.clone(),
                i32::from(target_port(port, pod)?),
                protocol,
            ))
        })
        .collect()
}

fn address(pod: &Pod) -> Option<String> {
    pod.status
        .as_ref()?
        .pod_ip
        .clone()
        .filter(|ip| !ip.is_empty())
}

fn publishes_unready(service: &Service) -> bool {
    service
        .spec
        .as_ref()
        .and_then(|spec| spec.publish_not_ready_addresses)
        == Some(true)
}

fn reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        name: pod.metadata.name.clone(),
        namespace: pod.metadata.namespace.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// The host name that gives a pod a DNS name of its own in this service.
fn hostname(service: &Service, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let matches = spec.subdomain.is_some() && spec.subdomain == service.metadata.name;
    spec.hostname.clone().filter(|_| matches)
}

/// The `Endpoints` object of a service.
pub(super) fn endpoints(service: &Service, pods: &[Pod]) -> Endpoints {
    let all = publishes_unready(service);
    let subsets: Vec<EndpointSubset> = grouped(service, pods)
        .into_iter()
        .filter_map(|(ports, pods)| {
            let live = pods
                .into_iter()
                .filter(|pod| all || !pods::is_terminating(pod));
            let (ready, unready): (Vec<&Pod>, Vec<&Pod>) =
                live.partition(|pod| all || pods::is_ready(pod));
            let addresses = |pods: Vec<&Pod>| {
                let list: Vec<EndpointAddress> = pods
                    .into_iter()
                    .filter_map(|pod| core_address(service, pod))
                    .collect();
                (!list.is_empty()).then_some(list)
            };
            let subset = EndpointSubset {
                addresses: addresses(ready),
                not_ready_addresses: addresses(unready),
                ports: Some(ports.into_iter().map(core_port).collect()),
            };
            (subset.addresses.is_some() || subset.not_ready_addresses.is_some()).then_some(subset)
        })
        .collect();
    Endpoints {
        metadata: ObjectMeta {
            name: service.metadata.name.clone(),
            namespace: service.metadata.namespace.clone(),
            labels: service.metadata.labels.clone(),
            owner_references: None,
            ..ObjectMeta::default()
        },
        subsets: (!subsets.is_empty()).then_some(subsets),
    }
}

fn core_address(service: &Service, pod: &Pod) -> Option<EndpointAddress> {
    Some(EndpointAddress {
        hostname: hostname(service, pod),
        ip: address(pod)?,
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        target_ref: Some(reference(pod)),
    })
}

fn core_port((name, port, protocol): (Option<String>, i32, String)) -> CorePort {
    CorePort {
        app_protocol: None,
        name,
        port,
        protocol: Some(protocol),
    }
}

/// The slices of a service: one for each set of port numbers; the names are stable.
pub(super) fn slices(service: &Service, pods: &[Pod]) -> Vec<EndpointSlice> {
    let mut groups = grouped(service, pods);
    if groups.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    let name = service.metadata.name.as_deref().unwrap_or_default();
    groups
        .into_iter()
        .enumerate()
        .map(|(index, (ports, pods))| {
            let suffix = crate::controllers::hash::of(&(name, index), None);
            slice(
                service,
                &format!("{name}-{}", &suffix[..suffix.len().min(5)]),
                ports,
                &pods,
            )
        })
        .collect()
}

fn slice(service: &Service, name: &str, ports: Ports, pods: &[&Pod]) -> EndpointSlice {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    let service_name = service.metadata.name.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), service_name);
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if service
        .spec
        .as_ref()
        .and_then(|spec| spec.cluster_ip.as_deref())
        == Some("None")
    {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    let ports: Vec<EndpointPort> = ports
        .into_iter()
        .map(|(name, port, protocol)| EndpointPort {
            app_protocol: None,
            // An unnamed port has the empty name here.
            name: Some(name.unwrap_or_default()),
            port: Some(port),
            protocol: Some(protocol),
        })
        .collect();
    EndpointSlice {
        address_type: "IPv4".to_owned(),
        endpoints: pods
            .iter()
            .filter_map(|pod| endpoint(service, pod))
            .collect(),
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: service.metadata.namespace.clone(),
            labels: Some(labels),
            owner_references: Some(vec![owned_by("v1", "Service", &service.metadata)]),
            ..ObjectMeta::default()
        },
        ports: (!ports.is_empty()).then_some(ports),
    }
}

fn endpoint(service: &Service, pod: &Pod) -> Option<Endpoint> {
    let serving = pods::is_ready(pod);
    let terminating = pods::is_terminating(pod);
    Some(Endpoint {
        addresses: vec![address(pod)?],
        conditions: Some(EndpointConditions {
            ready: Some(publishes_unready(service) || (serving && !terminating)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: hostname(service, pod),
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        target_ref: Some(reference(pod)),
        ..Endpoint::default()
    })
}
