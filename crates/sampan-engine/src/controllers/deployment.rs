//! Deployments: a replica set for each pod template, and the way from one to the next.

mod plan;
mod revision;
mod rollout;
mod status;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use sampan_supervise::clock;

use super::context::Context;
use super::ownership::Owner;
use super::proportion::Limits;
use super::queue::Key;
use super::runner::Reconciler;
use super::{pods, selector};
use crate::error::Error;
use crate::objects::{Change, DeleteOptions};
use plan::Plan;

const SOURCE: &str = "deployment-controller";

/// Whether all old pods have to be gone before new ones are made.
fn is_recreate(spec: &DeploymentSpec) -> bool {
    spec.strategy
        .as_ref()
        .and_then(|strategy| strategy.type_.as_deref())
        == Some("Recreate")
}

/// The limits of a rolling update, `None` for other strategies.
fn limits(spec: &DeploymentSpec, replicas: i32) -> Option<Limits> {
    if is_recreate(spec) {
        return None;
    }
    let rolling = spec
        .strategy
        .as_ref()
        .and_then(|strategy| strategy.rolling_update.as_ref());
    Some(Limits::resolve(
        rolling.and_then(|rolling| rolling.max_surge.as_ref()),
        rolling.and_then(|rolling| rolling.max_unavailable.as_ref()),
        replicas,
    ))
}

/// The controller.
pub(crate) struct Deployments(pub(crate) Context);

impl Reconciler for Deployments {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match (&change.owner, change.kind) {
            // A `Recreate` waits for the last old pod; its set carries the deployment's name and a hash.
            (Some((kind, set)), "Pod") if kind == "ReplicaSet" && change.deleted => {
                let namespace = change.namespace.clone().unwrap_or_default();
                let name = set
                    .rsplit_once('-')
                    .map(|(name, _)| Key::new(namespace, name));
                name.into_iter().collect()
            }
            _ => change.keys_of("Deployment", &["ReplicaSet"]),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<Deployment>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects
            .get::<Deployment>(key.namespace(), &key.name)
            .await?;
        let Some(deployment) = found else {
            return Ok(None);
        };
        let spec = deployment.spec.clone().unwrap_or_default();
        let owner = Owner {
            api_version: "apps/v1",
            kind: "Deployment",
            meta: &deployment.metadata,
            selector: &spec.selector,
        };
        let sets: Vec<ReplicaSet> = owner.claim(objects).await?;
        let all_pods: Vec<Pod> = if is_recreate(&spec) {
            objects.list(key.namespace()).await?
        } else {
            Vec::new()
        };
        let old_pods = |new: Option<&ReplicaSet>| {
            let old = sets
                .iter()
                .filter(|set| Some(&set.metadata.uid) != new.map(|new| &new.metadata.uid));
            let uids: Vec<&str> = old.filter_map(|set| set.metadata.uid.as_deref()).collect();
            all_pods.iter().any(|pod| {
                let is_owned = uids
                    .iter()
                    .any(|uid| selector::is_controlled_by(&pod.metadata, uid));
                is_owned && !pods::is_terminal(pod)
            })
        };
        let plan = plan::plan(&deployment, sets.clone(), old_pods, clock::now());
        let again_at = plan.again_at;
        Box::pin(self.carry_out(deployment, plan)).await?;
        Ok(again_at)
    }
}

impl Deployments {
    async fn carry_out(&self, mut deployment: Deployment, mut plan: Plan) -> Result<(), Error> {
        let objects = &self.0.objects;
        let namespace = deployment.metadata.namespace.clone();
        if let Some(set) = &plan.create {
            match objects.create(set).await {
                Err(error) if error.is_already_exists() => {
                    return self.collided(deployment, set).await;
                }
                Err(error) => {
                    let name = set.metadata.name.as_deref().unwrap_or_default();
                    let message = format!("Failed to create new replica set \"{name}\": {error}");
                    self.0
                        .warning(SOURCE, &deployment, "ReplicaSetCreateError", message);
                    return Err(error);
                }
                Ok(_) => {}
            }
        }
        for set in &plan.update {
            objects.update(set).await?;
        }
        for (name, from, to) in &plan.scaled {
            let direction = if to > from { "up" } else { "down" };
            let message = format!("Scaled {direction} replica set {name} from {from} to {to}");
            self.0
                .normal(SOURCE, &deployment, "ScalingReplicaSet", message);
        }
        for name in &plan.delete {
            objects
                .delete::<ReplicaSet>(namespace.as_deref(), name, &DeleteOptions::default())
                .await?;
        }
        if let Some(revision) = plan.revision.take() {
            revision::annotate(&mut deployment.metadata, revision::REVISION, &revision);
            deployment = objects.update(&deployment).await?;
        }
        if deployment.status.as_ref() != Some(&plan.status) {
            deployment.status = Some(plan.status);
            objects.update_status(&deployment).await?;
        }
        Ok(())
    }

    /// Another template has the same hash: the next round makes another one.
    async fn collided(&self, mut deployment: Deployment, set: &ReplicaSet) -> Result<(), Error> {
        let status = deployment
            .status
            .get_or_insert_with(DeploymentStatus::default);
        status.collision_count = Some(status.collision_count.unwrap_or(0) + 1);
        tracing::debug!(
            name = set.metadata.name,
            "the name of a replica set is taken"
        );
        self.0.objects.update_status(&deployment).await.map(drop)
    }
}
