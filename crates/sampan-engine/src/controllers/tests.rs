//! Controllers at work on a store; the test is the kubelet.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use sampan_store::Store;
use serde_json::json;

use super::context::Node;
use super::events::Recorder;
use super::{claims, node};
use crate::objects::{DeleteOptions, ServiceNetwork};

use super::*;

struct World {
    context: Context,
    store: Store,
    shutdown: Shutdown,
    tasks: Tasks,
    directory: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
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
        let context = Context {
            objects,
            events: Recorder::new().0,
            node: Arc::new(Node {
                name: "node".to_owned(),
                address: Ipv4Addr::LOCALHOST.into(),
                data: directory.path().to_owned(),
            }),
        };
        node::register(&context).await.unwrap();
        let (shutdown, tasks) = (Shutdown::new(), Tasks::new());
        super::start(&context, &tasks, &shutdown);
        Self {
            context,
            store,
            shutdown,
            tasks,
            directory,
        }
    }

    async fn stop(self) {
        self.shutdown.trigger();
        assert!(self.tasks.finish(Duration::from_secs(5)).await);
        self.store.close().await;
        self.directory.close().unwrap();
    }

    /// Waits until an object is as it should be.
    async fn until<K: Object>(&self, name: &str, is_so: impl Fn(&K) -> bool) -> K {
        let objects = &self.context.objects;
        let mut changes = objects.changes();
        loop {
            let found = objects.get::<K>(Some("default"), name).await.unwrap();
            if let Some(found) = found.filter(&is_so) {
                return found;
            }
            tokio::time::timeout(Duration::from_secs(10), changes.next())
                .await
                .unwrap_or_else(|_| panic!("{name} never became what it should"));
        }
    }

    async fn delete<K: Object>(&self, name: &str) {
        let options = DeleteOptions::default();
        let objects = &self.context.objects;
        objects
            .delete::<K>(Some("default"), name, &options)
            .await
            .unwrap();
    }
}

fn is_placed(pod: &Pod) -> bool {
    pod.spec.as_ref().unwrap().node_name.is_some()
}

fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    let status = claim.status.as_ref();
    status.and_then(|status| status.phase.as_deref()) == Some("Bound")
}

fn database() -> StatefulSet {
    serde_json::from_value(json!({
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": 1,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "c", "image": "i",
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}],
        },
    }))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_waits_for_the_claim_that_replaces_a_deleted_one() {
    let world = World::start().await;
    let objects = &world.context.objects;
    objects.create(&database()).await.unwrap();
    let first: Pod = world.until("db-0", is_placed).await;
    let claim: PersistentVolumeClaim = world.until("data-db-0", is_bound).await;
    let folder = claims::folder(world.directory.path(), &claim.metadata);
    assert!(folder.is_dir());
    world.delete::<PersistentVolumeClaim>("data-db-0").await;
    world.delete::<Pod>("db-0").await;
    assert!(folder.is_dir(), "a pod still uses it");
    let uid = first.metadata.uid.as_deref();
    objects
        .remove::<Pod>(Some("default"), "db-0", uid)
        .await
        .unwrap();
    let is_next = |pod: &Pod| pod.metadata.uid.as_deref() != uid && is_placed(pod);
    world.until::<Pod>("db-0", is_next).await;
    assert!(!folder.exists(), "it was placed on data that go");
    let is_other =
        |next: &PersistentVolumeClaim| next.metadata.uid != claim.metadata.uid && is_bound(next);
    world.until("data-db-0", is_other).await;
    world.stop().await;
}
