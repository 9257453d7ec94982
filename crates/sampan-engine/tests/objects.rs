//! Objects through their typed face.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

use std::net::Ipv4Addr;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use sampan_engine::objects::{
    DeleteOptions, Event, Object, Objects, Propagation, ServiceNetwork, collect_garbage,
    keep_namespaces,
};
use sampan_store::Store;
use sampan_supervise::{Shutdown, Tasks};
use serde_json::{Value, json};

struct Fixture {
    objects: Objects,
    store: Store,
    shutdown: Shutdown,
    tasks: Tasks,
    _directory: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("meta.db"))
        .await
        .unwrap();
    let network = ServiceNetwork {
        network: Ipv4Addr::new(10, 200, 128, 0),
        prefix: 17,
        dns: Ipv4Addr::new(10, 200, 128, 10),
    };
    let objects = Objects::new(&store, network);
    objects.bootstrap_namespaces("CA").await.unwrap();
    let (shutdown, tasks) = (Shutdown::new(), Tasks::new());
    tasks.spawn(
        "garbage",
        collect_garbage(objects.clone(), shutdown.clone()),
    );
    tasks.spawn(
        "namespaces",
        keep_namespaces(objects.clone(), "CA".to_owned(), shutdown.clone()),
    );
    Fixture {
        objects,
        store,
        shutdown,
        tasks,
        _directory: directory,
    }
}

impl Fixture {
    async fn end(self) {
        self.shutdown.trigger();
        assert!(self.tasks.finish(Duration::from_secs(5)).await);
        self.store.close().await;
    }

    /// Waits until an object is gone.
    async fn gone<K: Object>(&self, namespace: Option<&str>, name: &str) {
        let mut changes = self.objects.changes();
        while self
            .objects
            .get::<K>(namespace, name)
            .await
            .unwrap()
            .is_some()
        {
            tokio::time::timeout(Duration::from_secs(5), changes.next())
                .await
                .expect("it stays");
        }
    }
}

fn object<K: Object>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

fn deployment(name: &str) -> Deployment {
    object(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    }))
}

fn replica_set(name: &str, owner: &Deployment) -> ReplicaSet {
    let deployment = deployment(name);
    let mut set: ReplicaSet = object(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": serde_json::to_value(deployment.spec).unwrap(),
    }));
    set.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        name: owner.metadata.name.clone().unwrap(),
        uid: owner.metadata.uid.clone().unwrap(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }]);
    set
}

#[tokio::test]
async fn a_write_is_checked_against_the_revision_and_counts_the_generation() {
    let f = fixture().await;
    let mut changes = f.objects.changes();
    let created = f.objects.create(&deployment("web")).await.unwrap();
    assert_eq!(created.metadata.generation, Some(1));
    let Event::Changed(change) = changes.next().await else {
        panic!("no change")
    };
    assert_eq!(
        (change.kind, change.name.as_str(), change.deleted),
        ("Deployment", "web", false)
    );

    let mut wanted = created.clone();
    wanted.spec.as_mut().unwrap().replicas = Some(3);
    wanted.status = Some(k8s_openapi::api::apps::v1::DeploymentStatus {
        replicas: Some(9),
        ..Default::default()
    });
    let updated = f.objects.update(&wanted).await.unwrap();
    assert_eq!(updated.metadata.generation, Some(2));
    assert_ne!(
        updated.status.unwrap_or_default().replicas,
        Some(9),
        "the status has its own path"
    );
    assert!(f.objects.update(&wanted).await.unwrap_err().is_conflict());

    wanted.metadata.resource_version = None;
    let again = f.objects.update(&wanted).await.unwrap();
    assert_eq!(
        again.metadata.resource_version, updated.metadata.resource_version,
        "no change, no write"
    );
    let status = f.objects.update_status(&wanted).await.unwrap();
    assert_eq!(status.status.unwrap().replicas, Some(9));
    assert_eq!(status.metadata.generation, Some(2));
    f.end().await;
}

#[tokio::test]
async fn dependents_follow_their_owner_in_each_way() {
    let f = fixture().await;
    for (name, propagation) in [
        ("background", Propagation::Background),
        ("foreground", Propagation::Foreground),
        ("orphan", Propagation::Orphan),
    ] {
        let owner = f.objects.create(&deployment(name)).await.unwrap();
        f.objects.create(&replica_set(name, &owner)).await.unwrap();
        let options = DeleteOptions {
            propagation: Some(propagation),
            ..DeleteOptions::default()
        };
        f.objects
            .delete::<Deployment>(Some("default"), name, &options)
            .await
            .unwrap();
        f.gone::<Deployment>(Some("default"), name).await;
        if propagation == Propagation::Orphan {
            let left = f
                .objects
                .get::<ReplicaSet>(Some("default"), name)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(left.metadata.owner_references, None);
        } else {
            f.gone::<ReplicaSet>(Some("default"), name).await;
        }
    }
    f.end().await;
}

#[tokio::test]
async fn a_namespace_ends_after_its_content() {
    let f = fixture().await;
    let namespace: Namespace = object(json!({"metadata": {"name": "shop"}}));
    f.objects.create(&namespace).await.unwrap();
    let mut changes = f.objects.changes();
    while f
        .objects
        .get::<ConfigMap>(Some("shop"), "kube-root-ca.crt")
        .await
        .unwrap()
        .is_none()
    {
        tokio::time::timeout(Duration::from_secs(5), changes.next())
            .await
            .expect("it is furnished");
    }
    let held: ConfigMap = object(json!({
        "metadata": {"name": "held", "namespace": "shop", "finalizers": ["example.com/hold"]},
    }));
    let held = f.objects.create(&held).await.unwrap();
    f.objects
        .delete::<Namespace>(None, "shop", &DeleteOptions::default())
        .await
        .unwrap();
    let another: ConfigMap = object(json!({"metadata": {"name": "late", "namespace": "shop"}}));
    let refused = f.objects.create(&another).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "configmaps \"late\" is forbidden: unable to create new content in namespace shop because it is being terminated"
    );
    let mut held = f
        .objects
        .get::<ConfigMap>(Some("shop"), "held")
        .await
        .unwrap()
        .unwrap_or(held);
    held.metadata.finalizers = None;
    held.metadata.resource_version = None;
    f.objects.update(&held).await.unwrap();
    f.gone::<Namespace>(None, "shop").await;
    f.end().await;
}

#[tokio::test]
async fn services_get_addresses_that_nobody_else_has() {
    let f = fixture().await;
    let service = |name: &str, address: Option<&str>| -> Service {
        object(json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"clusterIP": address, "type": "NodePort", "ports": [{"port": 80}]},
        }))
    };
    let a = f
        .objects
        .create(&service("a", None))
        .await
        .unwrap()
        .spec
        .unwrap();
    let b = f
        .objects
        .create(&service("b", None))
        .await
        .unwrap()
        .spec
        .unwrap();
    assert_ne!(a.cluster_ip, b.cluster_ip);
    assert_ne!(a.ports.unwrap()[0].node_port, b.ports.unwrap()[0].node_port);
    let taken = f
        .objects
        .create(&service("c", a.cluster_ip.as_deref()))
        .await
        .unwrap_err();
    assert!(
        taken
            .to_string()
            .contains("provided IP is already allocated"),
        "{taken}"
    );
    let same = f
        .objects
        .update(&service("a", None))
        .await
        .unwrap()
        .spec
        .unwrap();
    assert_eq!(
        same.cluster_ip, a.cluster_ip,
        "an applied manifest keeps the address"
    );
    f.objects
        .delete::<Service>(Some("default"), "a", &DeleteOptions::default())
        .await
        .unwrap();
    f.objects
        .create(&service("c", a.cluster_ip.as_deref()))
        .await
        .unwrap();
    f.end().await;
}

#[tokio::test]
async fn a_running_pod_is_given_time_and_then_removed() {
    let f = fixture().await;
    let pod = |name: &str, node: Option<&str>| -> Pod {
        object(json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]},
        }))
    };
    f.objects.create(&pod("new", None)).await.unwrap();
    f.objects
        .delete::<Pod>(Some("default"), "new", &DeleteOptions::default())
        .await
        .unwrap();
    f.gone::<Pod>(Some("default"), "new").await;
    f.objects.create(&pod("old", Some("node"))).await.unwrap();
    f.objects
        .delete::<Pod>(Some("default"), "old", &DeleteOptions::default())
        .await
        .unwrap();
    let ending = f
        .objects
        .get::<Pod>(Some("default"), "old")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ending.metadata.deletion_grace_period_seconds, Some(30));
    f.objects
        .remove::<Pod>(Some("default"), "old", Some("another"))
        .await
        .unwrap();
    assert!(
        f.objects
            .get::<Pod>(Some("default"), "old")
            .await
            .unwrap()
            .is_some()
    );
    f.objects
        .remove::<Pod>(Some("default"), "old", ending.metadata.uid.as_deref())
        .await
        .unwrap();
    f.gone::<Pod>(Some("default"), "old").await;
    // More time than there is is a long time, not none.
    let mut patient = pod("patient", Some("node"));
    let seconds = &mut patient
        .spec
        .as_mut()
        .unwrap()
        .termination_grace_period_seconds;
    *seconds = Some(i64::MAX);
    f.objects.create(&patient).await.unwrap();
    f.objects
        .delete::<Pod>(Some("default"), "patient", &DeleteOptions::default())
        .await
        .unwrap();
    let ending = f
        .objects
        .get::<Pod>(Some("default"), "patient")
        .await
        .unwrap()
        .unwrap();
    let end = ending.metadata.deletion_timestamp.unwrap().0;
    assert!(end.as_second() > sampan_supervise::clock::now().as_second() + 1_000_000);
    f.end().await;
}
