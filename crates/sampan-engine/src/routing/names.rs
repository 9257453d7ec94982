//! Names of services and pods in the cluster DNS, as the Kubernetes DNS specification gives them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Service, ServicePort as CorePort};
use sampan_model::routing::{Name, ServicePort};

use super::ports::target_port;
use super::{DOMAIN, Facts, cluster_addresses, is_external_name, pools, ports_of};

/// One endpoint of a headless service.
struct Member {
    /// Its label below the service's name.
    label: String,
    address: IpAddr,
    /// Numbers of the service's ports on this endpoint: port name, protocol, number.
    ports: Vec<(String, String, u16)>,
}

/// All names, sorted.
pub(super) fn names(facts: &Facts) -> Vec<Name> {
    let mut all: BTreeMap<String, Name> = BTreeMap::new();
    for service in &facts.services {
        for name in of_service(facts, service) {
            all.insert(name.name.clone(), name);
        }
    }
    all.into_values().collect()
}

fn of_service(facts: &Facts, service: &Service) -> Vec<Name> {
    let (Some(name), Some(namespace)) = (&service.metadata.name, &service.metadata.namespace)
    else {
        return Vec::new();
    };
    let full = format!("{name}.{namespace}.svc.{DOMAIN}").to_lowercase();
    if is_external_name(service) {
        let alias = service
            .spec
            .as_ref()
            .and_then(|spec| spec.external_name.clone());
        return alias
            .map(|alias| alias_name(full, &alias))
            .into_iter()
            .collect();
    }
    let addresses = cluster_addresses(service);
    if addresses.is_empty() {
        headless(facts, service, &full)
    } else {
        virtual_names(service, full, addresses)
    }
}

fn alias_name(name: String, alias: &str) -> Name {
    let alias = Some(alias.trim_end_matches('.').to_lowercase());
    Name {
        name,
        addresses: Vec::new(),
        services: Vec::new(),
        alias,
    }
}

fn address_name(name: String, mut addresses: Vec<IpAddr>) -> Name {
    addresses.sort();
    addresses.dedup();
    Name {
        name,
        addresses,
        services: Vec::new(),
        alias: None,
    }
}

fn service_name(port: &str, protocol: &str, full: &str, mut services: Vec<ServicePort>) -> Name {
    services.sort();
    services.dedup();
    let name = format!("_{port}._{protocol}.{full}").to_lowercase();
    Name {
        name,
        addresses: Vec::new(),
        services,
        alias: None,
    }
}

fn virtual_names(service: &Service, full: String, addresses: Vec<IpAddr>) -> Vec<Name> {
    let mut names: Vec<Name> = named_ports(service)
        .filter_map(|(port, name, protocol)| {
            let target = ServicePort {
                port: u16::try_from(port.port).ok()?,
                target: full.clone(),
            };
            Some(service_name(name, protocol, &full, vec![target]))
        })
        .collect();
    names.push(address_name(full, addresses));
    names
}

fn named_ports(service: &Service) -> impl Iterator<Item = (&CorePort, &str, &str)> {
    ports_of(service).iter().filter_map(|port| {
        let name = port.name.as_deref().filter(|name| !name.is_empty())?;
        Some((port, name, port.protocol.as_deref().unwrap_or("TCP")))
    })
}

/// A headless service's name has the addresses of its endpoints; each endpoint has a name below it.
fn headless(facts: &Facts, service: &Service, full: &str) -> Vec<Name> {
    let members = members(facts, service);
    let mut names = vec![address_name(
        full.to_owned(),
        members.iter().map(|member| member.address).collect(),
    )];
    let mut hosts: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    let mut services: BTreeMap<(String, String), Vec<ServicePort>> = BTreeMap::new();
    for member in members {
        let host = format!("{}.{full}", member.label).to_lowercase();
        for (name, protocol, port) in member.ports {
            let target = ServicePort {
                port,
                target: host.clone(),
            };
            services.entry((name, protocol)).or_default().push(target);
        }
        hosts.entry(host).or_default().push(member.address);
    }
    names.extend(
        hosts
            .into_iter()
            .map(|(host, addresses)| address_name(host, addresses)),
    );
    names.extend(
        services
            .into_iter()
            .map(|((port, protocol), targets)| service_name(&port, &protocol, full, targets)),
    );
    names
}

fn members(facts: &Facts, service: &Service) -> Vec<Member> {
    let mut members: Vec<Member> = pools::members(facts, service)
        .filter(|(pod, _)| pools::answers(service, pod))
        .map(|(pod, address)| {
            let spec = pod.spec.as_ref();
            let subdomain = spec.and_then(|spec| spec.subdomain.as_ref());
            let hostname = spec
                .and_then(|spec| spec.hostname.clone())
                .filter(|_| subdomain.is_some() && subdomain == service.metadata.name.as_ref());
            let ports = named_ports(service)
                .filter_map(|(port, name, protocol)| {
                    Some((
                        name.to_owned(),
                        protocol.to_owned(),
                        target_port(port, pod)?,
                    ))
                })
                .collect();
            Member {
                label: hostname.unwrap_or_else(|| dashed(address)),
                address,
                ports,
            }
        })
        .collect();
    let has_selector = service
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.as_ref())
        .is_some_and(|selector| !selector.is_empty());
    if !has_selector {
        members.extend(written_members(facts, service));
    }
    members
}

/// Endpoints that somebody wrote by hand.
fn written_members(facts: &Facts, service: &Service) -> Vec<Member> {
    let mut members = Vec::new();
    for slice in pools::own_slices(facts, service) {
        let ports: Vec<(String, String, u16)> = slice
            .ports
            .iter()
            .flatten()
            .filter_map(|port| {
                let name = port.name.clone().filter(|name| !name.is_empty())?;
                let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
                Some((name, protocol, u16::try_from(port.port?).ok()?))
            })
            .collect();
        for endpoint in &slice.endpoints {
            let ready = endpoint.conditions.as_ref().and_then(|c| c.ready) != Some(false);
            for address in endpoint
                .addresses
                .iter()
                .filter_map(|text| text.parse().ok())
            {
                if ready {
                    let label = endpoint.hostname.clone().unwrap_or_else(|| dashed(address));
                    members.push(Member {
                        label,
                        address,
                        ports: ports.clone(),
                    });
                }
            }
        }
    }
    members
}

fn dashed(address: IpAddr) -> String {
    address.to_string().replace(['.', ':'], "-")
}
