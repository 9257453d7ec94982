//! How long a job waits after failures.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use crate::controllers::pods;

/// The time between the first failure of a pod and the next pod; it doubles with each failure.
const FIRST_DELAY_SECONDS: i64 = 10;
const LONGEST_DELAY_SECONDS: i64 = 600;

/// When the next pod may start, if failures in a row make it wait.
pub(super) fn next_start(
    owned: &[Pod],
    has_failed: impl Fn(&Pod) -> bool,
    now: Timestamp,
) -> Option<Timestamp> {
    let mut ended: Vec<(Timestamp, bool)> = owned
        .iter()
        .filter(|pod| pods::is_terminal(pod))
        .map(|pod| (ended_at(pod).min(now), has_failed(pod)))
        .collect();
    ended.sort_unstable();
    let failures = ended.iter().rev().take_while(|(_, failed)| *failed).count();
    let (last, _) = ended.last().filter(|_| failures > 0)?;
    let doublings = u32::try_from(failures - 1).unwrap_or(u32::MAX).min(16);
    let seconds = (FIRST_DELAY_SECONDS << doublings).min(LONGEST_DELAY_SECONDS);
    last.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// How often all containers of a pod have been restarted.
pub(super) fn all_restarts(pod: &Pod) -> i32 {
    containers(pod)
        .map(|container| container.restart_count)
        .sum()
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let apps = status.and_then(|status| status.container_statuses.as_ref());
    let inits = status.and_then(|status| status.init_container_statuses.as_ref());
    apps.into_iter().chain(inits).flatten()
}

/// When a pod has ended: when the last of its containers has. Where none ever ran, it is a time that stands still as
/// well, or the wait would never be over.
fn ended_at(pod: &Pod) -> Timestamp {
    let last = containers(pod)
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref())
        .filter_map(|ended| ended.finished_at.as_ref())
        .map(|time| time.0)
        .max();
    let told = || pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    let unready = || {
        let conditions = pod.status.as_ref()?.conditions.as_ref()?;
        let ready = conditions
            .iter()
            .find(|found| found.type_ == "Ready" && found.status == "False")?;
        ready.last_transition_time.as_ref().map(|time| time.0)
    };
    let made = || pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    last.or_else(told)
        .or_else(unready)
        .or_else(made)
        .unwrap_or_default()
}
