//! Stateful sets: pods with a stable name and stable claims, in order.

mod identity;
mod plan;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use sampan_supervise::clock;

use super::context::Context;
use super::ownership::Owner;
use super::queue::Key;
use super::revisions::{self, History, POD_REVISION, Subject, Synced};
use super::runner::Reconciler;
use crate::error::Error;
use crate::objects::{Change, DeleteOptions};
use plan::{Plan, Revisions};

const SOURCE: &str = "statefulset-controller";

/// The controller.
pub(crate) struct StatefulSets(pub(crate) Context);

impl Reconciler for StatefulSets {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        change.keys_of("StatefulSet", &["Pod", "ControllerRevision"])
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<StatefulSet>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects
            .get::<StatefulSet>(key.namespace(), &key.name)
            .await?;
        let Some(mut set) = found else {
            return Ok(None);
        };
        let spec = set.spec.clone().unwrap_or_default();
        let owner = Owner {
            api_version: "apps/v1",
            kind: "StatefulSet",
            meta: &set.metadata,
            selector: &spec.selector,
        };
        let pods: Vec<Pod> = owner.claim(objects).await?;
        let known: Vec<ControllerRevision> = owner.claim(objects).await?;
        let synced = revisions::sync(objects, &subject(&set, &spec), known).await?;
        let history = match synced {
            Synced::History(history) => history,
            Synced::NameTaken(name) => return self.collided(set, &name).await,
        };
        let names = names(&set, &history);
        let plan = plan::plan(&set, &pods, &names, clock::now());
        let outcome = self.carry_out(&set, &plan, &history).await;
        if set.status.as_ref() != Some(&plan.status) {
            set.status = Some(plan.status);
            set = objects.update_status(&set).await?;
        }
        outcome?;
        let status = set.status.clone().unwrap_or_default();
        let is_used = |name: &str| {
            Some(name) == status.current_revision.as_deref()
                || Some(name) == status.update_revision.as_deref()
                || pods.iter().any(|pod| {
                    let labels = pod.metadata.labels.as_ref();
                    labels
                        .and_then(|labels| labels.get(POD_REVISION))
                        .is_some_and(|own| own == name)
                })
        };
        revisions::prune(objects, &subject(&set, &spec), history, is_used).await?;
        Ok(plan.again_at)
    }
}

impl StatefulSets {
    /// Another template has the same hash: the next round names its revision otherwise.
    async fn collided(&self, mut set: StatefulSet, name: &str) -> Result<Option<Timestamp>, Error> {
        self.0.warning(
            SOURCE,
            &set,
            revisions::COLLISION,
            revisions::collision(name),
        );
        let status = set.status.get_or_insert_default();
        status.collision_count = Some(status.collision_count.unwrap_or(0) + 1);
        self.0.objects.update_status(&set).await?;
        Ok(None)
    }

    async fn carry_out(
        &self,
        set: &StatefulSet,
        plan: &Plan,
        history: &History,
    ) -> Result<(), Error> {
        let namespace = set.metadata.namespace.as_deref();
        let set_name = set.metadata.name.as_deref().unwrap_or_default();
        for ordinal in &plan.pending {
            self.ensure_claims(set, *ordinal).await?;
        }
        for (ordinal, revision) in &plan.create {
            self.ensure_claims(set, *ordinal).await?;
            let template = history
                .template(revision)
                .unwrap_or_else(|| present_template(set));
            let pod = identity::pod(set, *ordinal, revision, &template);
            let name = pod.metadata.name.clone().unwrap_or_default();
            match self.0.objects.create(&pod).await {
                Ok(_) => {
                    let message = format!("create Pod {name} in StatefulSet {set_name} successful");
                    self.0.normal(SOURCE, set, "SuccessfulCreate", message);
                }
                Err(error) => {
                    let message = format!(
                        "create Pod {name} in StatefulSet {set_name} failed error: {error}"
                    );
                    self.0.warning(SOURCE, set, "FailedCreate", message);
                    return Err(error);
                }
            }
        }
        for name in &plan.delete {
            match self
                .0
                .objects
                .delete::<Pod>(namespace, name, &DeleteOptions::default())
                .await
            {
                Ok(()) => {
                    let message = format!("delete Pod {name} in StatefulSet {set_name} successful");
                    self.0.normal(SOURCE, set, "SuccessfulDelete", message);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn ensure_claims(&self, set: &StatefulSet, ordinal: i32) -> Result<(), Error> {
        let objects = &self.0.objects;
        for claim in identity::claims(set, ordinal) {
            let name = claim.metadata.name.clone().unwrap_or_default();
            let namespace = claim.metadata.namespace.as_deref();
            if objects
                .get::<PersistentVolumeClaim>(namespace, &name)
                .await?
                .is_none()
            {
                objects.create(&claim).await?;
                let pod = format!(
                    "{}-{ordinal}",
                    set.metadata.name.as_deref().unwrap_or_default()
                );
                let message = format!("create Claim {name} Pod {pod} in StatefulSet success");
                self.0.normal(SOURCE, set, "SuccessfulCreate", message);
            }
        }
        Ok(())
    }
}

/// Whose history the revisions of a set are.
fn subject<'a>(set: &'a StatefulSet, spec: &'a StatefulSetSpec) -> Subject<'a> {
    let status = set.status.as_ref();
    Subject {
        kind: "StatefulSet",
        meta: &set.metadata,
        template: &spec.template,
        collisions: status.and_then(|status| status.collision_count),
        limit: spec.revision_history_limit,
        hash_label: "controller.kubernetes.io/hash",
    }
}

/// The two revisions that matter.
fn names(set: &StatefulSet, history: &History) -> Revisions {
    let status = set.status.as_ref();
    let current = status.and_then(|status| status.current_revision.clone());
    Revisions {
        current: current
            .filter(|name| history.has(name))
            .unwrap_or_else(|| history.present.clone()),
        update: history.present.clone(),
    }
}

fn present_template(set: &StatefulSet) -> PodTemplateSpec {
    set.spec
        .as_ref()
        .map(|spec| spec.template.clone())
        .unwrap_or_default()
}
