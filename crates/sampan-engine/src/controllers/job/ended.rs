//! Which pods of a job have ended, and which of these are counted already.

use k8s_openapi::api::core::v1::Pod;

use crate::controllers::pods;

/// Marks a pod as counted.
pub(super) const COUNTED: &str = "batch.sampan.dev/counted";

/// A pod that was told to end and has not done so yet.
pub(super) fn is_ending(pod: &Pod) -> bool {
    pods::is_terminating(pod) && !pods::is_terminal(pod)
}

/// Whether a pod counts as a failure: who is told to end will not reach its own end any more.
pub(super) fn has_failed(pod: &Pod) -> bool {
    pods::phase(pod) == "Failed" || is_ending(pod)
}

pub(super) fn has_succeeded(pod: &Pod) -> bool {
    pods::phase(pod) == "Succeeded"
}

/// The identities of the pods that have ended in some way and are not marked as counted, in order.
pub(super) fn uncounted(owned: &[Pod], how: impl Fn(&Pod) -> bool) -> Vec<String> {
    let ended = owned.iter().filter(|pod| how(pod) && !is_marked(pod));
    let mut uids: Vec<String> = ended.filter_map(|pod| pod.metadata.uid.clone()).collect();
    uids.sort_unstable();
    uids
}

/// The names of pods that have ended and do not bear the mark, so many at most.
pub(super) fn unmarked(owned: &[Pod], most: usize) -> Vec<String> {
    let ended = owned.iter().filter(|pod| pods::is_terminal(pod));
    let unmarked = ended.filter(|pod| !is_marked(pod)).take(most);
    unmarked
        .filter_map(|pod| pod.metadata.name.clone())
        .collect()
}

fn is_marked(pod: &Pod) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| annotations.contains_key(COUNTED))
}
