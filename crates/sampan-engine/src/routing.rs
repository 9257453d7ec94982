//! Objects → one [`Routing`] snapshot: who listens where, which pods answer, which names resolve.
//!
//! A pure function of the services, pods, endpoint slices and ingresses that exist. The task that calls it
//! (see `controllers::routing`) publishes a snapshot only when it differs from the one before.

mod hostports;
pub(crate) mod http;
pub(crate) mod names;
pub(crate) mod pools;
pub(crate) mod ports;

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use sampan_model::routing::{Listener, PoolId, Routing, Transport};

/// The domain that services and pods have their names in.
pub(crate) const DOMAIN: &str = "cluster.local";

/// Everything that a snapshot is made of.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// All services.
    pub(crate) services: Vec<Service>,
    /// All pods.
    pub(crate) pods: Vec<Pod>,
    /// All slices; those of services without a selector are used.
    pub(crate) slices: Vec<EndpointSlice>,
    /// All ingresses.
    pub(crate) ingresses: Vec<Ingress>,
    /// Addresses on which node ports are served.
    pub(crate) node_addresses: Vec<IpAddr>,
}

/// Makes the snapshot.
pub(crate) fn snapshot(facts: &Facts) -> Routing {
    let mut routing = Routing {
        domain: DOMAIN.to_owned(),
        ..Routing::default()
    };
    for service in &facts.services {
        if is_external_name(service) {
            continue;
        }
        for port in ports_of(service) {
            if transport(port.protocol.as_deref()).is_none() {
                continue;
            }
            let id = pool_id(service, port);
            routing
                .pools
                .insert(id.clone(), pools::pool(facts, service, port));
            routing
                .listeners
                .extend(listeners(facts, service, port, &id));
        }
    }
    for (listeners, id, pool) in hostports::ports(facts) {
        routing.pools.insert(id, pool);
        routing.listeners.extend(listeners);
    }
    routing.http = http::routes(&facts.ingresses, &facts.services);
    routing
        .http
        .retain(|route| routing.pools.contains_key(&route.pool));
    routing.names = names::names(facts);
    routing.listeners.sort();
    routing.listeners.dedup();
    routing
}

fn is_external_name(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName")
}

fn ports_of(service: &Service) -> &[ServicePort] {
    service
        .spec
        .as_ref()
        .and_then(|spec| spec.ports.as_deref())
        .unwrap_or_default()
}

fn transport(protocol: Option<&str>) -> Option<Transport> {
    match protocol.unwrap_or("TCP") {
        "TCP" => Some(Transport::Tcp),
        "UDP" => Some(Transport::Udp),
        _ => None,
    }
}

/// Names the pool of a service port.
pub(crate) fn pool_id(service: &Service, port: &ServicePort) -> PoolId {
    PoolId {
        namespace: service.metadata.namespace.clone().unwrap_or_default(),
        service: service.metadata.name.clone().unwrap_or_default(),
        port: port
            .name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| port.port.to_string()),
    }
}

/// The cluster addresses of a service; none when it is headless or has not got one yet.
pub(crate) fn cluster_addresses(service: &Service) -> Vec<IpAddr> {
    let Some(spec) = service.spec.as_ref() else {
        return Vec::new();
    };
    let all = spec
        .cluster_ips
        .iter()
        .flatten()
        .chain(spec.cluster_ip.iter());
    let mut addresses: Vec<IpAddr> = all.filter_map(|text| text.parse().ok()).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

fn listeners(facts: &Facts, service: &Service, port: &ServicePort, pool: &PoolId) -> Vec<Listener> {
    let Some(transport) = transport(port.protocol.as_deref()) else {
        return Vec::new();
    };
    let cluster = cluster_addresses(service)
        .into_iter()
        .filter_map(|address| Some(SocketAddr::new(address, u16::try_from(port.port).ok()?)));
    let node = facts.node_addresses.iter().filter_map(|address| {
        let number = u16::try_from(port.node_port?)
            .ok()
            .filter(|number| *number > 0)?;
        Some(SocketAddr::new(*address, number))
    });
    cluster
        .chain(node)
        .map(|address| Listener {
            address,
            transport,
            pool: pool.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
