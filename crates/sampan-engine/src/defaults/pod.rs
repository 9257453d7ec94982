//! The defaults of pods and of the templates that make them.

use serde_json::{Map, Value, json};

use super::fill::{canonical_quantities, canonical_quantity, child, each, present, set, text};
use crate::validate::Quantity;

/// A pod: the defaults of its template, and what only a pod has.
pub(super) fn pod(object: &mut Map<String, Value>) {
    child(object, "spec", |spec| {
        pod_spec(spec);
        set(spec, "enableServiceLinks", true);
        set(spec, "serviceAccountName", "default");
        set(spec, "preemptionPolicy", "PreemptLowerPriority");
        set(spec, "priority", 0);
        legacy_service_account(spec);
        for list in ["containers", "initContainers"] {
            each(spec, list, |container| {
                present(container, "resources", requests_from_limits);
            });
        }
    });
    let class = quality_of_service(object.get("spec").unwrap_or(&Value::Null));
    child(object, "status", |status| {
        set(status, "phase", "Pending");
        set(status, "qosClass", class);
    });
}

/// The template of a workload.
pub(super) fn template(object: &mut Map<String, Value>) {
    child(object, "metadata", |_| ());
    child(object, "spec", |spec| {
        pod_spec(spec);
        legacy_service_account(spec);
    });
}

/// `serviceAccount` is the old name of `serviceAccountName`.
fn legacy_service_account(spec: &mut Map<String, Value>) {
    if let Some(name) = spec.get("serviceAccount").cloned() {
        set(spec, "serviceAccountName", name);
    }
    if let Some(name) = spec.get("serviceAccountName").cloned() {
        spec.insert("serviceAccount".to_owned(), name);
    }
}

fn pod_spec(spec: &mut Map<String, Value>) {
    set(spec, "restartPolicy", "Always");
    set(spec, "dnsPolicy", "ClusterFirst");
    set(spec, "schedulerName", "default-scheduler");
    set(spec, "terminationGracePeriodSeconds", 30);
    child(spec, "securityContext", |_| ());
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, list, |item| container(item, host_network));
    }
    each(spec, "volumes", volume);
}

fn container(container: &mut Map<String, Value>, host_network: bool) {
    set(container, "terminationMessagePath", "/dev/termination-log");
    set(container, "terminationMessagePolicy", "File");
    let policy = if is_latest(text(container, "image")) {
        "Always"
    } else {
        "IfNotPresent"
    };
    set(container, "imagePullPolicy", policy);
    child(container, "resources", |resources| {
        canonical_quantities(resources, "limits");
        canonical_quantities(resources, "requests");
    });
    each(container, "ports", |port| {
        set(port, "protocol", "TCP");
        if host_network && let Some(number) = port.get("containerPort").cloned() {
            set(port, "hostPort", number);
        }
    });
    each(container, "env", |variable| {
        present(variable, "valueFrom", |source| {
            present(source, "fieldRef", |field| set(field, "apiVersion", "v1"));
        });
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        present(container, name, probe);
    }
    present(container, "lifecycle", |lifecycle| {
        for name in ["postStart", "preStop"] {
            present(lifecycle, name, |handler| {
                present(handler, "httpGet", http_get);
            });
        }
    });
}

/// Whether a reference names the tag `latest` or none.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn probe(probe: &mut Map<String, Value>) {
    for (name, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        // Zero stands for the default, too.
        if probe.get(name) == Some(&json!(0)) {
            probe.remove(name);
        }
        set(probe, name, value);
    }
    present(probe, "httpGet", http_get);
    present(probe, "grpc", |grpc| set(grpc, "service", ""));
}

fn http_get(action: &mut Map<String, Value>) {
    set(action, "path", "/");
    set(action, "scheme", "HTTP");
}

fn volume(volume: &mut Map<String, Value>) {
    if volume.keys().all(|name| name == "name") {
        set(volume, "emptyDir", Map::new());
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        present(volume, name, |source| set(source, "defaultMode", 0o644));
    }
    present(volume, "hostPath", |source| set(source, "type", ""));
    present(volume, "emptyDir", |source| {
        source
            .get_mut("sizeLimit")
            .into_iter()
            .for_each(canonical_quantity);
    });
    present(volume, "downwardAPI", downward_items);
    present(volume, "projected", |projected| {
        each(projected, "sources", |source| {
            present(source, "downwardAPI", downward_items);
            present(source, "serviceAccountToken", |token| {
                set(token, "expirationSeconds", 3600);
            });
        });
    });
}

fn downward_items(source: &mut Map<String, Value>) {
    each(source, "items", |item| {
        present(item, "fieldRef", |field| set(field, "apiVersion", "v1"));
    });
}

/// A limit without a request is the request, too.
fn requests_from_limits(resources: &mut Map<String, Value>) {
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else {
        return;
    };
    child(resources, "requests", |requests| {
        for (name, amount) in limits {
            set(requests, &name, amount);
        }
    });
}

/// How much of its resources a pod is sure of.
fn quality_of_service(spec: &Value) -> &'static str {
    let containers = ["containers", "initContainers"]
        .into_iter()
        .filter_map(|name| spec.get(name)?.as_array())
        .flatten();
    let (mut any, mut all_limited) = (false, true);
    for container in containers {
        let amount = |kind: &str, name: &str| {
            let amount = container.get("resources")?.get(kind)?.get(name)?.as_str()?;
            Quantity::parse(amount).filter(|amount| amount.units() > 0)
        };
        for name in ["cpu", "memory"] {
            let (limit, request) = (amount("limits", name), amount("requests", name));
            any |= limit.is_some() || request.is_some();
            all_limited &=
                limit.is_some() && limit.map(Quantity::millis) == request.map(Quantity::millis);
        }
    }
    match (any, all_limited) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
