//! Controllers: they turn what users want (deployments, services, claims…) into pods, addresses and folders.
//!
//! Each controller is level-triggered: a change of an object only says *which* key to look at; what is to be
//! done is computed from what there is now, by a pure function (`plan`), and carried out by a thin layer
//! around it. So a lost change, a crash in the middle and a restart all end in the same state.

pub(crate) mod affinity;
pub(crate) mod autoscaler;
pub(crate) mod claims;
pub(crate) mod context;
pub(crate) mod cronjob;
pub(crate) mod daemonset;
pub(crate) mod definitions;
pub(crate) mod deployment;
pub(crate) mod disruption;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod hash;
pub(crate) mod ingress;
pub(crate) mod job;
pub(crate) mod node;
pub(crate) mod ownership;
pub(crate) mod pods;
pub(crate) mod proportion;
pub(crate) mod queue;
pub(crate) mod replicaset;
pub(crate) mod revisions;
pub(crate) mod routes;
pub(crate) mod runner;
pub(crate) mod scheduler;
pub(crate) mod selector;
pub(crate) mod statefulset;

use self::context::Context;
use self::queue::Key;
use crate::error::Error;
use crate::objects::{Change, Object, Objects};
use sampan_supervise::{Shutdown, Tasks};

/// Starts all controllers; they end with the shutdown.
pub(crate) fn start(context: &Context, tasks: &Tasks, shutdown: &Shutdown) {
    let objects = || context.objects.clone();
    let signal = || shutdown.clone();
    let deployments = deployment::Deployments(context.clone());
    tasks.spawn("deployments", runner::run(deployments, objects(), signal()));
    let sets = replicaset::ReplicaSets(context.clone());
    tasks.spawn("replicasets", runner::run(sets, objects(), signal()));
    let stateful = statefulset::StatefulSets(context.clone());
    tasks.spawn("statefulsets", runner::run(stateful, objects(), signal()));
    let daemons = daemonset::DaemonSets(context.clone());
    tasks.spawn("daemonsets", runner::run(daemons, objects(), signal()));
    let budgets = disruption::Disruptions(context.clone());
    tasks.spawn("disruptions", runner::run(budgets, objects(), signal()));
    let definitions = definitions::Definitions(context.clone());
    tasks.spawn("definitions", runner::run(definitions, objects(), signal()));
    let jobs = job::Jobs(context.clone());
    tasks.spawn("jobs", runner::run(jobs, objects(), signal()));
    let crons = cronjob::CronJobs(context.clone());
    tasks.spawn("cronjobs", runner::run(crons, objects(), signal()));
    let endpoints = endpoints::ServiceEndpoints(context.clone());
    tasks.spawn("endpoints", runner::run(endpoints, objects(), signal()));
    let claims = claims::Claims(context.clone());
    tasks.spawn("claims", runner::run(claims, objects(), signal()));
    let ways_in = ingress::WaysIn(context.clone());
    tasks.spawn("ingresses", runner::run(ways_in, objects(), signal()));
    let scheduler = scheduler::Scheduler(context.clone());
    tasks.spawn("scheduler", runner::run(scheduler, objects(), signal()));
}

impl Change {
    /// The keys that a change means to the controller of a kind: the object itself, or the owner of one of
    /// the kinds that it manages.
    pub(crate) fn keys_of(&self, kind: &str, managed: &[&str]) -> Vec<Key> {
        if self.kind == kind {
            return vec![self.key()];
        }
        match &self.owner {
            Some((owner, name)) if owner == kind && managed.contains(&self.kind) => {
                vec![Key::new(self.namespace.clone().unwrap_or_default(), name)]
            }
            _ => Vec::new(),
        }
    }

    /// The key of the changed object.
    pub(crate) fn key(&self) -> Key {
        Key::new(self.namespace.clone().unwrap_or_default(), &self.name)
    }
}

/// The keys of all objects of a kind.
async fn keys_of_all<K: Object>(objects: &Objects) -> Result<Vec<Key>, Error> {
    let all = objects.list::<K>(None).await?;
    Ok(all.iter().map(key_of).collect())
}

/// The key of an object.
pub(crate) fn key_of<K: Object>(object: &K) -> Key {
    let meta = object.metadata();
    Key::new(
        meta.namespace.clone().unwrap_or_default(),
        meta.name.clone().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
