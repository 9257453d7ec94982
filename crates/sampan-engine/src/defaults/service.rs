//! The defaults of services; the address itself is given by whoever owns the range.

use serde_json::{Map, Value, json};

use super::fill::{child, each, set, text};

/// A service.
pub(super) fn service(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        set(spec, "type", "ClusterIP");
        set(spec, "sessionAffinity", "None");
        if text(spec, "sessionAffinity") == "ClientIP" {
            child(spec, "sessionAffinityConfig", |config| {
                child(config, "clientIP", |client| {
                    set(client, "timeoutSeconds", 10_800);
                });
            });
        }
        each(spec, "ports", |port| {
            set(port, "protocol", "TCP");
            // Absent, empty and zero all stand for the service's own port.
            let unset = [Some(&json!("")), Some(&json!(0))].contains(&port.get("targetPort"));
            if unset {
                port.remove("targetPort");
            }
            if let Some(number) = port.get("port").cloned() {
                set(port, "targetPort", number);
            }
        });
        if text(spec, "type") != "ExternalName" {
            reachable_inside(spec);
        }
    });
    child(object, "status", |status| {
        child(status, "loadBalancer", |_| ());
    });
}

fn reachable_inside(spec: &mut Map<String, Value>) {
    set(spec, "internalTrafficPolicy", "Cluster");
    set(spec, "ipFamilyPolicy", "SingleStack");
    set(spec, "ipFamilies", json!(["IPv4"]));
    if matches!(text(spec, "type"), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", "Cluster");
    }
    if text(spec, "type") == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", true);
    }
    let address = text(spec, "clusterIP").to_owned();
    if !address.is_empty() {
        set(spec, "clusterIPs", json!([address]));
    }
}
