//! How many replicas the measured use asks for.

use std::collections::HashMap;

use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricStatus, HorizontalPodAutoscalerSpec, MetricSpec, MetricStatus,
    MetricTarget, MetricValueStatus, ResourceMetricStatus,
};
use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::controllers::pods;
use crate::kubelet::quantity;
use crate::usage::{ContainerUse, PodUse};

/// A use that is as near to its aim as this changes nothing.
const TOLERANCE: f64 = 0.1;

/// What the metrics say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// What each metric asks for, with its name and what was measured.
    pub(super) proposals: Vec<Proposal>,
    /// Why metrics could not be measured: one word and a sentence each.
    pub(super) failures: Vec<(&'static str, String)>,
}

/// What one metric asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Proposal {
    replicas: i32,
    name: String,
    grows: bool,
    pub(super) measured: MetricStatus,
}

impl Verdict {
    /// How many replicas there should be; as many as there are while too little is known.
    pub(super) fn wanted(&self, current: i32) -> i32 {
        let most = self
            .proposals
            .iter()
            .map(|proposal| proposal.replicas)
            .max();
        match most {
            Some(most) if self.failures.is_empty() || most > current => most,
            _ => current,
        }
    }

    /// The metric that asks for more, as events name it.
    pub(super) fn decisive(&self) -> Option<String> {
        let growing = self.proposals.iter().filter(|proposal| proposal.grows);
        let decisive = growing.max_by_key(|proposal| proposal.replicas)?;
        Some(format!("{} above target", decisive.name))
    }
}

/// Compares what pods use with what they should.
pub(super) fn judge(
    spec: &HorizontalPodAutoscalerSpec,
    current: i32,
    pods: &[Pod],
    used: &HashMap<String, PodUse>,
) -> Verdict {
    let mut verdict = Verdict::default();
    let active: Vec<&Pod> = pods.iter().filter(|pod| pods::is_active(pod)).collect();
    for metric in spec.metrics.iter().flatten() {
        match propose(metric, current, &active, used) {
            Ok(proposal) => verdict.proposals.push(proposal),
            Err(failure) => verdict.failures.push(failure),
        }
    }
    verdict
}

fn propose(
    metric: &MetricSpec,
    current: i32,
    pods: &[&Pod],
    used: &HashMap<String, PodUse>,
) -> Result<Proposal, (&'static str, String)> {
    let (resource, container, target) = match (&metric.resource, &metric.container_resource) {
        (Some(source), _) => (&source.name, None, &source.target),
        (None, Some(source)) => (
            &source.name,
            Some(source.container.as_str()),
            &source.target,
        ),
        (None, None) => {
            let reason = match metric.type_.as_str() {
                "Pods" => "FailedGetPodsMetric",
                "Object" => "FailedGetObjectMetric",
                _ => "FailedGetExternalMetric",
            };
            let message = "only the use of cpu and memory is measured here";
            return Err((reason, message.to_owned()));
        }
    };
    let failed = |why: String| {
        let message = format!("failed to get {resource} utilization: {why}");
        ("FailedGetResourceMetric", message)
    };
    let counts = |name: &str| container.is_none_or(|container| container == name);
    let (mut sum, mut requested, mut measured, mut unknown) = (0_u128, 0_u128, 0_u32, 0_u32);
    for pod in pods {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let own = used.get(uid).filter(|_| pods::is_ready(pod));
        let Some(own) = own else {
            unknown += 1;
            continue;
        };
        measured += 1;
        let containers = own.containers.iter().filter(|one| counts(&one.name));
        sum += containers.map(|one| nanos(one, resource)).sum::<u128>();
        if target.average_utilization.is_some() {
            requested += request(pod, resource, counts).map_err(failed)?;
        }
    }
    if measured == 0 {
        return Err(failed(
            "no metrics returned from resource metrics API".to_owned(),
        ));
    }
    let average = sum / u128::from(measured);
    let ratio = ratio(target, sum, requested, average)
        .ok_or_else(|| failed("the target is neither a share nor an average".to_owned()))?;
    let replicas = replicas(current, ratio, measured, unknown);
    let share = target.average_utilization.map(|_| share_of(sum, requested));
    let value = MetricValueStatus {
        average_utilization: share,
        average_value: Some(written(average, resource)),
        value: None,
    };
    let text = if share.is_some() {
        "utilization (percentage of request)"
    } else {
        "utilization"
    };
    Ok(Proposal {
        replicas,
        name: format!("{resource} resource {text}"),
        grows: replicas > current,
        measured: shown(metric, container, resource, value),
    })
}

/// How many times as much is used as should be.
fn ratio(target: &MetricTarget, sum: u128, requested: u128, average: u128) -> Option<f64> {
    if let Some(share) = target.average_utilization {
        return Some(f64::from(share_of(sum, requested)) / f64::from(share.max(1)));
    }
    let aim = quantity::millis(target.average_value.as_ref()?)?.max(1);
    let aim = u128::try_from(aim).ok()? * 1_000_000;
    Some(approximate(average) / approximate(aim))
}

/// How many replicas a ratio asks for. Pods of which nothing is known count as idle when there are to be more, and as
/// busy as they should be when there are to be less.
fn replicas(current: i32, ratio: f64, measured: u32, unknown: u32) -> i32 {
    let near = |ratio: f64| (ratio - 1.0).abs() <= TOLERANCE;
    if near(ratio) {
        return current;
    }
    let (measured, unknown) = (f64::from(measured), f64::from(unknown));
    let all = measured + unknown;
    let assumed = if ratio < 1.0 { unknown } else { 0.0 };
    let cautious = (ratio * measured + assumed) / all;
    if near(cautious) || (cautious > 1.0) != (ratio > 1.0) {
        return current;
    }
    let wanted = count((cautious * all).ceil());
    if ratio > 1.0 {
        wanted.max(current)
    } else {
        wanted.min(current)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "casts from floats saturate, which is what is wanted"
)]
fn count(number: f64) -> i32 {
    number as i32
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio needs no more than a few figures"
)]
fn approximate(number: u128) -> f64 {
    number as f64
}

/// The use as a percentage of what was requested.
fn share_of(sum: u128, requested: u128) -> i32 {
    i32::try_from(sum * 100 / requested.max(1)).unwrap_or(i32::MAX)
}

/// What a container uses, in billionths.
fn nanos(container: &ContainerUse, resource: &str) -> u128 {
    match resource {
        "cpu" => container.cpu_nanos.into(),
        "memory" => u128::from(container.memory_bytes) * 1_000_000_000,
        _ => 0,
    }
}

/// What the containers of a pod request together, in billionths.
fn request(pod: &Pod, resource: &str, counts: impl Fn(&str) -> bool) -> Result<u128, String> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut sum = 0;
    for container in containers.filter(|container| counts(&container.name)) {
        sum += requested(container, resource).ok_or_else(|| {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            format!(
                "missing request for {resource} in container {} of Pod {name}",
                container.name
            )
        })?;
    }
    Ok(sum)
}

fn requested(container: &Container, resource: &str) -> Option<u128> {
    let millis = quantity::request(container, resource).and_then(quantity::millis)?;
    u128::try_from(millis).ok().map(|millis| millis * 1_000_000)
}

/// An amount in the unit of its resource.
fn written(nanos: u128, resource: &str) -> Quantity {
    Quantity(if resource == "cpu" {
        format!("{}m", nanos.div_ceil(1_000_000))
    } else {
        (nanos / 1_000_000_000).to_string()
    })
}

fn shown(
    metric: &MetricSpec,
    container: Option<&str>,
    resource: &str,
    current: MetricValueStatus,
) -> MetricStatus {
    let name = resource.to_owned();
    let (resource, container_resource) = match container {
        None => (Some(ResourceMetricStatus { current, name }), None),
        Some(container) => {
            let container = container.to_owned();
            let status = ContainerResourceMetricStatus {
                container,
                current,
                name,
            };
            (None, Some(status))
        }
    };
    MetricStatus {
        type_: metric.type_.clone(),
        resource,
        container_resource,
        ..MetricStatus::default()
    }
}

#[cfg(test)]
mod tests;
