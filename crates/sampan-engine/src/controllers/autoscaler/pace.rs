//! How fast replicas may come and go.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::autoscaling::v2::{HPAScalingRules, HorizontalPodAutoscalerSpec};

/// What was wanted lately counts against taking pods away, unless the autoscaler says otherwise.
const DOWN_WINDOW_SECONDS: i32 = 300;
/// The longest window and period that there are.
const MEMORY: SignedDuration = SignedDuration::from_mins(60);

/// What an autoscaler has wanted and done lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    wanted: Vec<(Timestamp, i32)>,
    changes: Vec<(Timestamp, i32)>,
    last: Option<(Timestamp, Option<i64>)>,
}

/// Why there are not as many replicas as wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    TooMany,
    TooFew,
    ScaleUpLimit,
    ScaleDownLimit,
    Stabilized,
}

impl Why {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::TooMany => "TooManyReplicas",
            Self::TooFew => "TooFewReplicas",
            Self::ScaleUpLimit => "ScaleUpLimit",
            Self::ScaleDownLimit => "ScaleDownLimit",
            Self::Stabilized => "ScaleDownStabilized",
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::TooMany => "the desired replica count is more than the maximum replica count",
            Self::TooFew => "the desired replica count is less than the minimum replica count",
            Self::ScaleUpLimit => {
                "the desired replica count is increasing faster than the maximum scale rate"
            }
            Self::ScaleDownLimit => {
                "the desired replica count is decreasing faster than the maximum scale rate"
            }
            Self::Stabilized => {
                "recent recommendations were higher than current one, applying the highest recent recommendation"
            }
        }
    }
}

/// How many replicas there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) replicas: i32,
    pub(super) why: Option<Why>,
}

impl Pace {
    /// When to look next, if the last look was just now and at the same autoscaler.
    pub(super) fn next_look(
        &self,
        generation: Option<i64>,
        every: SignedDuration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let (last, seen) = self.last?;
        let next = last.checked_add(every).ok()?;
        // Timers are not exact.
        let early = next.duration_since(now) > SignedDuration::from_secs(1);
        (early && seen == generation).then_some(next)
    }

    pub(super) fn looked(&mut self, generation: Option<i64>, now: Timestamp) {
        self.last = Some((now, generation));
    }

    /// Whether nobody has looked for long.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        self.last
            .is_some_and(|(last, _)| now.duration_since(last) > MEMORY)
    }

    /// Notes a change.
    pub(super) fn scaled(&mut self, from: i32, to: i32, now: Timestamp) {
        self.changes.push((now, to - from));
    }

    /// How many replicas there may be, when so many are wanted now.
    pub(super) fn limit(
        &mut self,
        spec: &HorizontalPodAutoscalerSpec,
        current: i32,
        wanted: i32,
        now: Timestamp,
    ) -> Limited {
        let recent = |(at, _): &(Timestamp, i32)| now.duration_since(*at) <= MEMORY;
        self.wanted.retain(recent);
        self.changes.retain(recent);
        if self.wanted.is_empty() {
            // What there was before the engine knew it was wanted by somebody.
            self.wanted.push((now, current));
        }
        self.wanted.push((now, wanted));
        let behavior = spec.behavior.as_ref();
        let up = behavior.and_then(|behavior| behavior.scale_up.as_ref());
        let down = behavior.and_then(|behavior| behavior.scale_down.as_ref());
        let (stable, mut why) = self.stabilize(current, wanted, (up, down), now);
        let least = spec.min_replicas.unwrap_or(1);
        let bounded = stable.clamp(least, spec.max_replicas.max(least));
        if stable != bounded {
            why = Some(if stable > bounded {
                Why::TooMany
            } else {
                Why::TooFew
            });
        }
        let (replicas, rate) = if bounded > current {
            let most = self.most(current, up, now);
            (bounded.min(most), Why::ScaleUpLimit)
        } else {
            let least = self.least(current, down, now);
            (bounded.max(least), Why::ScaleDownLimit)
        };
        if replicas != bounded {
            why = Some(rate);
        }
        Limited { replicas, why }
    }

    /// The least that was wanted within the window for more, the most within the window for less.
    fn stabilize(
        &self,
        current: i32,
        wanted: i32,
        (up, down): (Option<&HPAScalingRules>, Option<&HPAScalingRules>),
        now: Timestamp,
    ) -> (i32, Option<Why>) {
        let window = |rules: Option<&HPAScalingRules>, default| {
            let seconds = rules.and_then(|rules| rules.stabilization_window_seconds);
            SignedDuration::from_secs(seconds.unwrap_or(default).into())
        };
        let within = |window: SignedDuration| {
            let recent = self.wanted.iter();
            recent
                .filter(move |(at, _)| now.duration_since(*at) < window)
                .map(|(_, wanted)| *wanted)
                .chain([wanted])
        };
        let least = within(window(up, 0)).min().unwrap_or(wanted);
        let most = within(window(down, DOWN_WINDOW_SECONDS))
            .max()
            .unwrap_or(wanted);
        let stable = current.max(least).min(most);
        let why = (stable != wanted && stable > wanted).then_some(Why::Stabilized);
        (stable, why)
    }

    /// The most replicas that the policies allow now.
    fn most(&self, current: i32, rules: Option<&HPAScalingRules>, now: Timestamp) -> i32 {
        let policies = policies(rules, &[("Pods", 4, 15), ("Percent", 100, 15)]);
        let limits = policies.iter().map(|(kind, value, period)| {
            let base = current - self.sum(*period, now, |change| change > 0);
            if kind == "Pods" {
                base.saturating_add(*value)
            } else {
                let share = i64::from(base) * (100 + i64::from(*value));
                i32::try_from((share + 99) / 100).unwrap_or(i32::MAX)
            }
        });
        match rules.and_then(|rules| rules.select_policy.as_deref()) {
            Some("Disabled") => current,
            Some("Min") => limits.min().unwrap_or(i32::MAX).max(current),
            _ => limits.max().unwrap_or(i32::MAX).max(current),
        }
    }

    /// The least replicas that the policies allow now.
    fn least(&self, current: i32, rules: Option<&HPAScalingRules>, now: Timestamp) -> i32 {
        let policies = policies(rules, &[("Percent", 100, 15)]);
        let limits = policies.iter().map(|(kind, value, period)| {
            let base = current - self.sum(*period, now, |change| change < 0);
            if kind == "Pods" {
                base.saturating_sub(*value)
            } else {
                let share = i64::from(base) * (100 - i64::from(*value)).max(0);
                i32::try_from(share / 100).unwrap_or(0)
            }
        });
        match rules.and_then(|rules| rules.select_policy.as_deref()) {
            Some("Disabled") => current,
            Some("Min") => limits.max().unwrap_or(0).min(current),
            _ => limits.min().unwrap_or(0).min(current),
        }
    }

    /// By how much replicas have changed in one direction within a period.
    fn sum(&self, period_seconds: i32, now: Timestamp, counts: fn(i32) -> bool) -> i32 {
        let period = SignedDuration::from_secs(period_seconds.into());
        let recent = self.changes.iter();
        recent
            .filter(|(at, change)| now.duration_since(*at) < period && counts(*change))
            .map(|(_, change)| change)
            .sum()
    }
}

/// The policies of some rules: kind, value, seconds.
fn policies(
    rules: Option<&HPAScalingRules>,
    default: &[(&str, i32, i32)],
) -> Vec<(String, i32, i32)> {
    match rules.and_then(|rules| rules.policies.as_ref()) {
        Some(policies) => policies
            .iter()
            .map(|policy| (policy.type_.clone(), policy.value, policy.period_seconds))
            .collect(),
        None => default
            .iter()
            .map(|(kind, value, period)| ((*kind).to_owned(), *value, *period))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn spec(behavior: &serde_json::Value) -> HorizontalPodAutoscalerSpec {
        serde_json::from_value(json!({
            "minReplicas": 2, "maxReplicas": 20,
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "behavior": behavior,
        }))
        .unwrap()
    }

    #[test]
    fn replicas_come_fast_and_go_slowly() {
        let (mut pace, plain) = (Pace::default(), spec(&json!(null)));
        let grown = pace.limit(&plain, 2, 15, at(0));
        assert_eq!((grown.replicas, grown.why), (6, Some(Why::ScaleUpLimit)));
        pace.scaled(2, 6, at(0));
        // Four more in a quarter of a minute, or twice as many, are used up.
        assert_eq!(pace.limit(&plain, 6, 15, at(5)).replicas, 6);
        assert_eq!(pace.limit(&plain, 6, 15, at(20)).replicas, 12);
        let held = pace.limit(&plain, 12, 3, at(40));
        assert_eq!((held.replicas, held.why), (12, Some(Why::Stabilized)));
        assert_eq!(pace.limit(&plain, 12, 3, at(400)).replicas, 3);
    }

    #[test]
    fn the_bounds_hold_and_rules_can_be_set() {
        let (mut pace, plain) = (Pace::default(), spec(&json!(null)));
        let few = pace.limit(&plain, 2, 0, at(0));
        assert_eq!((few.replicas, few.why), (2, Some(Why::Stabilized)));
        let many = pace.limit(&plain, 18, 40, at(0));
        assert_eq!((many.replicas, many.why), (20, Some(Why::TooMany)));
        let eager = spec(&json!({"scaleDown": {"stabilizationWindowSeconds": 0,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}));
        let mut pace = Pace::default();
        let fewer = pace.limit(&eager, 10, 3, at(0));
        assert_eq!((fewer.replicas, fewer.why), (9, Some(Why::ScaleDownLimit)));
        let never = spec(
            &json!({"scaleDown": {"stabilizationWindowSeconds": 0, "selectPolicy": "Disabled"}}),
        );
        assert_eq!(Pace::default().limit(&never, 10, 3, at(0)).replicas, 10);
    }
}
