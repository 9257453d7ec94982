//! Ingresses → HTTP routes.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend};
use sampan_model::routing::{HostMatch, HttpRoute, PathMatch, PoolId};

use super::{pool_id, ports_of};

/// The routes of all ingresses; of two for the same host and path the older ingress wins.
pub(super) fn routes(ingresses: &[Ingress], services: &[Service]) -> Vec<HttpRoute> {
    let mut ordered: Vec<&Ingress> = ingresses.iter().collect();
    ordered.sort_by_key(|ingress| {
        let meta = &ingress.metadata;
        (
            meta.creation_timestamp.clone(),
            meta.namespace.clone(),
            meta.name.clone(),
        )
    });
    let mut routes: Vec<HttpRoute> = Vec::new();
    for route in ordered
        .into_iter()
        .flat_map(|ingress| of_ingress(ingress, services))
    {
        if !routes
            .iter()
            .any(|have| have.host == route.host && have.path == route.path)
        {
            routes.push(route);
        }
    }
    routes
}

fn of_ingress(ingress: &Ingress, services: &[Service]) -> Vec<HttpRoute> {
    let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
    let Some(spec) = ingress.spec.as_ref() else {
        return Vec::new();
    };
    let mut routes = Vec::new();
    for rule in spec.rules.iter().flatten() {
        let host = host(rule.host.as_deref());
        let paths = rule
            .http
            .as_ref()
            .map(|http| http.paths.as_slice())
            .unwrap_or_default();
        for path in paths {
            if let Some(pool) = pool(&path.backend, namespace, services) {
                routes.push(HttpRoute {
                    host: host.clone(),
                    path: path_match(path),
                    pool,
                });
            }
        }
    }
    // What no rule of this ingress takes goes to its default backend, for the hosts that it names too.
    if let Some(pool) = spec
        .default_backend
        .as_ref()
        .and_then(|b| pool(b, namespace, services))
    {
        let everything = PathMatch::Prefix("/".to_owned());
        let mut hosts: Vec<HostMatch> = spec
            .rules
            .iter()
            .flatten()
            .map(|rule| self::host(rule.host.as_deref()))
            .collect();
        hosts.push(HostMatch::Any);
        hosts.sort();
        hosts.dedup();
        for host in hosts {
            if !routes
                .iter()
                .any(|have| have.host == host && have.path == everything)
            {
                let (path, pool) = (everything.clone(), pool.clone());
                routes.push(HttpRoute { host, path, pool });
            }
        }
    }
    routes
}

fn host(host: Option<&str>) -> HostMatch {
    match host.filter(|host| !host.is_empty()).map(str::to_lowercase) {
        None => HostMatch::Any,
        Some(host) => match host.strip_prefix("*.") {
            Some(suffix) => HostMatch::Wildcard(suffix.to_owned()),
            None => HostMatch::Exact(host),
        },
    }
}

fn path_match(path: &HTTPIngressPath) -> PathMatch {
    let text = path
        .path
        .clone()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "/".to_owned());
    if path.path_type == "Exact" {
        return PathMatch::Exact(text);
    }
    // `/foo/` means the same elements as `/foo`.
    let trimmed = text.trim_end_matches('/');
    PathMatch::Prefix(if trimmed.is_empty() {
        "/".to_owned()
    } else {
        trimmed.to_owned()
    })
}

fn pool(backend: &IngressBackend, namespace: &str, services: &[Service]) -> Option<PoolId> {
    let wanted = backend.service.as_ref()?;
    let service = services.iter().find(|service| {
        service.metadata.namespace.as_deref() == Some(namespace)
            && service.metadata.name.as_ref() == Some(&wanted.name)
    })?;
    let port = wanted.port.as_ref()?;
    let found = ports_of(service)
        .iter()
        .find(|candidate| match (&port.name, port.number) {
            (Some(name), _) if !name.is_empty() => candidate.name.as_ref() == Some(name),
            (_, Some(number)) => candidate.port == number,
            _ => false,
        })?;
    Some(pool_id(service, found))
}
