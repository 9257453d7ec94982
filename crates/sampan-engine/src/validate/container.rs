//! The rules of one container.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, ResourceRequirements, VolumeMount,
};

use super::causes::{Causes, Path};
use super::{Quantity, names, probe};

/// Where a container stands in its pod.
pub(super) struct Place<'a> {
    /// The names of the pod's volumes.
    pub(super) volumes: &'a BTreeSet<&'a str>,
    /// Whether the container runs before the others.
    pub(super) init: bool,
}

/// Checks a container.
pub(super) fn check(container: &Container, place: &Place<'_>, path: &Path, causes: &mut Causes) {
    let name = path.child("name");
    if container.name.is_empty() {
        causes.required(&name, "");
    } else {
        causes.complaints(&name, &container.name, names::dns_label(&container.name));
    }
    let image_path = path.child("image");
    match container.image.as_deref() {
        None | Some("") => causes.required(&image_path, ""),
        Some(image) if image.trim() != image => {
            causes.invalid(
                &image_path,
                image,
                "must not have leading or trailing whitespace",
            );
        }
        Some(_) => {}
    }
    causes.one_of(
        &path.child("imagePullPolicy"),
        container.image_pull_policy.as_deref(),
        &["Always", "IfNotPresent", "Never"],
    );
    ports(
        container.ports.as_deref().unwrap_or_default(),
        &path.child("ports"),
        causes,
    );
    env(
        container.env.as_deref().unwrap_or_default(),
        &path.child("env"),
        causes,
    );
    mounts(
        container.volume_mounts.as_deref().unwrap_or_default(),
        place,
        path,
        causes,
    );
    if let Some(requirements) = &container.resources {
        resources(requirements, &path.child("resources"), causes);
    }
    probes(container, place, path, causes);
}

fn probes(container: &Container, place: &Place<'_>, path: &Path, causes: &mut Causes) {
    let sidecar = container.restart_policy.as_deref() == Some("Always");
    let probes = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    for (field, found) in probes {
        let Some(found) = found else { continue };
        let path = path.child(field);
        if place.init && !sidecar {
            causes.forbidden(
                &path,
                "may not be set for init containers without restartPolicy=Always",
            );
            continue;
        }
        probe::check(found, field == "readinessProbe", &path, causes);
    }
    if let Some(lifecycle) = &container.lifecycle {
        let path = path.child("lifecycle");
        if place.init && !sidecar {
            causes.forbidden(
                &path,
                "may not be set for init containers without restartPolicy=Always",
            );
        }
        for (field, handler) in [
            ("postStart", &lifecycle.post_start),
            ("preStop", &lifecycle.pre_stop),
        ] {
            if let Some(handler) = handler {
                probe::lifecycle_handler(handler, &path.child(field), causes);
            }
        }
    }
}

fn ports(ports: &[ContainerPort], path: &Path, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            causes.complaints(&path.child("name"), name, names::port_name(name));
            if !seen.insert(name) {
                causes.duplicate(&path.child("name"), name);
            }
        }
        if port.container_port == 0 {
            causes.required(&path.child("containerPort"), "");
        } else {
            causes.port(&path.child("containerPort"), port.container_port);
        }
        if let Some(host) = port.host_port.filter(|&host| host != 0) {
            causes.port(&path.child("hostPort"), host);
        }
        match port.protocol.as_deref() {
            None | Some("") => causes.required(&path.child("protocol"), ""),
            protocol => causes.one_of(&path.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]),
        }
    }
}

/// Checks that no two containers of a pod take the same port of the host.
pub(super) fn port_conflicts(containers: &[Container], path: &Path, causes: &mut Causes) {
    let mut taken = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        for (place, port) in container.ports.iter().flatten().enumerate() {
            let Some(host) = port.host_port.filter(|&host| host != 0) else {
                continue;
            };
            let protocol = port.protocol.as_deref().unwrap_or_default();
            let address = port.host_ip.as_deref().unwrap_or_default();
            if !taken.insert((host, protocol, address)) {
                let path = path
                    .index(index)
                    .child("ports")
                    .index(place)
                    .child("hostPort");
                causes.duplicate(&path, &format!("{protocol}/{address}/{host}"));
            }
        }
    }
}

fn env(variables: &[EnvVar], path: &Path, causes: &mut Causes) {
    for (index, variable) in variables.iter().enumerate() {
        let path = path.index(index);
        if variable.name.is_empty() {
            causes.required(&path.child("name"), "");
        } else {
            let name = &variable.name;
            causes.complaints(&path.child("name"), name, names::env_name(name));
        }
        let Some(source) = &variable.value_from else {
            continue;
        };
        let from = path.child("valueFrom");
        let sources = [
            source.field_ref.is_some(),
            source.resource_field_ref.is_some(),
            source.config_map_key_ref.is_some(),
            source.secret_key_ref.is_some(),
        ];
        match sources.iter().filter(|given| **given).count() {
            0 => causes.invalid(
                &from,
                "",
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or \
                 `secretKeyRef`",
            ),
            1 => {}
            _ => causes.invalid(
                &from,
                "",
                "may not have more than one field specified at a time",
            ),
        }
        if variable
            .value
            .as_deref()
            .is_some_and(|value| !value.is_empty())
        {
            causes.invalid(&from, "", "may not be specified when `value` is not empty");
        }
        let keys = [
            (
                "configMapKeyRef",
                source.config_map_key_ref.as_ref().map(|from| &from.key),
            ),
            (
                "secretKeyRef",
                source.secret_key_ref.as_ref().map(|from| &from.key),
            ),
        ];
        for (field, key) in keys {
            let path = from.child(field).child("key");
            match key {
                Some(key) if key.is_empty() => causes.required(&path, ""),
                Some(key) => causes.complaints(&path, key, names::config_key(key)),
                None => {}
            }
        }
    }
}

fn mounts(mounts: &[VolumeMount], place: &Place<'_>, path: &Path, causes: &mut Causes) {
    let path = path.child("volumeMounts");
    let mut seen = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let path = path.index(index);
        let name = path.child("name");
        if mount.name.is_empty() {
            causes.required(&name, "");
        }
        if !place.volumes.contains(mount.name.as_str()) {
            causes.not_found(&name, &mount.name);
        }
        let target = path.child("mountPath");
        if mount.mount_path.is_empty() {
            causes.required(&target, "");
        } else if !seen.insert(&mount.mount_path) {
            causes.invalid(&target, &mount.mount_path, "must be unique");
        }
        for (field, sub) in [
            ("subPath", &mount.sub_path),
            ("subPathExpr", &mount.sub_path_expr),
        ] {
            let Some(sub) = sub.as_deref() else { continue };
            let path = path.child(field);
            if sub.starts_with('/') {
                causes.invalid(&path, sub, "must be a relative path");
            }
            if sub.split('/').any(|part| part == "..") {
                causes.invalid(&path, sub, "must not contain '..'");
            }
        }
    }
}

/// Checks the resources of a container.
fn resources(resources: &ResourceRequirements, path: &Path, causes: &mut Causes) {
    let parse = |field: &str, causes: &mut Causes| -> BTreeMap<String, Quantity> {
        let amounts = if field == "limits" {
            &resources.limits
        } else {
            &resources.requests
        };
        let path = path.child(field);
        let mut parsed = BTreeMap::new();
        for (name, amount) in amounts.iter().flatten() {
            let path = path.key(name);
            match Quantity::parse(&amount.0) {
                None => causes.invalid(&path, &amount.0, Quantity::MALFORMED),
                Some(quantity) if quantity.is_negative() => {
                    causes.invalid(&path, &amount.0, "must be greater than or equal to 0");
                }
                Some(quantity) => {
                    parsed.insert(name.clone(), quantity);
                }
            }
        }
        parsed
    };
    let limits = parse("limits", causes);
    let requests = parse("requests", causes);
    for (name, request) in &requests {
        if let Some(limit) = limits.get(name)
            && request.exceeds(*limit)
        {
            let detail = format!(
                "must be less than or equal to {name} limit of {}",
                limit.canonical()
            );
            causes.invalid(&path.child("requests"), &request.canonical(), &detail);
        }
    }
}
