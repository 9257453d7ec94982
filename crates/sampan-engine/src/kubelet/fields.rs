//! Fields of a pod and resources of a container, as the downward API gives them.

use k8s_openapi::api::core::v1::{Pod, ResourceFieldSelector};

use super::quantity;
use super::record;

/// What is known of the node and the pod's addresses, which the stored pod may not tell yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// The pod's address.
    pub(crate) pod_ip: String,
    /// The node's address.
    pub(crate) host_ip: String,
    /// Processor time of the node in thousandths.
    pub(crate) node_cpu_millis: i128,
    /// Memory of the node in bytes.
    pub(crate) node_memory_bytes: i128,
}

/// The value of a `fieldRef`; `None` when the path is not one that pods offer.
pub(crate) fn field(pod: &Pod, around: &Surroundings, path: &str) -> Option<String> {
    let meta = &pod.metadata;
    let spec = pod.spec.as_ref();
    let text = |value: &Option<String>| Some(value.clone().unwrap_or_default());
    match path {
        "metadata.name" => text(&meta.name),
        "metadata.namespace" => text(&meta.namespace),
        "metadata.uid" => text(&meta.uid),
        "metadata.labels" => Some(pairs(meta.labels.as_ref())),
        "metadata.annotations" => Some(pairs(meta.annotations.as_ref())),
        "spec.nodeName" => text(&spec.and_then(|spec| spec.node_name.clone())),
        "spec.serviceAccountName" => Some(
            spec.and_then(|s| s.service_account_name.clone())
                .unwrap_or_default(),
        ),
        "status.hostIP" | "status.hostIPs" => Some(around.host_ip.clone()),
        "status.podIP" | "status.podIPs" => Some(around.pod_ip.clone()),
        _ => {
            let (map, key) = path.split_once("['")?;
            let key = key.strip_suffix("']")?;
            let map = match map {
                "metadata.labels" => meta.labels.as_ref(),
                "metadata.annotations" => meta.annotations.as_ref(),
                _ => return None,
            };
            Some(
                map.and_then(|map| map.get(key))
                    .cloned()
                    .unwrap_or_default(),
            )
        }
    }
}

fn pairs(map: Option<&std::collections::BTreeMap<String, String>>) -> String {
    let lines: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    lines.join("\n")
}

/// The value of a `resourceFieldRef` for a container; `None` when it names nothing that exists.
pub(crate) fn resource(
    pod: &Pod,
    container: &str,
    around: &Surroundings,
    selector: &ResourceFieldSelector,
) -> Option<String> {
    let name = selector.container_name.as_deref().unwrap_or(container);
    let container = record::find(pod, name)?;
    let (kind, resource) = selector.resource.split_once('.')?;
    let quantity = match kind {
        "limits" => quantity::limit(container, resource),
        "requests" => quantity::request(container, resource),
        _ => return None,
    };
    let divisor = selector
        .divisor
        .as_ref()
        .and_then(quantity::millis)
        .filter(|divisor| *divisor > 0)
        .unwrap_or(1000);
    let millis = match quantity.and_then(quantity::millis) {
        Some(millis) => millis,
        // Without a limit the node is the limit.
        None if kind == "limits" => match resource {
            "cpu" => around.node_cpu_millis,
            "memory" => around.node_memory_bytes.saturating_mul(1000),
            _ => 0,
        },
        None => 0,
    };
    let rounded = millis.div_euclid(divisor) + i128::from(millis.rem_euclid(divisor) > 0);
    Some(rounded.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_and_resources_are_found_by_path() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web-0", "labels": {"app": "web", "x/y": "z"}},
            "spec": {"containers": [{"name": "web", "resources": {"limits": {"memory": "64Mi"}}}]},
        }))
        .unwrap();
        let around = Surroundings {
            node_cpu_millis: 2000,
            ..Surroundings::default()
        };
        assert_eq!(
            field(&pod, &around, "metadata.name").as_deref(),
            Some("web-0")
        );
        assert_eq!(
            field(&pod, &around, "metadata.labels['x/y']").as_deref(),
            Some("z")
        );
        let labels = field(&pod, &around, "metadata.labels");
        assert_eq!(labels.as_deref(), Some("app=\"web\"\nx/y=\"z\""));
        assert_eq!(field(&pod, &around, "spec.containers"), None);
        let of = |name: &str| {
            let selector = ResourceFieldSelector {
                resource: name.to_owned(),
                ..ResourceFieldSelector::default()
            };
            resource(&pod, "web", &around, &selector)
        };
        assert_eq!(of("limits.memory").as_deref(), Some("67108864"));
        assert_eq!(of("limits.cpu").as_deref(), Some("2"));
        assert_eq!(of("requests.cpu").as_deref(), Some("0"));
    }
}
