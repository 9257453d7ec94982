//! The rules of pods and of the templates that make them.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};

use super::causes::{Causes, Path};
use super::{container, metadata, names, volume};

/// What an update of a pod may change, as Kubernetes words it.
const UPDATABLE: &str = "pod updates may not change fields other than \
    `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),\
    `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Checks a pod.
pub(super) fn check(new: &Pod, old: Option<&Pod>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("containers"), "");
        return;
    };
    pod_spec(spec, &path, causes);
    if let Some(old) = old.and_then(|old| old.spec.as_ref())
        && fixed_part(spec, old) != fixed_part(old, old)
    {
        causes.forbidden(&path, UPDATABLE);
    }
}

/// The spec without what may differ from the old one.
fn fixed_part(spec: &PodSpec, old: &PodSpec) -> PodSpec {
    let mut fixed = spec.clone();
    let images = |containers: &mut Vec<k8s_openapi::api::core::v1::Container>| {
        for container in containers {
            container.image = None;
        }
    };
    images(&mut fixed.containers);
    fixed.init_containers.iter_mut().for_each(images);
    fixed.active_deadline_seconds = None;
    fixed.ephemeral_containers = None;
    fixed.scheduling_gates = None;
    if old.node_name.is_none() {
        fixed.node_name = None;
    }
    let kept = |old: &PodSpec| {
        let tolerations = spec.tolerations.as_deref().unwrap_or_default();
        old.tolerations
            .iter()
            .flatten()
            .all(|toleration| tolerations.contains(toleration))
    };
    if kept(old) {
        fixed.tolerations = None;
    }
    fixed
}

/// Checks the template of a workload whose pods carry these restart policies.
pub(super) fn template(template: &PodTemplateSpec, path: &Path, causes: &mut Causes) {
    if let Some(meta) = &template.metadata {
        let path = path.child("metadata");
        metadata::labels(meta.labels.as_ref(), &path.child("labels"), causes);
        metadata::annotations(
            meta.annotations.as_ref(),
            &path.child("annotations"),
            causes,
        );
    }
    let path = path.child("spec");
    match &template.spec {
        Some(spec) => pod_spec(spec, &path, causes),
        None => causes.required(&path.child("containers"), ""),
    }
}

fn pod_spec(spec: &PodSpec, path: &Path, causes: &mut Causes) {
    let volumes = volume::check(
        spec.volumes.as_deref().unwrap_or_default(),
        &path.child("volumes"),
        causes,
    );
    let mut seen = BTreeSet::new();
    if spec.containers.is_empty() {
        causes.required(&path.child("containers"), "");
    }
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    for (list, field) in [(&*spec.containers, "containers"), (inits, "initContainers")] {
        for (index, item) in list.iter().enumerate() {
            let path = path.child(field).index(index);
            if !item.name.is_empty() && !seen.insert(item.name.as_str()) {
                causes.duplicate(&path.child("name"), &item.name);
            }
            let init = field == "initContainers";
            container::check(
                item,
                &container::Place {
                    volumes: &volumes,
                    init,
                },
                &path,
                causes,
            );
        }
        container::port_conflicts(list, &path.child(field), causes);
    }
    policies(spec, path, causes);
    references(spec, path, causes);
    host_names(spec, path, causes);
    metadata::labels(
        spec.node_selector.as_ref(),
        &path.child("nodeSelector"),
        causes,
    );
}

/// Checks the names of other objects.
fn references(spec: &PodSpec, path: &Path, causes: &mut Causes) {
    for (field, name) in [
        ("serviceAccountName", &spec.service_account_name),
        ("nodeName", &spec.node_name),
        ("priorityClassName", &spec.priority_class_name),
        ("runtimeClassName", &spec.runtime_class_name),
    ] {
        if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
            causes.complaints(&path.child(field), name, names::dns_subdomain(name));
        }
    }
    for (index, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if secret.name.is_empty() {
            causes.required(
                &path.child("imagePullSecrets").index(index).child("name"),
                "",
            );
        }
    }
}

/// Checks the names that the pod has and those that it knows.
fn host_names(spec: &PodSpec, path: &Path, causes: &mut Causes) {
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
            causes.complaints(&path.child(field), name, names::dns_label(name));
        }
    }
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let path = path.child("hostAliases").index(index);
        if alias.ip.parse::<std::net::IpAddr>().is_err() {
            causes.invalid(
                &path.child("ip"),
                &alias.ip,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            );
        }
        for (index, name) in alias.hostnames.iter().flatten().enumerate() {
            let path = path.child("hostnames").index(index);
            causes.complaints(&path, name, names::dns_subdomain(name));
        }
    }
}

fn policies(spec: &PodSpec, path: &Path, causes: &mut Causes) {
    causes.one_of(
        &path.child("restartPolicy"),
        spec.restart_policy.as_deref(),
        &["Always", "OnFailure", "Never"],
    );
    causes.one_of(
        &path.child("dnsPolicy"),
        spec.dns_policy.as_deref(),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    let servers = spec
        .dns_config
        .as_ref()
        .and_then(|config| config.nameservers.as_ref());
    if spec.dns_policy.as_deref() == Some("None") && servers.is_none_or(Vec::is_empty) {
        causes.required(
            &path.child("dnsConfig").child("nameservers"),
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        );
    }
    let grace = path.child("terminationGracePeriodSeconds");
    causes.at_least(&grace, spec.termination_grace_period_seconds, 0);
    let deadline = path.child("activeDeadlineSeconds");
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        causes.invalid(
            &deadline,
            &seconds,
            "must be between 1 and 2147483647, inclusive",
        );
    }
}

/// Checks the pods that a workload keeps running for ever.
pub(super) fn always_restarted(spec: Option<&PodSpec>, path: &Path, causes: &mut Causes) {
    let policy = spec.and_then(|spec| spec.restart_policy.as_deref());
    causes.one_of(&path.child("restartPolicy"), policy, &["Always"]);
    if spec.is_some_and(|spec| spec.active_deadline_seconds.is_some()) {
        causes.forbidden(
            &path.child("activeDeadlineSeconds"),
            "activeDeadlineSeconds in ReplicaSet is not Supported",
        );
    }
}
