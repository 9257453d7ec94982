//! Snapshots of small worlds, written as the manifests people write.

use super::*;
use sampan_model::routing::{HostMatch, PathMatch};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn pod(name: &str, ip: &str, ready: bool) -> Pod {
    object(json!({
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"hostname": name, "subdomain": "peers", "containers": [
            {"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {"phase": "Running", "podIP": ip,
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]},
    }))
}

fn service(name: &str, spec: &Value) -> Service {
    object(json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}))
}

fn web() -> Service {
    service(
        "web",
        &json!({
            "clusterIP": "10.200.128.9", "selector": {"app": "web"}, "type": "NodePort",
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080}],
        }),
    )
}

fn facts() -> Facts {
    Facts {
        services: vec![web()],
        pods: vec![
            pod("web-0", "10.200.0.5", true),
            pod("web-1", "10.200.0.6", false),
        ],
        node_addresses: vec!["192.0.2.7".parse().unwrap()],
        ..Facts::default()
    }
}

fn name<'a>(routing: &'a Routing, name: &str) -> &'a sampan_model::routing::Name {
    routing
        .names
        .iter()
        .find(|have| have.name == name)
        .unwrap_or_else(|| {
            panic!(
                "no {name} in {:?}",
                routing.names.iter().map(|n| &n.name).collect::<Vec<_>>()
            )
        })
}

#[test]
fn only_ready_pods_answer_on_the_cluster_address_and_the_node_port() {
    let routing = snapshot(&facts());
    let pool = routing.pools.values().next().unwrap();
    assert_eq!(pool.endpoints, ["10.200.0.5:8080".parse().unwrap()]);
    let listeners: Vec<String> = routing
        .listeners
        .iter()
        .map(|listener| listener.address.to_string())
        .collect();
    assert_eq!(listeners, ["10.200.128.9:80", "192.0.2.7:30080"]);
}

#[test]
fn a_port_of_the_machine_leads_to_the_pod_that_asks_for_it_while_it_is_ready() {
    let mut facts = Facts {
        services: Vec::new(),
        ..facts()
    };
    for pod in &mut facts.pods {
        let containers = &mut pod.spec.as_mut().unwrap().containers;
        containers[0].ports.as_mut().unwrap()[0].host_port = Some(9090);
    }
    let routing = snapshot(&facts);
    let [listener] = &routing.listeners[..] else {
        panic!("{:?}", routing.listeners);
    };
    assert_eq!(listener.address, "192.0.2.7:9090".parse().unwrap());
    let endpoints = &routing.pools[&listener.pool].endpoints;
    assert_eq!(endpoints[..], ["10.200.0.5:8080".parse().unwrap()]);
    facts.pods[0].spec.as_mut().unwrap().host_network = Some(true);
    assert!(snapshot(&facts).listeners.is_empty());
}

#[test]
fn a_terminating_pod_leaves_the_pool_at_once() {
    let mut facts = facts();
    facts.pods[0].metadata.deletion_timestamp = Some(object(json!("2026-01-01T00:00:00Z")));
    let routing = snapshot(&facts);
    assert!(routing.pools.values().all(|pool| pool.endpoints.is_empty()));
}

#[test]
fn a_service_has_its_address_and_its_ports_in_the_dns() {
    let routing = snapshot(&facts());
    let full = "web.shop.svc.cluster.local";
    assert_eq!(
        name(&routing, full).addresses,
        ["10.200.128.9".parse::<IpAddr>().unwrap()]
    );
    let port = &name(&routing, "_http._tcp.web.shop.svc.cluster.local").services[0];
    assert_eq!((port.port, port.target.as_str()), (80, full));
}

#[test]
fn a_headless_service_names_its_pods() {
    let mut facts = facts();
    facts.services = vec![
        service(
            "peers",
            &json!({"clusterIP": "None", "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}),
        ),
        service(
            "far",
            &json!({"type": "ExternalName", "externalName": "Example.org."}),
        ),
    ];
    let routing = snapshot(&facts);
    let five = ["10.200.0.5".parse::<IpAddr>().unwrap()];
    assert_eq!(
        name(&routing, "peers.shop.svc.cluster.local").addresses,
        five
    );
    assert_eq!(
        name(&routing, "web-0.peers.shop.svc.cluster.local").addresses,
        five
    );
    let port = &name(&routing, "_http._tcp.peers.shop.svc.cluster.local").services[0];
    assert_eq!(
        (port.port, port.target.as_str()),
        (8080, "web-0.peers.shop.svc.cluster.local")
    );
    assert_eq!(
        name(&routing, "far.shop.svc.cluster.local")
            .alias
            .as_deref(),
        Some("example.org")
    );
    assert!(routing.listeners.is_empty());
}

#[test]
fn addresses_written_by_hand_answer_for_a_service_without_selector() {
    let mut facts = facts();
    facts.services = vec![service(
        "db",
        &json!({"clusterIP": "10.200.128.3", "ports": [{"port": 5432}]}),
    )];
    facts.slices = vec![object(json!({
        "metadata": {"name": "db-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "db"}},
        "addressType": "IPv4", "ports": [{"name": "", "port": 15432}],
        "endpoints": [{"addresses": ["192.0.2.9"]}],
    }))];
    let routing = snapshot(&facts);
    let pool = routing.pools.values().next().unwrap();
    assert_eq!(pool.endpoints, ["192.0.2.9:15432".parse().unwrap()]);
}

#[test]
fn ingresses_become_routes_with_host_path_and_default_backend() {
    let mut facts = facts();
    let backend = json!({"service": {"name": "web", "port": {"name": "http"}}});
    facts.ingresses = vec![object(json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}, "rules": [
            {"host": "Shop.example.com", "http": {"paths": [
                {"path": "/api/", "pathType": "Prefix", "backend": backend},
                {"path": "/login", "pathType": "Exact", "backend": backend},
                {"path": "/gone", "pathType": "Prefix",
                 "backend": {"service": {"name": "nobody", "port": {"number": 1}}}}]}},
            {"host": "*.example.com", "http": {"paths": [
                {"path": "/", "pathType": "ImplementationSpecific", "backend": backend}]}}]},
    }))];
    let routes: Vec<(HostMatch, PathMatch)> = snapshot(&facts)
        .http
        .into_iter()
        .map(|route| (route.host, route.path))
        .collect();
    let exact = HostMatch::Exact("shop.example.com".to_owned());
    let prefix = |path: &str| PathMatch::Prefix(path.to_owned());
    assert_eq!(
        routes,
        [
            (exact.clone(), prefix("/api")),
            (exact.clone(), PathMatch::Exact("/login".to_owned())),
            (HostMatch::Wildcard("example.com".to_owned()), prefix("/")),
            (exact, prefix("/")),
            (HostMatch::Any, prefix("/")),
        ]
    );
}
