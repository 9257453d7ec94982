//! What a disruption budget allows.

use jiff::Timestamp;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

const ALLOWED: &str = "DisruptionAllowed";

/// How many pods there are and have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Balance {
    /// How many pods there should be.
    pub(crate) expected: i32,
    /// How many are healthy.
    pub(crate) healthy: i32,
    /// How many have to be healthy.
    pub(crate) desired: i32,
}

/// Whether a budget is a number of pods, whatever their owners want.
pub(super) fn counts_pods(budget: &PodDisruptionBudget) -> bool {
    let least = budget
        .spec
        .as_ref()
        .and_then(|spec| spec.min_available.as_ref());
    matches!(least, Some(IntOrString::Int(_)))
}

impl Balance {
    /// The balance of a budget.
    pub(super) fn of(budget: &PodDisruptionBudget, expected: usize, healthy: usize) -> Self {
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let expected = number(expected);
        let spec = budget.spec.clone().unwrap_or_default();
        let desired = match (&spec.min_available, &spec.max_unavailable) {
            (Some(least), _) => amount(least, expected),
            (None, Some(most)) => (expected - amount(most, expected)).max(0),
            // Like a minimum of one.
            (None, None) => 1,
        };
        Self {
            expected,
            healthy: number(healthy),
            desired,
        }
    }

    /// How many pods may be taken away.
    pub(crate) fn allowed(self) -> i32 {
        if self.expected == 0 {
            return 0;
        }
        (self.healthy - self.desired).max(0)
    }

    /// The status that says so.
    pub(super) fn status(
        self,
        budget: &PodDisruptionBudget,
        now: Timestamp,
    ) -> PodDisruptionBudgetStatus {
        let old = budget.status.clone().unwrap_or_default();
        let allowed = self.allowed();
        let (status, reason) = if allowed > 0 {
            ("True", "SufficientPods")
        } else {
            ("False", "InsufficientPods")
        };
        let known = old.conditions.iter().flatten();
        let mut known = known.filter(|condition| condition.type_ == ALLOWED);
        let since = known
            .find(|condition| condition.status == status)
            .map_or_else(
                || Time(now),
                |condition| condition.last_transition_time.clone(),
            );
        PodDisruptionBudgetStatus {
            conditions: Some(vec![Condition {
                type_: ALLOWED.to_owned(),
                status: status.to_owned(),
                reason: reason.to_owned(),
                message: String::new(),
                last_transition_time: since,
                observed_generation: budget.metadata.generation,
            }]),
            current_healthy: self.healthy,
            desired_healthy: self.desired,
            disruptions_allowed: allowed,
            expected_pods: self.expected,
            observed_generation: budget.metadata.generation,
            disrupted_pods: None,
        }
    }
}

/// A number, or a share that is rounded up.
fn amount(value: &IntOrString, of: i32) -> i32 {
    match value {
        IntOrString::Int(number) => *number,
        IntOrString::String(share) => {
            let percent: u64 = share.trim_end_matches('%').parse().unwrap_or(0);
            let of = u64::try_from(of).unwrap_or(0);
            i32::try_from((percent * of).div_ceil(100)).unwrap_or(i32::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn allowed(spec: &Value, expected: usize, healthy: usize) -> (i32, i32) {
        let budget = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        let balance = Balance::of(&budget, expected, healthy);
        (balance.desired, balance.allowed())
    }

    #[test]
    fn numbers_and_shares_say_how_many_may_go() {
        for (spec, expected, healthy, outcome) in [
            (json!({"minAvailable": 1}), 2, 2, (1, 1)),
            (json!({"minAvailable": 2}), 2, 1, (2, 0)),
            (json!({"minAvailable": "50%"}), 3, 3, (2, 1)),
            (json!({"maxUnavailable": 1}), 3, 3, (2, 1)),
            (json!({"maxUnavailable": 1}), 3, 2, (2, 0)),
            (json!({"maxUnavailable": "30%"}), 10, 10, (7, 3)),
            (json!({"minAvailable": 0}), 0, 0, (0, 0)),
        ] {
            assert_eq!(allowed(&spec, expected, healthy), outcome, "{spec}");
        }
    }
}
