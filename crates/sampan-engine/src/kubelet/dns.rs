//! What the containers of a pod find in `/etc/resolv.conf`.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::PodSpec;
use sampan_container::DnsConfig;

use crate::routing::DOMAIN;

/// The configuration for a pod; `None` means the host's own.
pub(crate) fn config(spec: &PodSpec, namespace: &str, server: IpAddr) -> Option<DnsConfig> {
    let on_host = spec.host_network == Some(true);
    let policy = spec.dns_policy.as_deref().unwrap_or("ClusterFirst");
    let mut config = match policy {
        "None" => DnsConfig::default(),
        "ClusterFirst" if !on_host => cluster(namespace, server),
        "ClusterFirstWithHostNet" => cluster(namespace, server),
        // The host's own, to which nothing can be added.
        _ => return None,
    };
    if let Some(own) = &spec.dns_config {
        let servers = own
            .nameservers
            .iter()
            .flatten()
            .filter_map(|text| text.parse().ok());
        for server in servers {
            if !config.servers.contains(&server) {
                config.servers.push(server);
            }
        }
        for domain in own.searches.iter().flatten() {
            if !config.search.contains(domain) {
                config.search.push(domain.clone());
            }
        }
        for option in own.options.iter().flatten() {
            let Some(name) = &option.name else { continue };
            config
                .options
                .retain(|have| have.split(':').next() != Some(name));
            config.options.push(match &option.value {
                Some(value) if !value.is_empty() => format!("{name}:{value}"),
                _ => name.clone(),
            });
        }
    }
    Some(config)
}

fn cluster(namespace: &str, server: IpAddr) -> DnsConfig {
    DnsConfig {
        servers: vec![server],
        host_servers: false,
        search: vec![
            format!("{namespace}.svc.{DOMAIN}"),
            format!("svc.{DOMAIN}"),
            DOMAIN.to_owned(),
        ],
        options: vec!["ndots:5".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(spec: serde_json::Value) -> Option<DnsConfig> {
        let spec = serde_json::from_value(spec).unwrap();
        config(&spec, "shop", "10.200.128.10".parse().unwrap())
    }

    #[test]
    fn policies_choose_between_the_cluster_the_host_and_the_pods_own() {
        let cluster = of(json!({"containers": []})).unwrap();
        assert_eq!(cluster.search[0], "shop.svc.cluster.local");
        assert_eq!(of(json!({"containers": [], "hostNetwork": true})), None);
        assert_eq!(of(json!({"containers": [], "dnsPolicy": "Default"})), None);
        let own = of(json!({"containers": [], "dnsPolicy": "None",
            "dnsConfig": {"nameservers": ["192.0.2.1"], "options": [{"name": "ndots", "value": "2"}]}}))
        .unwrap();
        assert_eq!(own.servers, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(own.options, ["ndots:2"]);
        let mixed = of(json!({"containers": [],
            "dnsConfig": {"options": [{"name": "ndots", "value": "2"}, {"name": "rotate"}]}}))
        .unwrap();
        assert_eq!(mixed.options, ["ndots:2", "rotate"]);
    }
}
