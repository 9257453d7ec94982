//! Disruption budgets: how many pods may be taken away at the moment.

mod budget;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use sampan_supervise::clock;

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use super::{pods, selector};
use crate::error::Error;
use crate::objects::{Change, Objects};
pub(crate) use budget::Balance;

/// The controller.
pub(crate) struct Disruptions(pub(crate) Context);

impl Reconciler for Disruptions {
    const NAME: &'static str = "disruption-controller";

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match change.kind {
            "PodDisruptionBudget" => vec![change.key()],
            // Whose pods they are is found out by looking at all budgets of the namespace.
            "Pod" | "ReplicaSet" | "StatefulSet" => {
                vec![Key::new(change.namespace.clone().unwrap_or_default(), "")]
            }
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<PodDisruptionBudget>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let mut budgets = objects.list::<PodDisruptionBudget>(key.namespace()).await?;
        budgets.retain(|budget| {
            key.name.is_empty() || budget.metadata.name.as_ref() == Some(&key.name)
        });
        for mut budget in budgets {
            let balance = balance(objects, &budget).await?;
            let status = balance.status(&budget, clock::now());
            if budget.status.as_ref() != Some(&status) {
                budget.status = Some(status);
                objects.update_status(&budget).await?;
            }
        }
        Ok(None)
    }
}

/// The budgets that protect a pod.
pub(crate) async fn protecting(
    objects: &Objects,
    pod: &Pod,
) -> Result<Vec<PodDisruptionBudget>, Error> {
    let namespace = pod.metadata.namespace.as_deref();
    let mut budgets = objects.list::<PodDisruptionBudget>(namespace).await?;
    budgets.retain(|budget| protects(budget, pod));
    Ok(budgets)
}

fn protects(budget: &PodDisruptionBudget, pod: &Pod) -> bool {
    let wanted = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    wanted.is_some_and(|wanted| selector::matches(wanted, pod.metadata.labels.as_ref()))
}

/// How many pods a budget has, and how many it needs.
pub(crate) async fn balance(
    objects: &Objects,
    budget: &PodDisruptionBudget,
) -> Result<Balance, Error> {
    let namespace = budget.metadata.namespace.as_deref();
    let mut covered = objects.list::<Pod>(namespace).await?;
    covered.retain(|pod| protects(budget, pod) && !pods::is_terminal(pod));
    let healthy = covered
        .iter()
        .filter(|pod| pods::is_ready(pod) && !pods::is_terminating(pod))
        .count();
    let expected = if budget::counts_pods(budget) {
        covered.len()
    } else {
        wanted(objects, namespace, &covered).await?
    };
    Ok(Balance::of(budget, expected, healthy))
}

/// How many pods the owners of some pods want together; pods without one count themselves.
async fn wanted(
    objects: &Objects,
    namespace: Option<&str>,
    covered: &[Pod],
) -> Result<usize, Error> {
    let mut seen: Vec<&str> = Vec::new();
    let mut sum = 0;
    for pod in covered {
        let Some(owner) = selector::controller(&pod.metadata) else {
            sum += 1;
            continue;
        };
        if seen.contains(&owner.uid.as_str()) {
            continue;
        }
        let replicas = match owner.kind.as_str() {
            "ReplicaSet" => {
                let set = objects.get::<ReplicaSet>(namespace, &owner.name).await?;
                set.and_then(|set| set.spec?.replicas)
            }
            "StatefulSet" => {
                let set = objects.get::<StatefulSet>(namespace, &owner.name).await?;
                set.and_then(|set| set.spec?.replicas)
            }
            _ => None,
        };
        match replicas.and_then(|replicas| usize::try_from(replicas).ok()) {
            Some(replicas) => {
                seen.push(&owner.uid);
                sum += replicas;
            }
            None => sum += 1,
        }
    }
    Ok(sum)
}
