//! Revisions: which replica set is the new one, and the annotations that `kubectl rollout` reads.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use crate::controllers::hash;
use crate::controllers::selector::owned_by;

/// The revision number of a deployment or replica set.
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";
/// Earlier revision numbers that one replica set had.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The deployment's size when it last scaled a replica set.
pub(super) const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
/// The same with the surge added.
pub(super) const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations that belong to the deployment alone.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];

/// The revision of an object, 0 when it has none.
pub(super) fn number(meta: &ObjectMeta) -> i64 {
    annotation(meta, REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// A whole number that an annotation holds.
pub(super) fn count(meta: &ObjectMeta, key: &str) -> Option<i32> {
    annotation(meta, key)?.parse().ok()
}

fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

/// Sets an annotation; tells whether that changed anything.
pub(super) fn annotate(meta: &mut ObjectMeta, key: &str, value: &str) -> bool {
    let annotations = meta.annotations.get_or_insert_default();
    if annotations.get(key).is_some_and(|have| have == value) {
        return false;
    }
    annotations.insert(key.to_owned(), value.to_owned());
    true
}

/// The oldest replica set whose template is the deployment's.
pub(super) fn find_new(deployment: &Deployment, sets: &[ReplicaSet]) -> Option<usize> {
    let wanted = hash::without_hash(&deployment.spec.as_ref()?.template);
    sets.iter()
        .enumerate()
        .filter(|(_, set)| template(set).is_some_and(|have| hash::without_hash(have) == wanted))
        .min_by_key(|(_, set)| {
            (
                set.metadata.creation_timestamp.clone(),
                set.metadata.name.clone(),
            )
        })
        .map(|(index, _)| index)
}

fn template(set: &ReplicaSet) -> Option<&PodTemplateSpec> {
    set.spec.as_ref()?.template.as_ref()
}

/// Builds the replica set for the deployment's template, with no pods yet.
pub(super) fn build(deployment: &Deployment, revision: i64) -> ReplicaSet {
    let spec = deployment.spec.clone().unwrap_or_default();
    let collisions = deployment
        .status
        .as_ref()
        .and_then(|status| status.collision_count);
    let hash = hash::of_template(&spec.template, collisions);
    let owner = &deployment.metadata;

    let mut template = spec.template;
    let labels = template
        .metadata
        .get_or_insert_default()
        .labels
        .get_or_insert_default();
    labels.insert(hash::TEMPLATE_HASH.to_owned(), hash.clone());
    let labels = labels.clone();
    let mut selector: LabelSelector = spec.selector;
    selector
        .match_labels
        .get_or_insert_default()
        .insert(hash::TEMPLATE_HASH.to_owned(), hash.clone());

    let mut metadata = ObjectMeta {
        name: Some(format!(
            "{}-{hash}",
            owner.name.as_deref().unwrap_or_default()
        )),
        namespace: owner.namespace.clone(),
        labels: Some(labels),
        owner_references: Some(vec![owned_by("apps/v1", "Deployment", owner)]),
        ..ObjectMeta::default()
    };
    copy_annotations(owner, &mut metadata);
    annotate(&mut metadata, REVISION, &revision.to_string());
    ReplicaSet {
        metadata,
        spec: Some(ReplicaSetSpec {
            min_ready_seconds: spec.min_ready_seconds,
            replicas: Some(0),
            selector,
            template: Some(template),
        }),
        status: None,
    }
}

/// Gives an existing replica set the newest revision and the deployment's annotations; tells whether
/// that changed anything.
pub(super) fn promote(deployment: &Deployment, set: &mut ReplicaSet, revision: i64) -> bool {
    let mut changed = copy_annotations(&deployment.metadata, &mut set.metadata);
    let old = number(&set.metadata);
    if old < revision {
        if old > 0 {
            let history = match annotation(&set.metadata, REVISION_HISTORY) {
                Some(history) if !history.is_empty() => format!("{history},{old}"),
                _ => old.to_string(),
            };
            annotate(&mut set.metadata, REVISION_HISTORY, &history);
        }
        changed |= annotate(&mut set.metadata, REVISION, &revision.to_string());
    }
    let min_ready = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.min_ready_seconds);
    if let Some(spec) = set.spec.as_mut()
        && spec.min_ready_seconds.unwrap_or(0) != min_ready.unwrap_or(0)
    {
        spec.min_ready_seconds = min_ready;
        changed = true;
    }
    changed
}

fn copy_annotations(from: &ObjectMeta, to: &mut ObjectMeta) -> bool {
    let mut changed = false;
    for (key, value) in from.annotations.iter().flatten() {
        if !NOT_COPIED.contains(&key.as_str()) {
            changed |= annotate(to, key, value);
        }
    }
    changed
}

/// Replica sets that the history limit no longer keeps: old, empty, settled; the oldest first.
pub(super) fn beyond_history(sets: &[ReplicaSet], new: Option<usize>, limit: i32) -> Vec<usize> {
    let old: BTreeMap<(i64, usize), &ReplicaSet> = sets
        .iter()
        .enumerate()
        .filter(|(index, set)| Some(*index) != new && set.metadata.deletion_timestamp.is_none())
        .map(|(index, set)| ((number(&set.metadata), index), set))
        .collect();
    let excess = old
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    old.into_iter()
        .take(excess)
        .filter(|(_, set)| {
            let status = set.status.as_ref();
            set.spec.as_ref().and_then(|spec| spec.replicas) == Some(0)
                && status.is_none_or(|status| status.replicas == 0)
                && set.metadata.generation <= status.and_then(|status| status.observed_generation)
        })
        .map(|((_, index), _)| index)
        .collect()
}
