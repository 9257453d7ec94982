//! The history of a stateful set's template, kept as controller revisions.

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::{Value, json};

use super::identity::REVISION_LABEL;
use super::plan::Revisions;
use crate::controllers::hash;
use crate::controllers::selector::owned_by;
use crate::error::Error;
use crate::objects::{DeleteOptions, Objects};

/// All revisions of a set, the oldest first, and which two matter.
#[derive(Debug)]
pub(super) struct History {
    revisions: Vec<ControllerRevision>,
    /// The current and the update revision.
    pub(super) names: Revisions,
}

impl History {
    /// The template that a revision stands for.
    pub(super) fn template(&self, name: &str) -> Option<PodTemplateSpec> {
        let revision = self
            .revisions
            .iter()
            .find(|r| r.metadata.name.as_deref() == Some(name))?;
        let mut template = revision.data.as_ref()?.0.pointer("/spec/template")?.clone();
        template.as_object_mut()?.remove("$patch");
        serde_json::from_value(template).ok()
    }
}

/// The patch that makes a set have this template, which is what a revision holds.
fn data(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    if let Some(fields) = template.as_object_mut() {
        fields.insert("$patch".to_owned(), json!("replace"));
    }
    json!({"spec": {"template": template}})
}

/// Sees to it that the present template has a revision with the highest number.
pub(super) async fn sync(
    objects: &Objects,
    set: &StatefulSet,
    mut revisions: Vec<ControllerRevision>,
) -> Result<History, Error> {
    revisions.sort_by_key(|revision| (revision.revision, revision.metadata.name.clone()));
    let template = super::present_template(set);
    let wanted = data(&template);
    let highest = revisions.last().map_or(0, |revision| revision.revision);
    let equal = revisions
        .iter()
        .position(|revision| revision.data.as_ref().is_some_and(|data| data.0 == wanted));
    let update = match equal {
        Some(index) if revisions[index].revision == highest => revisions[index].clone(),
        Some(index) => {
            // An earlier template came back: it becomes the newest revision.
            let mut revision = revisions.remove(index);
            revision.revision = highest + 1;
            let revision = objects.update(&revision).await?;
            revisions.push(revision.clone());
            revision
        }
        None => {
            let revision = build(set, &template, wanted, highest + 1);
            let revision = objects.create(&revision).await?;
            revisions.push(revision.clone());
            revision
        }
    };
    let update = update.metadata.name.unwrap_or_default();
    let current = set
        .status
        .as_ref()
        .and_then(|status| status.current_revision.clone())
        .filter(|name| {
            revisions
                .iter()
                .any(|r| r.metadata.name.as_ref() == Some(name))
        })
        .unwrap_or_else(|| update.clone());
    Ok(History {
        revisions,
        names: Revisions { current, update },
    })
}

fn build(
    set: &StatefulSet,
    template: &PodTemplateSpec,
    data: Value,
    number: i64,
) -> ControllerRevision {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let collisions = set
        .status
        .as_ref()
        .and_then(|status| status.collision_count);
    let hash = hash::of_template(template, collisions);
    let mut labels = template
        .metadata
        .as_ref()
        .and_then(|meta| meta.labels.clone())
        .unwrap_or_default();
    labels.insert("controller.kubernetes.io/hash".to_owned(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{name}-{hash}")),
            namespace: set.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: set.metadata.annotations.clone().map(|mut annotations| {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
                annotations
            }),
            owner_references: Some(vec![owned_by("apps/v1", "StatefulSet", &set.metadata)]),
            ..ObjectMeta::default()
        },
        data: Some(RawExtension(data)),
        revision: number,
    }
}

/// Removes revisions that nothing uses, beyond the history limit.
pub(super) async fn prune(
    objects: &Objects,
    set: &StatefulSet,
    pods: &[Pod],
    history: History,
) -> Result<(), Error> {
    let limit = set
        .spec
        .as_ref()
        .and_then(|spec| spec.revision_history_limit)
        .unwrap_or(10);
    let status = set.status.clone().unwrap_or_default();
    let used = |name: &String| {
        Some(name) == status.current_revision.as_ref()
            || Some(name) == status.update_revision.as_ref()
            || pods.iter().any(|pod| {
                let labels = pod.metadata.labels.as_ref();
                labels.and_then(|labels| labels.get(REVISION_LABEL)) == Some(name)
            })
    };
    let unused: Vec<String> = history
        .revisions
        .into_iter()
        .filter_map(|revision| revision.metadata.name)
        .filter(|name| !used(name))
        .collect();
    let excess = unused
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for name in unused.into_iter().take(excess) {
        let namespace = set.metadata.namespace.as_deref();
        objects
            .delete::<ControllerRevision>(namespace, &name, &DeleteOptions::default())
            .await?;
    }
    Ok(())
}
