//! Stateful sets are driven through their life, one observed round after the other.

use super::*;
use k8s_openapi::api::apps::v1::{RollingUpdateStatefulSetStrategy, StatefulSetUpdateStrategy};
use k8s_openapi::api::core::v1::{PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

/// A set and its pods; `settle` does what the kubelet would.
struct World {
    set: StatefulSet,
    pods: Vec<Pod>,
    revisions: Revisions,
    log: Vec<String>,
}

impl World {
    fn new(replicas: i32) -> Self {
        Self {
            set: StatefulSet {
                metadata: ObjectMeta {
                    name: Some("db".to_owned()),
                    ..ObjectMeta::default()
                },
                spec: Some(StatefulSetSpec {
                    replicas: Some(replicas),
                    ..StatefulSetSpec::default()
                }),
                status: None,
            },
            pods: Vec::new(),
            revisions: Revisions {
                current: "one".to_owned(),
                update: "one".to_owned(),
            },
            log: Vec::new(),
        }
    }

    fn spec(&mut self) -> &mut StatefulSetSpec {
        self.set.spec.as_mut().unwrap()
    }

    fn round(&mut self) -> bool {
        let plan = plan(
            &self.set,
            &self.pods,
            &self.revisions,
            Timestamp::UNIX_EPOCH,
        );
        for name in &plan.delete {
            self.log.push(format!("-{name}"));
            self.pods
                .retain(|pod| pod.metadata.name.as_ref() != Some(name));
        }
        for (ordinal, revision) in &plan.create {
            self.log.push(format!("+db-{ordinal}:{revision}"));
            self.pods.push(pod(*ordinal, revision));
        }
        let moved = !plan.create.is_empty() || !plan.delete.is_empty();
        let changed = self.set.status.as_ref() != Some(&plan.status);
        self.revisions.current = plan.status.current_revision.clone().unwrap();
        self.set.status = Some(plan.status);
        moved || changed
    }

    /// Runs rounds until nothing moves; pods of revisions in `healthy` become ready in between.
    fn settle(&mut self, healthy: &[&str]) -> Vec<String> {
        for _ in 0..50 {
            if !self.round() {
                break;
            }
            for pod in &mut self.pods {
                if healthy.contains(&revision_of(pod)) {
                    ready(pod);
                }
            }
        }
        std::mem::take(&mut self.log)
    }
}

fn pod(ordinal: i32, revision: &str) -> Pod {
    Pod {
        metadata: ObjectMeta {
            name: Some(format!("db-{ordinal}")),
            labels: Some([(POD_REVISION.to_owned(), revision.to_owned())].into()),
            ..ObjectMeta::default()
        },
        ..Pod::default()
    }
}

fn ready(pod: &mut Pod) {
    pod.status = Some(PodStatus {
        phase: Some("Running".to_owned()),
        conditions: Some(vec![PodCondition {
            type_: "Ready".to_owned(),
            status: "True".to_owned(),
            last_transition_time: Some(Time(Timestamp::UNIX_EPOCH)),
            ..PodCondition::default()
        }]),
        ..PodStatus::default()
    });
}

#[test]
fn pods_come_in_order_and_go_in_reverse() {
    let mut world = World::new(3);
    assert_eq!(
        world.settle(&["one"]),
        ["+db-0:one", "+db-1:one", "+db-2:one"]
    );
    world.spec().replicas = Some(1);
    assert_eq!(world.settle(&["one"]), ["-db-2", "-db-1"]);
}

#[test]
fn an_ordered_set_waits_for_a_pod_that_is_not_ready_and_a_parallel_one_does_not() {
    let mut world = World::new(3);
    assert_eq!(world.settle(&[]), ["+db-0:one"]);
    let mut world = World::new(3);
    world.spec().pod_management_policy = Some("Parallel".to_owned());
    assert_eq!(world.settle(&[]), ["+db-0:one", "+db-1:one", "+db-2:one"]);
}

#[test]
fn an_update_goes_from_the_last_pod_to_the_first_and_becomes_current() {
    let mut world = World::new(2);
    world.settle(&["one"]);
    world.revisions.update = "two".to_owned();
    assert_eq!(
        world.settle(&["one", "two"]),
        ["-db-1", "+db-1:two", "-db-0", "+db-0:two"]
    );
    assert_eq!(world.revisions.current, "two");
}

#[test]
fn a_partition_keeps_lower_ordinals_on_the_old_revision() {
    let mut world = World::new(3);
    world.settle(&["one"]);
    world.spec().update_strategy = Some(StatefulSetUpdateStrategy {
        rolling_update: Some(RollingUpdateStatefulSetStrategy {
            partition: Some(2),
            ..RollingUpdateStatefulSetStrategy::default()
        }),
        type_: Some("RollingUpdate".to_owned()),
    });
    world.revisions.update = "two".to_owned();
    assert_eq!(world.settle(&["one", "two"]), ["-db-2", "+db-2:two"]);
    world
        .pods
        .retain(|pod| pod.metadata.name.as_deref() != Some("db-0"));
    assert_eq!(world.settle(&["one", "two"]), ["+db-0:one"]);
}

#[test]
fn on_delete_waits_for_the_user() {
    let mut world = World::new(1);
    world.settle(&["one"]);
    world.spec().update_strategy = Some(StatefulSetUpdateStrategy {
        rolling_update: None,
        type_: Some("OnDelete".to_owned()),
    });
    world.revisions.update = "two".to_owned();
    assert_eq!(world.settle(&["one", "two"]), Vec::<String>::new());
    world.pods.clear();
    assert_eq!(world.settle(&["one", "two"]), ["+db-0:two"]);
}

#[test]
fn a_broken_revision_can_be_taken_back() {
    let mut world = World::new(2);
    world.settle(&["one"]);
    world.revisions.update = "broken".to_owned();
    assert_eq!(world.settle(&["one"]), ["-db-1", "+db-1:broken"]);
    world.revisions.update = "one".to_owned();
    assert_eq!(world.settle(&["one"]), ["-db-1", "+db-1:one"]);
}
