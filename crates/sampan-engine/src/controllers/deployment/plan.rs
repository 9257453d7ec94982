//! One round of a deployment: from what there is to what has to be written.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet};

use super::revision::{self, DESIRED_REPLICAS, MAX_REPLICAS};
use super::rollout::{self, Set};
use super::status::{self, Step};
use super::{is_recreate, limits};

/// What has to be written, in this order: sets, status.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Replica sets to create.
    pub(super) create: Option<ReplicaSet>,
    /// Replica sets to update.
    pub(super) update: Vec<ReplicaSet>,
    /// Names of replica sets to delete.
    pub(super) delete: Vec<String>,
    /// Sizes that changed: name, from, to.
    pub(super) scaled: Vec<(String, i32, i32)>,
    /// The revision that the deployment shall carry.
    pub(super) revision: Option<String>,
    /// The status that follows.
    pub(super) status: DeploymentStatus,
    /// When to look again although nothing changes.
    pub(super) again_at: Option<Timestamp>,
}

struct Round<'a> {
    deployment: &'a Deployment,
    spec: DeploymentSpec,
    replicas: i32,
    /// All sets, from the oldest; a set made in this round stands last.
    sets: Vec<ReplicaSet>,
    dirty: Vec<bool>,
    created: bool,
    plan: Plan,
}

/// Plans one round. `sets` are the replica sets that the deployment owns; `old_pods` tells whether pods of
/// other templates still exist, which a `Recreate` waits for.
pub(super) fn plan(
    deployment: &Deployment,
    mut sets: Vec<ReplicaSet>,
    old_pods: impl FnOnce(Option<&ReplicaSet>) -> bool,
    now: Timestamp,
) -> Plan {
    sets.sort_by_key(|set| {
        (
            set.metadata.creation_timestamp.clone(),
            set.metadata.name.clone(),
        )
    });
    let spec = deployment.spec.clone().unwrap_or_default();
    let mut round = Round {
        replicas: spec.replicas.unwrap_or(1),
        dirty: vec![false; sets.len()],
        deployment,
        spec,
        sets,
        created: false,
        plan: Plan::default(),
    };
    round.run(old_pods);
    round.finish(now)
}

impl Round<'_> {
    fn run(&mut self, old_pods: impl FnOnce(Option<&ReplicaSet>) -> bool) {
        if self.deployment.metadata.deletion_timestamp.is_some() {
            return;
        }
        if self.spec.paused == Some(true) || self.is_scaling() {
            self.scale();
        } else if is_recreate(&self.spec) {
            self.recreate(old_pods);
        } else {
            self.ensure_new();
            self.apply(|sets, replicas, limits| {
                if let Some(limits) = limits {
                    rollout::roll(sets, replicas, limits);
                }
            });
        }
        self.sync_revision();
        self.clean_up();
    }

    fn new_index(&self) -> Option<usize> {
        revision::find_new(self.deployment, &self.sets)
    }

    fn is_scaling(&self) -> bool {
        self.sets.iter().any(|set| {
            size(set) > 0
                && revision::count(&set.metadata, DESIRED_REPLICAS)
                    .is_some_and(|desired| desired != self.replicas)
        })
    }

    fn scale(&mut self) {
        let recreate = is_recreate(&self.spec);
        self.apply(|sets, replicas, limits| {
            rollout::scale(
                sets,
                replicas,
                limits.filter(|_| !recreate).map(|l| l.surge),
            );
        });
        // Sets that kept their size have been scaled for the wanted size, too.
        for index in 0..self.sets.len() {
            if size(&self.sets[index]) > 0 {
                self.mark_size(index);
            }
        }
    }

    fn recreate(&mut self, old_pods: impl FnOnce(Option<&ReplicaSet>) -> bool) {
        let new = self.new_index();
        let old: Vec<usize> = (0..self.sets.len())
            .filter(|i| Some(*i) != new && size(&self.sets[*i]) > 0)
            .collect();
        if !old.is_empty() {
            for index in old {
                self.resize(index, 0);
            }
        } else if !old_pods(new.map(|i| &self.sets[i])) {
            let new = self.ensure_new();
            self.resize(new, self.replicas);
        }
    }

    /// Finds or makes the set with the current template and gives it the newest revision.
    fn ensure_new(&mut self) -> usize {
        let new = self.new_index();
        let newest_old = (0..self.sets.len())
            .filter(|i| Some(*i) != new)
            .map(|i| revision::number(&self.sets[i].metadata))
            .max()
            .unwrap_or(0);
        if let Some(index) = new {
            self.dirty[index] |=
                revision::promote(self.deployment, &mut self.sets[index], newest_old + 1);
            return index;
        }
        self.sets
            .push(revision::build(self.deployment, newest_old + 1));
        self.dirty.push(true);
        self.created = true;
        self.sets.len() - 1
    }

    fn apply(
        &mut self,
        arithmetic: impl FnOnce(&mut [Set], i32, Option<crate::controllers::proportion::Limits>),
    ) {
        let new = self.new_index();
        let mut numbers: Vec<Set> = self
            .sets
            .iter()
            .enumerate()
            .map(|(index, set)| Set {
                replicas: size(set),
                available: set
                    .status
                    .as_ref()
                    .and_then(|s| s.available_replicas)
                    .unwrap_or(0),
                new: Some(index) == new,
                max_before: revision::count(&set.metadata, MAX_REPLICAS),
            })
            .collect();
        arithmetic(
            &mut numbers,
            self.replicas,
            limits(&self.spec, self.replicas),
        );
        for (index, number) in numbers.iter().enumerate() {
            self.resize(index, number.replicas);
        }
    }

    fn resize(&mut self, index: usize, replicas: i32) {
        let from = size(&self.sets[index]);
        if from != replicas {
            if let Some(spec) = self.sets[index].spec.as_mut() {
                spec.replicas = Some(replicas);
            }
            self.dirty[index] = true;
            let name = self.sets[index].metadata.name.clone().unwrap_or_default();
            self.plan.scaled.push((name, from, replicas));
        }
        if from != replicas || replicas > 0 {
            self.mark_size(index);
        }
    }

    fn mark_size(&mut self, index: usize) {
        let surge = limits(&self.spec, self.replicas).map_or(0, |limits| limits.surge);
        let meta = &mut self.sets[index].metadata;
        let desired = revision::annotate(meta, DESIRED_REPLICAS, &self.replicas.to_string());
        let max = revision::annotate(meta, MAX_REPLICAS, &(self.replicas + surge).to_string());
        self.dirty[index] |= desired || max;
    }

    fn sync_revision(&mut self) {
        let Some(new) = self.new_index() else { return };
        let number = revision::number(&self.sets[new].metadata);
        if number > 0 && number != revision::number(&self.deployment.metadata) {
            self.plan.revision = Some(number.to_string());
        }
    }

    fn clean_up(&mut self) {
        let complete = self
            .deployment
            .status
            .as_ref()
            .is_some_and(|status| status::is_complete(&self.spec, status));
        if !complete && self.spec.paused != Some(true) {
            return;
        }
        let limit = self.spec.revision_history_limit.unwrap_or(10);
        for index in revision::beyond_history(&self.sets, self.new_index(), limit) {
            self.dirty[index] = false;
            self.plan
                .delete
                .extend(self.sets[index].metadata.name.clone());
        }
    }

    fn finish(mut self, now: Timestamp) -> Plan {
        let new = self.new_index();
        let step = match (self.created, new) {
            (true, _) => Step::Created,
            (false, Some(_)) => Step::Found,
            (false, None) => Step::Missing,
        };
        self.plan.status = status::compute(self.deployment, &self.sets, new, step, now);
        self.plan.again_at = status::next_deadline(&self.spec, &self.plan.status);
        if self.created {
            self.plan.create = self.sets.pop();
        }
        self.plan.update = self
            .sets
            .into_iter()
            .zip(self.dirty)
            .filter_map(|(set, dirty)| dirty.then_some(set))
            .collect();
        self.plan
    }
}

fn size(set: &ReplicaSet) -> i32 {
    set.spec
        .as_ref()
        .and_then(|spec| spec.replicas)
        .unwrap_or(1)
}
