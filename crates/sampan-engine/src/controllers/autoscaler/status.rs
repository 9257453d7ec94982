//! What an autoscaler tells of itself.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus,
    MetricStatus, MetricValueStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::measure::Verdict;
use super::pace::Limited;
use crate::kubelet::quantity;

/// A change of a share by less than this is not worth a write.
const NOTEWORTHY_SHARE: i32 = 5;

/// How a look went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// What is to be scaled is not known.
    NoScale(String),
    /// There are no replicas, and there shall be none.
    Disabled,
    /// The use was compared.
    Judged {
        verdict: Verdict,
        limited: Limited,
        current: i32,
    },
}

struct Conditions {
    list: Vec<HorizontalPodAutoscalerCondition>,
    now: Timestamp,
}

impl Conditions {
    fn set(&mut self, kind: &str, value: bool, reason: &str, message: &str) {
        let status = if value { "True" } else { "False" };
        let known = self.list.iter().find(|condition| condition.type_ == kind);
        let since = known
            .filter(|condition| condition.status == status)
            .and_then(|condition| condition.last_transition_time.clone());
        self.list.retain(|condition| condition.type_ != kind);
        self.list.push(HorizontalPodAutoscalerCondition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            last_transition_time: since.or(Some(Time(self.now))),
        });
    }
}

/// The status after a look.
pub(super) fn of(
    scaler: &HorizontalPodAutoscaler,
    outcome: &Outcome,
    now: Timestamp,
) -> HorizontalPodAutoscalerStatus {
    let old = scaler.status.clone().unwrap_or_default();
    let mut conditions = Conditions {
        list: old.conditions.clone().unwrap_or_default(),
        now,
    };
    let mut status = HorizontalPodAutoscalerStatus {
        observed_generation: scaler.metadata.generation,
        conditions: None,
        ..old
    };
    match outcome {
        Outcome::NoScale(why) => {
            let message =
                format!("the HPA controller was unable to get the target's current scale: {why}");
            conditions.set("AbleToScale", false, "FailedGetScale", &message);
        }
        Outcome::Disabled => {
            let able = "the HPA controller was able to get the target's current scale";
            conditions.set("AbleToScale", true, "SucceededGetScale", able);
            let message = "scaling is disabled since the replica count of the target is zero";
            conditions.set("ScalingActive", false, "ScalingDisabled", message);
            status.current_replicas = None;
            status.desired_replicas = 0;
        }
        Outcome::Judged {
            verdict,
            limited,
            current,
        } => {
            judged(&mut conditions, verdict, *limited, *current);
            status.current_replicas = Some(*current);
            status.desired_replicas = limited.replicas;
            if limited.replicas != *current {
                status.last_scale_time = Some(Time(now));
            }
            let measured = verdict.proposals.iter();
            let measured: Vec<MetricStatus> = measured.map(|one| one.measured.clone()).collect();
            status.current_metrics = (!measured.is_empty()).then_some(measured);
        }
    }
    status.conditions = Some(conditions.list);
    status
}

fn judged(conditions: &mut Conditions, verdict: &Verdict, limited: Limited, current: i32) {
    if limited.replicas == current {
        let message = "recommended size matches current size";
        conditions.set("AbleToScale", true, "ReadyForNewScale", message);
    } else {
        let message = format!(
            "the HPA controller was able to update the target scale to {}",
            limited.replicas
        );
        conditions.set("AbleToScale", true, "SucceededRescale", &message);
    }
    match verdict.failures.first() {
        Some((reason, why)) if verdict.proposals.is_empty() => {
            let message = format!("the HPA was unable to compute the replica count: {why}");
            conditions.set("ScalingActive", false, reason, &message);
        }
        _ => {
            let message = "the HPA was able to successfully calculate a replica count";
            conditions.set("ScalingActive", true, "ValidMetricFound", message);
        }
    }
    if let Some(why) = limited.why {
        conditions.set("ScalingLimited", true, why.reason(), why.message());
    } else {
        let message = "the desired count is within the acceptable range";
        conditions.set("ScalingLimited", false, "DesiredWithinRange", message);
    }
}

/// Whether a status is worth a write: the use of processors is never quite the same twice.
pub(super) fn is_news(
    old: Option<&HorizontalPodAutoscalerStatus>,
    new: &HorizontalPodAutoscalerStatus,
) -> bool {
    let Some(old) = old else { return true };
    let rest = |status: &HorizontalPodAutoscalerStatus| HorizontalPodAutoscalerStatus {
        current_metrics: None,
        ..status.clone()
    };
    if rest(old) != rest(new) {
        return true;
    }
    let before = old.current_metrics.as_deref().unwrap_or_default();
    let after = new.current_metrics.as_deref().unwrap_or_default();
    before.len() != after.len() || before.iter().zip(after).any(|(a, b)| differ(a, b))
}

/// Whether two measurements of a metric differ noticeably.
fn differ(before: &MetricStatus, after: &MetricStatus) -> bool {
    let share =
        |value: Option<&MetricValueStatus>| value.and_then(|value| value.average_utilization);
    let (old, new) = (value(before), value(after));
    match (share(old), share(new)) {
        (Some(old), Some(new)) => (old - new).abs() >= NOTEWORTHY_SHARE,
        (None, None) => {
            let amount = |value: Option<&MetricValueStatus>| {
                value.and_then(|value| quantity::millis(value.average_value.as_ref()?))
            };
            let (old, new) = (amount(old).unwrap_or(0), amount(new).unwrap_or(0));
            (old - new).abs() * 100 >= old.max(new) * i128::from(NOTEWORTHY_SHARE) && old != new
        }
        _ => true,
    }
}

fn value(metric: &MetricStatus) -> Option<&MetricValueStatus> {
    let resource = metric.resource.as_ref().map(|resource| &resource.current);
    let container = metric.container_resource.as_ref();
    resource.or_else(|| container.map(|resource| &resource.current))
}
