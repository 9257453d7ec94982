//! The history of a workload's template, kept as controller revisions.

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::{Value, json};

use super::hash;
use super::selector::owned_by;
use crate::error::Error;
use crate::objects::{DeleteOptions, Objects};

/// The label that tells the revision of a pod.
pub(crate) const POD_REVISION: &str = "controller-revision-hash";

/// Revisions that nothing uses are kept up to this number, unless the workload says otherwise.
const HISTORY_LIMIT: i32 = 10;

/// Whose history it is.
pub(crate) struct Subject<'a> {
    /// The workload's kind, of `apps/v1`.
    pub(crate) kind: &'static str,
    /// Its metadata.
    pub(crate) meta: &'a ObjectMeta,
    /// Its template as it is now.
    pub(crate) template: &'a PodTemplateSpec,
    /// How often names of its revisions have met others.
    pub(crate) collisions: Option<i32>,
    /// How many revisions that nothing uses are kept.
    pub(crate) limit: Option<i32>,
    /// The label that carries the hash on a revision.
    pub(crate) hash_label: &'static str,
}

/// All revisions of a workload, the oldest first.
#[derive(Debug)]
pub(crate) struct History {
    revisions: Vec<ControllerRevision>,
    /// The name of the revision of the present template.
    pub(crate) present: String,
}

impl History {
    /// Whether there is a revision of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The template that a revision stands for.
    pub(crate) fn template(&self, name: &str) -> Option<PodTemplateSpec> {
        let data = self.find(name)?.data.as_ref()?;
        let mut template = data.0.pointer("/spec/template")?.clone();
        template.as_object_mut()?.remove("$patch");
        serde_json::from_value(template).ok()
    }

    fn find(&self, name: &str) -> Option<&ControllerRevision> {
        self.revisions
            .iter()
            .find(|revision| revision.metadata.name.as_deref() == Some(name))
    }
}

/// The patch that makes a workload have this template, which is what a revision holds.
fn data(template: &PodTemplateSpec) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    if let Some(fields) = template.as_object_mut() {
        fields.insert("$patch".to_owned(), json!("replace"));
    }
    json!({"spec": {"template": template}})
}

/// What became of the revision of the present template.
#[derive(Debug)]
pub(crate) enum Synced {
    /// It is there.
    History(History),
    /// Its name belongs to a revision of somebody else, or of another template.
    NameTaken(String),
}

/// The reason of the event about a name that is taken.
pub(crate) const COLLISION: &str = "HashCollision";

/// The text of that event.
pub(crate) fn collision(name: &str) -> String {
    format!("The name {name} of the revision is taken, another one is chosen")
}

/// Sees to it that the present template has a revision with the highest number.
pub(crate) async fn sync(
    objects: &Objects,
    subject: &Subject<'_>,
    mut revisions: Vec<ControllerRevision>,
) -> Result<Synced, Error> {
    revisions.sort_by_key(|revision| (revision.revision, revision.metadata.name.clone()));
    let wanted = data(subject.template);
    let highest = revisions.last().map_or(0, |revision| revision.revision);
    let equal = revisions
        .iter()
        .position(|revision| revision.data.as_ref().is_some_and(|data| data.0 == wanted));
    let present = match equal {
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
            let revision = build(subject, wanted, highest + 1);
            let revision = match objects.create(&revision).await {
                // One of the own ones would have been found among them.
                Err(error) if error.is_already_exists() => {
                    let name = revision.metadata.name.unwrap_or_default();
                    return Ok(Synced::NameTaken(name));
                }
                created => created?,
            };
            revisions.push(revision.clone());
            revision
        }
    };
    Ok(Synced::History(History {
        revisions,
        present: present.metadata.name.unwrap_or_default(),
    }))
}

fn build(subject: &Subject<'_>, data: Value, number: i64) -> ControllerRevision {
    let meta = subject.meta;
    let name = meta.name.as_deref().unwrap_or_default();
    let hash = hash::of_template(subject.template, subject.collisions);
    let mut labels = subject
        .template
        .metadata
        .as_ref()
        .and_then(|meta| meta.labels.clone())
        .unwrap_or_default();
    labels.insert(subject.hash_label.to_owned(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{name}-{hash}")),
            namespace: meta.namespace.clone(),
            labels: Some(labels),
            annotations: meta.annotations.clone().map(|mut annotations| {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
                annotations
            }),
            owner_references: Some(vec![owned_by("apps/v1", subject.kind, meta)]),
            ..ObjectMeta::default()
        },
        data: Some(RawExtension(data)),
        revision: number,
    }
}

/// Removes revisions that nothing uses, beyond the history limit.
pub(crate) async fn prune(
    objects: &Objects,
    subject: &Subject<'_>,
    history: History,
    is_used: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let limit = subject.limit.unwrap_or(HISTORY_LIMIT);
    let present = history.present;
    let unused: Vec<String> = history
        .revisions
        .into_iter()
        .filter_map(|revision| revision.metadata.name)
        .filter(|name| *name != present && !is_used(name))
        .collect();
    let excess = unused
        .len()
        .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for name in unused.into_iter().take(excess) {
        let namespace = subject.meta.namespace.as_deref();
        objects
            .delete::<ControllerRevision>(namespace, &name, &DeleteOptions::default())
            .await?;
    }
    Ok(())
}
