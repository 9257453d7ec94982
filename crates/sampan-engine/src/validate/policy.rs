//! The rules of autoscalers, disruption budgets, network policies, priority classes and limits.

use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
};
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::causes::{Causes, Path};
use super::{names, selector, workload};

/// Users' priorities stay below those of the system.
const HIGHEST_PRIORITY: i32 = 1_000_000_000;

/// Checks an autoscaler.
pub(super) fn autoscaler(
    new: &HorizontalPodAutoscaler,
    _: Option<&HorizontalPodAutoscaler>,
    causes: &mut Causes,
) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else {
        causes.required(&path.child("maxReplicas"), "");
        return;
    };
    replicas(spec, &path, causes);
    let target = path.child("scaleTargetRef");
    for (field, value, form) in [
        (
            "kind",
            &spec.scale_target_ref.kind,
            names::path_segment as fn(&str) -> Vec<String>,
        ),
        ("name", &spec.scale_target_ref.name, names::path_segment),
    ] {
        if value.is_empty() {
            causes.required(&target.child(field), "");
        } else {
            causes.complaints(&target.child(field), value, form(value));
        }
    }
    for (index, metric) in spec.metrics.iter().flatten().enumerate() {
        self::metric(metric, &path.child("metrics").index(index), causes);
    }
}

fn replicas(spec: &HorizontalPodAutoscalerSpec, path: &Path, causes: &mut Causes) {
    let least = spec.min_replicas.unwrap_or(1);
    causes.at_least(&path.child("minReplicas"), Some(least), 1);
    let most = path.child("maxReplicas");
    if spec.max_replicas < 1 {
        causes.invalid(&most, &spec.max_replicas, "must be greater than 0");
    }
    if spec.max_replicas < least {
        let detail = "must be greater than or equal to `minReplicas`";
        causes.invalid(&most, &spec.max_replicas, detail);
    }
}

fn metric(metric: &MetricSpec, path: &Path, causes: &mut Causes) {
    let kinds = [
        "ContainerResource",
        "External",
        "Object",
        "Pods",
        "Resource",
    ];
    causes.one_of(&path.child("type"), Some(&metric.type_), &kinds);
    let missing = match metric.type_.as_str() {
        "Resource" => metric.resource.is_none().then_some("resource"),
        "ContainerResource" => metric
            .container_resource
            .is_none()
            .then_some("containerResource"),
        "Pods" => metric.pods.is_none().then_some("pods"),
        "Object" => metric.object.is_none().then_some("object"),
        "External" => metric.external.is_none().then_some("external"),
        _ => None,
    };
    if let Some(field) = missing {
        let detail = format!(
            "must populate information for the given metric source (only allowed when metric type is {})",
            metric.type_
        );
        causes.required(&path.child(field), &detail);
    }
    if let Some(source) = &metric.resource {
        let path = path.child("resource");
        if source.name.is_empty() {
            causes.required(&path.child("name"), "must specify a resource name");
        }
        resource_target(&source.target, &path.child("target"), causes);
    }
    if let Some(source) = &metric.container_resource {
        let path = path.child("containerResource");
        if source.container.is_empty() {
            causes.required(&path.child("container"), "must specify a container");
        }
        resource_target(&source.target, &path.child("target"), causes);
    }
}

fn resource_target(target: &MetricTarget, path: &Path, causes: &mut Causes) {
    let kinds = ["AverageValue", "Utilization", "Value"];
    causes.one_of(&path.child("type"), Some(&target.type_), &kinds);
    match (&target.average_value, target.average_utilization) {
        (None, None) => causes.required(
            &path.child("averageUtilization"),
            "must set either a target raw value or a target utilization",
        ),
        (Some(_), Some(_)) => causes.forbidden(
            &path.child("averageValue"),
            "may not set both a target raw value and a target utilization",
        ),
        (None, Some(share)) if share < 1 => {
            let path = path.child("averageUtilization");
            causes.invalid(&path, &share, "must be greater than 0");
        }
        _ => {}
    }
}

/// Checks a disruption budget.
pub(super) fn disruption_budget(
    new: &PodDisruptionBudget,
    _: Option<&PodDisruptionBudget>,
    causes: &mut Causes,
) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else { return };
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        causes.invalid(
            &path,
            spec,
            "minAvailable and maxUnavailable cannot be both set",
        );
    }
    let fields: [(&str, &Option<IntOrString>); 2] = [
        ("minAvailable", &spec.min_available),
        ("maxUnavailable", &spec.max_unavailable),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            workload::amount(value, &path.child(field), causes);
        }
    }
    if let Some(selected) = &spec.selector {
        selector::check(selected, &path.child("selector"), causes);
    }
    let policy = spec.unhealthy_pod_eviction_policy.as_deref();
    let field = path.child("unhealthyPodEvictionPolicy");
    causes.one_of(&field, policy, &["AlwaysAllow", "IfHealthyBudget"]);
}

/// Checks a network policy.
pub(super) fn network_policy(new: &NetworkPolicy, _: Option<&NetworkPolicy>, causes: &mut Causes) {
    let path = Path::new("spec");
    let Some(spec) = &new.spec else { return };
    if let Some(selected) = &spec.pod_selector {
        selector::check(selected, &path.child("podSelector"), causes);
    }
    for (index, kind) in spec.policy_types.iter().flatten().enumerate() {
        let path = path.child("policyTypes").index(index);
        causes.one_of(&path, Some(kind), &["Egress", "Ingress"]);
    }
    for (index, rule) in spec.ingress.iter().flatten().enumerate() {
        let path = path.child("ingress").index(index).child("from");
        peers(rule.from.as_deref().unwrap_or_default(), &path, causes);
    }
    for (index, rule) in spec.egress.iter().flatten().enumerate() {
        let path = path.child("egress").index(index).child("to");
        peers(rule.to.as_deref().unwrap_or_default(), &path, causes);
    }
}

fn peers(peers: &[NetworkPolicyPeer], path: &Path, causes: &mut Causes) {
    for (index, peer) in peers.iter().enumerate() {
        let path = path.index(index);
        let by_label = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
        match (by_label, peer.ip_block.is_some()) {
            (false, false) => causes.required(&path, "must specify a peer"),
            (true, true) => {
                causes.forbidden(&path, "may not specify both ipBlock and another peer");
            }
            _ => {}
        }
        for (field, one) in [
            ("podSelector", &peer.pod_selector),
            ("namespaceSelector", &peer.namespace_selector),
        ] {
            if let Some(one) = one {
                selector::check(one, &path.child(field), causes);
            }
        }
    }
}

/// Checks a priority class.
pub(super) fn priority_class(
    new: &PriorityClass,
    old: Option<&PriorityClass>,
    causes: &mut Causes,
) {
    let path = Path::new("value");
    let name = new.metadata.name.as_deref().unwrap_or_default();
    if name.starts_with("system-") {
        let of_system = ["system-node-critical", "system-cluster-critical"];
        if !of_system.contains(&name) {
            let detail = "priority class names with 'system-' prefix are reserved for system use only. error: is not a known system priority class";
            causes.forbidden(&Path::new("metadata").child("name"), detail);
        }
    } else if new.value > HIGHEST_PRIORITY {
        let detail =
            format!("maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}");
        causes.forbidden(&path, &detail);
    }
    causes.one_of(
        &Path::new("preemptionPolicy"),
        new.preemption_policy.as_deref(),
        &["Never", "PreemptLowerPriority"],
    );
    if let Some(old) = old
        && old.value != new.value
    {
        causes.forbidden(&path, "may not be changed in an update.");
    }
}
