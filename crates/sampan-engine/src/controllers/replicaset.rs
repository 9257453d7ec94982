//! Replica sets: so many pods of one template.

mod plan;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetSpec};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sampan_supervise::clock;

use super::context::Context;
use super::ownership::Owner;
use super::pods as kinds;
use super::queue::Key;
use super::runner::Reconciler;
use super::selector::owned_by;
use crate::error::Error;
use crate::objects::{Change, DeleteOptions};
use plan::Plan;

const SOURCE: &str = "replicaset-controller";
const FAILURE: &str = "ReplicaFailure";

/// The controller.
pub(crate) struct ReplicaSets(pub(crate) Context);

impl Reconciler for ReplicaSets {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        change.keys_of("ReplicaSet", &["Pod"])
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<ReplicaSet>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects
            .get::<ReplicaSet>(key.namespace(), &key.name)
            .await?;
        let Some(mut set) = found else {
            return Ok(None);
        };
        let spec = set.spec.clone().unwrap_or_default();
        let owner = Owner {
            api_version: "apps/v1",
            kind: "ReplicaSet",
            meta: &set.metadata,
            selector: &spec.selector,
        };
        let pods: Vec<Pod> = owner.claim(objects).await?;
        let mut plan = plan::plan(&set, &pods, clock::now());
        let outcome = self.carry_out(&set, &spec, &plan).await;
        note_failure(&mut plan, outcome.as_ref().err());
        if set.status.as_ref() != Some(&plan.status) {
            set.status = Some(plan.status);
            objects.update_status(&set).await?;
        }
        outcome?;
        Ok(plan.again_at)
    }
}

impl ReplicaSets {
    async fn carry_out(
        &self,
        set: &ReplicaSet,
        spec: &ReplicaSetSpec,
        plan: &Plan,
    ) -> Result<(), Error> {
        let objects = &self.0.objects;
        let namespace = set.metadata.namespace.as_deref();
        let name = set.metadata.name.as_deref().unwrap_or_default();
        let template = spec.template.clone().unwrap_or_default();
        for _ in 0..plan.create {
            let owner = owned_by("apps/v1", "ReplicaSet", &set.metadata);
            let mut pod = kinds::from_template(&template, namespace, owner);
            pod.metadata.generate_name = Some(format!("{name}-"));
            match objects.create(&pod).await {
                Ok(pod) => {
                    let name = pod.metadata.name.as_deref().unwrap_or_default();
                    let message = format!("Created pod: {name}");
                    self.0.normal(SOURCE, set, "SuccessfulCreate", message);
                }
                Err(error) => {
                    let message = format!("Error creating: {error}");
                    self.0.warning(SOURCE, set, "FailedCreate", message);
                    return Err(error);
                }
            }
        }
        for name in &plan.delete {
            match objects
                .delete::<Pod>(namespace, name, &DeleteOptions::default())
                .await
            {
                Ok(()) => {
                    let message = format!("Deleted pod: {name}");
                    self.0.normal(SOURCE, set, "SuccessfulDelete", message);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Tells in the status that pods cannot be made.
fn note_failure(plan: &mut Plan, error: Option<&Error>) {
    let conditions = plan.status.conditions.get_or_insert_default();
    match error.filter(|error| !error.is_conflict()) {
        None => conditions.retain(|condition| condition.type_ != FAILURE),
        Some(_)
            if conditions
                .iter()
                .any(|condition| condition.type_ == FAILURE) => {}
        Some(error) => conditions.push(ReplicaSetCondition {
            type_: FAILURE.to_owned(),
            status: "True".to_owned(),
            reason: Some("FailedCreate".to_owned()),
            message: Some(error.to_string()),
            last_transition_time: Some(Time(clock::now())),
        }),
    }
    plan.status.conditions = plan
        .status
        .conditions
        .take()
        .filter(|list| !list.is_empty());
}
