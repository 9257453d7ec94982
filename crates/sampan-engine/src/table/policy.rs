//! The rows of autoscalers, disruption budgets, network policies, quotas, limits and priority classes.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
};
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::workload::selector;
use super::{AGE, Column, NAME, age, column, number, read, text};
use crate::objects::stored_form;

pub(super) const AUTOSCALER: &[Column] = &[
    NAME,
    text("Reference"),
    text("Targets"),
    text("MinPods"),
    text("MaxPods"),
    text("Replicas"),
    AGE,
];

pub(super) fn autoscaler(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let scaler: HorizontalPodAutoscaler = read(&stored_form(object))?;
    let spec = scaler.spec?;
    let status = scaler.status.unwrap_or_default();
    let target = &spec.scale_target_ref;
    let least = spec.min_replicas;
    let least = least.map_or_else(|| "<unset>".to_owned(), |least| least.to_string());
    let current = status.current_metrics.as_deref().unwrap_or_default();
    Some(vec![
        scaler.metadata.name.clone().into(),
        format!("{}/{}", target.kind, target.name).into(),
        targets(spec.metrics.as_deref().unwrap_or_default(), current).into(),
        least.into(),
        spec.max_replicas.into(),
        status.current_replicas.unwrap_or_default().into(),
        age::of(&scaler.metadata, now).into(),
    ])
}

/// What is measured and what is aimed at: `cpu: 12%/80%`.
fn targets(metrics: &[MetricSpec], current: &[MetricStatus]) -> String {
    const SHOWN: usize = 2;
    let mut parts: Vec<String> = metrics
        .iter()
        .enumerate()
        .map(|(index, metric)| one_target(metric, current.get(index)))
        .collect();
    let more = parts.len().saturating_sub(SHOWN);
    parts.truncate(SHOWN);
    match more {
        _ if parts.is_empty() => "<none>".to_owned(),
        0 => parts.join(", "),
        more => format!("{} + {more} more...", parts.join(", ")),
    }
}

fn one_target(metric: &MetricSpec, current: Option<&MetricStatus>) -> String {
    let resource = metric.resource.as_ref().map(|source| {
        let measured = current.and_then(|current| current.resource.as_ref());
        (
            &source.name,
            &source.target,
            measured.map(|measured| &measured.current),
        )
    });
    let container = || {
        let source = metric.container_resource.as_ref()?;
        let measured = current.and_then(|current| current.container_resource.as_ref());
        Some((
            &source.name,
            &source.target,
            measured.map(|measured| &measured.current),
        ))
    };
    match resource.or_else(container) {
        Some((name, target, measured)) => {
            format!("{name}: {}/{}", value(measured), aim(target))
        }
        None => "<unknown>/<auto>".to_owned(),
    }
}

fn value(measured: Option<&MetricValueStatus>) -> String {
    let share = measured.and_then(|measured| measured.average_utilization);
    let amount = measured.and_then(|measured| measured.average_value.as_ref());
    match (share, amount) {
        (Some(share), _) => format!("{share}%"),
        (None, Some(amount)) => amount.0.clone(),
        (None, None) => "<unknown>".to_owned(),
    }
}

fn aim(target: &MetricTarget) -> String {
    match (target.average_utilization, &target.average_value) {
        (Some(share), _) => format!("{share}%"),
        (None, Some(amount)) => amount.0.clone(),
        (None, None) => "<auto>".to_owned(),
    }
}

pub(super) const BUDGET: &[Column] = &[
    NAME,
    text("Min Available"),
    text("Max Unavailable"),
    number("Allowed Disruptions"),
    AGE,
];

pub(super) fn budget(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let budget: PodDisruptionBudget = read(object)?;
    let spec = budget.spec.unwrap_or_default();
    let written = |amount: Option<IntOrString>| match amount {
        Some(IntOrString::Int(number)) => number.to_string(),
        Some(IntOrString::String(share)) => share,
        None => "N/A".to_owned(),
    };
    Some(vec![
        budget.metadata.name.clone().into(),
        written(spec.min_available).into(),
        written(spec.max_unavailable).into(),
        budget
            .status
            .map_or(0, |status| status.disruptions_allowed)
            .into(),
        age::of(&budget.metadata, now).into(),
    ])
}

pub(super) const NETWORK_POLICY: &[Column] = &[NAME, text("Pod-Selector"), AGE];

pub(super) fn network_policy(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let policy: NetworkPolicy = read(object)?;
    let selected = policy.spec.and_then(|spec| spec.pod_selector);
    Some(vec![
        policy.metadata.name.clone().into(),
        selector(&selected.unwrap_or_default()).into(),
        age::of(&policy.metadata, now).into(),
    ])
}

pub(super) const QUOTA: &[Column] = &[NAME, text("Request"), text("Limit"), AGE];

pub(super) fn quota(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let quota: ResourceQuota = read(object)?;
    let status = quota.status.unwrap_or_default();
    let hard = status.hard.or_else(|| quota.spec.as_ref()?.hard.clone());
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (name, most) in hard.unwrap_or_default() {
        let used = status.used.as_ref().and_then(|used| used.get(&name));
        let used = used.map_or("0", |used| used.0.as_str());
        let part = format!("{name}: {used}/{}", most.0);
        if name.starts_with("limits.") {
            limits.push(part);
        } else {
            requests.push(part);
        }
    }
    Some(vec![
        quota.metadata.name.clone().into(),
        requests.join(", ").into(),
        limits.join(", ").into(),
        age::of(&quota.metadata, now).into(),
    ])
}

pub(super) const PRIORITY_CLASS: &[Column] = &[
    NAME,
    number("Value"),
    column("Global-Default", "boolean"),
    AGE,
    text("PreemptionPolicy"),
];

pub(super) fn priority_class(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let class: PriorityClass = read(object)?;
    let preemption = class.preemption_policy.clone();
    Some(vec![
        class.metadata.name.clone().into(),
        class.value.into(),
        class.global_default.unwrap_or(false).into(),
        age::of(&class.metadata, now).into(),
        preemption
            .unwrap_or_else(|| "PreemptLowerPriority".to_owned())
            .into(),
    ])
}
