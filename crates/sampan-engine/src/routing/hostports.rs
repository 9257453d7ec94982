//! Ports of the machine that lead to one pod (`hostPort`).

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::{ContainerPort, Pod};
use sampan_model::routing::{Listener, Pool, PoolId};

use super::Facts;
use crate::controllers::pods;

/// The listeners of all ready pods, each with the pool that answers. Pods in the machine's own network listen
/// by themselves.
pub(super) fn ports(facts: &Facts) -> Vec<(Vec<Listener>, PoolId, Pool)> {
    let serving = facts.pods.iter().filter(|pod| {
        let own = pod.spec.as_ref().and_then(|spec| spec.host_network) == Some(true);
        !own && pods::is_active(pod) && pods::is_ready(pod)
    });
    serving.flat_map(|pod| of_pod(facts, pod)).collect()
}

fn of_pod(facts: &Facts, pod: &Pod) -> Vec<(Vec<Listener>, PoolId, Pool)> {
    let status = pod.status.as_ref();
    let address = status.and_then(|status| status.pod_ip.as_ref()?.parse().ok());
    let (Some(address), Some(spec)) = (address, pod.spec.as_ref()) else {
        return Vec::new();
    };
    let containers = spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten());
    containers
        .flat_map(|container| container.ports.iter().flatten())
        .filter_map(|port| of_port(facts, pod, (address, port)))
        .collect()
}

fn of_port(
    facts: &Facts,
    pod: &Pod,
    (address, port): (IpAddr, &ContainerPort),
) -> Option<(Vec<Listener>, PoolId, Pool)> {
    let number = u16::try_from(port.host_port?).ok().filter(|n| *n > 0)?;
    let inside = u16::try_from(port.container_port).ok()?;
    let transport = super::transport(port.protocol.as_deref())?;
    let pool = PoolId {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        // No service has such a name.
        service: format!("pod/{}", pod.metadata.name.as_deref().unwrap_or_default()),
        port: format!("{number}/{transport:?}"),
    };
    let own = port.host_ip.as_ref().filter(|text| !text.is_empty());
    let addresses = match own {
        Some(text) => vec![text.parse().ok()?],
        None => facts.node_addresses.clone(),
    };
    let listeners = addresses.into_iter().map(|address| Listener {
        address: SocketAddr::new(address, number),
        transport,
        pool: pool.clone(),
    });
    let answers = Pool {
        endpoints: vec![SocketAddr::new(address, inside)],
        affinity: None,
    };
    Some((listeners.collect(), pool.clone(), answers))
}
