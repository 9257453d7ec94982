//! Daemon sets: one pod on each node that fits, which here is one at most.

mod plan;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{Node, Pod, Toleration};
use sampan_supervise::clock;

use super::affinity;
use super::context::Context;
use super::ownership::Owner;
use super::pods;
use super::queue::Key;
use super::revisions::{self, POD_REVISION, Subject, Synced};
use super::runner::Reconciler;
use super::selector::owned_by;
use crate::error::Error;
use crate::objects::{Change, DeleteOptions};
use plan::{Plan, Situation};

const SOURCE: &str = "daemonset-controller";

/// Taints of a node that its daemons live with.
const TOLERATED: &[(&str, &str)] = &[
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// The controller.
pub(crate) struct DaemonSets(pub(crate) Context);

impl Reconciler for DaemonSets {
    const NAME: &'static str = SOURCE;

    fn concerned(&self, change: &Change) -> Vec<Key> {
        if change.kind == "Node" {
            // It may fit others now.
            return vec![Key::new("", "")];
        }
        change.keys_of("DaemonSet", &["Pod", "ControllerRevision"])
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        super::keys_of_all::<DaemonSet>(&self.0.objects).await
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        if !key.name.is_empty() {
            return self.reconcile_one(key).await;
        }
        let mut again_at: Option<Timestamp> = None;
        for key in self.all().await? {
            let at = self.reconcile_one(&key).await?;
            again_at = again_at.into_iter().chain(at).min();
        }
        Ok(again_at)
    }
}

impl DaemonSets {
    async fn reconcile_one(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects.get::<DaemonSet>(key.namespace(), &key.name).await?;
        let Some(mut set) = found else {
            return Ok(None);
        };
        let spec = set.spec.clone().unwrap_or_default();
        let owner = Owner {
            api_version: "apps/v1",
            kind: "DaemonSet",
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
        let node = objects.get::<Node>(None, &self.0.node.name).await?;
        let situation = Situation {
            wanted: node.is_some_and(|node| fits(&spec, &node)),
            hash: hash(&set, &history.present),
            now: clock::now(),
        };
        let plan = plan::plan(&set, &pods, &situation);
        let outcome = self.carry_out(&set, &plan, &situation).await;
        if set.status.as_ref() != Some(&plan.status) {
            set.status = Some(plan.status);
            set = objects.update_status(&set).await?;
        }
        outcome?;
        let is_used = |name: &str| {
            pods.iter()
                .any(|pod| plan::hash_of(pod) == hash(&set, name))
        };
        revisions::prune(objects, &subject(&set, &spec), history, is_used).await?;
        Ok(plan.again_at)
    }

    /// Another template has the same hash: the next round names its revision otherwise.
    async fn collided(&self, mut set: DaemonSet, name: &str) -> Result<Option<Timestamp>, Error> {
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
        set: &DaemonSet,
        plan: &Plan,
        situation: &Situation<'_>,
    ) -> Result<(), Error> {
        let objects = &self.0.objects;
        for (reason, message) in &plan.warnings {
            self.0.warning(SOURCE, set, reason, message.clone());
        }
        for name in &plan.delete {
            let namespace = set.metadata.namespace.as_deref();
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
        if !plan.create {
            return Ok(());
        }
        match objects.create(&pod(set, situation.hash)).await {
            Ok(pod) => {
                let name = pod.metadata.name.as_deref().unwrap_or_default();
                let message = format!("Created pod: {name}");
                self.0.normal(SOURCE, set, "SuccessfulCreate", message);
                Ok(())
            }
            Err(error) => {
                let message = format!("Error creating: {error}");
                self.0.warning(SOURCE, set, "FailedCreate", message);
                Err(error)
            }
        }
    }
}

/// Whose history the revisions of a set are.
fn subject<'a>(set: &'a DaemonSet, spec: &'a DaemonSetSpec) -> Subject<'a> {
    let status = set.status.as_ref();
    Subject {
        kind: "DaemonSet",
        meta: &set.metadata,
        template: &spec.template,
        collisions: status.and_then(|status| status.collision_count),
        limit: spec.revision_history_limit,
        hash_label: POD_REVISION,
    }
}

/// The hash in the name of a revision, which is what pods carry.
fn hash<'a>(set: &DaemonSet, revision: &'a str) -> &'a str {
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let rest = revision.strip_prefix(name);
    rest.and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(revision)
}

/// Whether the pods of a set may be on a node.
fn fits(spec: &DaemonSetSpec, node: &Node) -> bool {
    let wanted = spec.template.spec.clone().unwrap_or_default();
    let named = wanted.node_name.as_deref().unwrap_or_default();
    affinity::accepts(&wanted, node)
        && (named.is_empty() || Some(named) == node.metadata.name.as_deref())
}

/// A new pod of a set.
fn pod(set: &DaemonSet, hash: &str) -> Pod {
    let template = set.spec.as_ref().map(|spec| spec.template.clone());
    let owner = owned_by("apps/v1", "DaemonSet", &set.metadata);
    let namespace = set.metadata.namespace.as_deref();
    let mut pod = pods::from_template(&template.unwrap_or_default(), namespace, owner);
    let name = set.metadata.name.as_deref().unwrap_or_default();
    pod.metadata.generate_name = Some(format!("{name}-"));
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(POD_REVISION.to_owned(), hash.to_owned());
    let spec = pod.spec.get_or_insert_default();
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in TOLERATED {
        let toleration = Toleration {
            key: Some((*key).to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some((*effect).to_owned()),
            ..Toleration::default()
        };
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
    pod
}
