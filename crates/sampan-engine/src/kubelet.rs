//! Runs the pods of this node: one task per pod, which owns all that is known of it.
//!
//! A pod's task is level-triggered, too: whatever woke it (a change of the object, a container that ended, a
//! probe's verdict, a delay that is over), it looks at what there is, plans, acts, and writes the status if it
//! differs. Containers are not children of the engine: when it starts again, each task finds its pod's
//! containers by their labels and goes on. What belongs to no pod any more is removed.

pub(crate) mod adoption;
pub(crate) mod backoff;
pub(crate) mod dns;
pub(crate) mod environment;
pub(crate) mod expansion;
pub(crate) mod fields;
#[cfg(test)]
mod fixture;
pub(crate) mod hooks;
pub(crate) mod images;
pub(crate) mod labels;
pub(crate) mod launch;
pub(crate) mod plan;
pub(crate) mod probes;
pub(crate) mod quantity;
pub(crate) mod record;
pub(crate) mod sandbox;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod tokens;
pub(crate) mod volumes;
pub(crate) mod worker;

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use sampan_container::network::Bridge;
use sampan_container::{ContainerStatus, Runtime};
use sampan_model::Causes;
use sampan_model::routing::Routing;
use sampan_oci::{ContentStore, Snapshots};
use sampan_supervise::{Shutdown, Tasks};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::controllers::context::Context;
use crate::controllers::key_of;
use crate::controllers::queue::Key;
use crate::deps::Drain;
use crate::error::Error;
use crate::keys::signer::Signer;
use crate::objects::{Change, Event};
use worker::Worker;

/// What running pods takes.
#[derive(Clone)]
pub(crate) struct Tools {
    /// Images.
    pub(crate) content: ContentStore,
    /// Their unpacked layers.
    pub(crate) snapshots: Snapshots,
    /// Containers.
    pub(crate) runtime: Runtime,
    /// The network of pods.
    pub(crate) bridge: Bridge,
    /// What signs the tokens of service accounts.
    pub(crate) signer: Arc<Signer>,
    /// Requests in flight.
    pub(crate) drain: Arc<dyn Drain>,
    /// What the gateway has been told.
    pub(crate) routing: watch::Receiver<Arc<Routing>>,
}

/// The pods of this node.
pub(crate) struct Kubelet {
    /// Objects, events, node.
    pub(crate) context: Context,
    /// What running pods takes.
    pub(crate) tools: Tools,
}

/// A pod's task as seen from outside.
struct Running {
    uid: String,
    wake: Arc<Notify>,
}

/// All tasks, by pod.
#[derive(Default)]
struct Pods {
    running: HashMap<Key, Running>,
    /// Containers found at the start, until their pod's task takes them.
    found: HashMap<String, Vec<ContainerStatus>>,
}

/// What could not be done yet and is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Taking over what runs.
    Start,
    /// Looking at all pods.
    Look,
}

/// How long is waited before what could not be done is tried again.
const RETRY: Duration = Duration::from_secs(1);

impl Kubelet {
    /// The folder of a pod.
    pub(crate) fn folder(&self, uid: &str) -> PathBuf {
        self.context.node.data.join("pods").join(uid)
    }

    /// Runs pods until the shutdown; running containers are left alone then.
    pub(crate) async fn run(self: Arc<Self>, tasks: Tasks, shutdown: Shutdown) {
        let folder = self.context.node.data.join("pods");
        if let Err(error) = keep_private(&folder) {
            tracing::error!(folder = %folder.display(), %error, "cannot keep the volumes of pods private");
        }
        let mut changes = self.context.objects.changes();
        let mut pods = Pods::default();
        let mut left = self.start(&mut pods, &tasks, &shutdown).await;
        let mut retry_at = Instant::now() + RETRY;
        loop {
            let event = tokio::select! {
                () = shutdown.triggered() => return,
                () = tokio::time::sleep_until(retry_at), if left != Left::Nothing => Event::Resync,
                event = changes.next() => event,
            };
            match event {
                Event::Changed(change) => {
                    self.changed(&change, &mut pods, &tasks, &shutdown);
                    continue;
                }
                Event::Resync if left == Left::Start => {
                    left = self.start(&mut pods, &tasks, &shutdown).await;
                }
                Event::Resync => left = self.look_at_all(&mut pods, &tasks, &shutdown).await,
                Event::Closed => return,
            }
            retry_at = Instant::now() + RETRY;
        }
    }

    /// Takes over what runs, starts what should, removes what belongs to nobody.
    async fn start(self: &Arc<Self>, pods: &mut Pods, tasks: &Tasks, shutdown: &Shutdown) -> Left {
        match adoption::containers(&self.tools.runtime).await {
            Ok(found) => pods.found = found,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "cannot list containers");
                return Left::Start;
            }
        }
        let listed = match self.context.objects.list::<Pod>(None).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::error!(error = %Causes(&error), "cannot list pods");
                return Left::Start;
            }
        };
        let known = listed
            .iter()
            .filter_map(|pod| pod.metadata.uid.clone())
            .collect();
        for pod in &listed {
            self.look_at(pod, pods, tasks, shutdown);
        }
        adoption::remove_orphans(self, std::mem::take(&mut pods.found), &known).await;
        Left::Nothing
    }

    async fn look_at_all(
        self: &Arc<Self>,
        pods: &mut Pods,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) -> Left {
        match self.context.objects.list::<Pod>(None).await {
            Ok(listed) => {
                for pod in &listed {
                    self.look_at(pod, pods, tasks, shutdown);
                }
                pods.running
                    .values()
                    .for_each(|running| running.wake.notify_one());
                Left::Nothing
            }
            Err(error) => {
                tracing::error!(error = %Causes(&error), "cannot list pods");
                Left::Look
            }
        }
    }

    fn changed(
        self: &Arc<Self>,
        change: &Change,
        pods: &mut Pods,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) {
        match change.kind {
            "Pod" => self.pod_changed(change, pods, tasks, shutdown),
            // Volumes follow their sources; pods that wait for a claim or an account may go on.
            "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "ServiceAccount" => pods
                .running
                .iter()
                .filter(|(key, _)| key.namespace() == change.namespace.as_deref())
                .for_each(|(_, running)| running.wake.notify_one()),
            _ => {}
        }
    }

    fn pod_changed(
        self: &Arc<Self>,
        change: &Change,
        pods: &mut Pods,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) {
        let key = change.key();
        if let Some(running) = pods
            .running
            .get(&key)
            .filter(|running| running.uid == change.uid)
        {
            running.wake.notify_one();
            if change.deleted {
                pods.running.remove(&key);
            }
            return;
        }
        if !change.deleted {
            self.spawn(key, change.uid.clone(), pods, tasks, shutdown);
        }
    }

    fn look_at(self: &Arc<Self>, pod: &Pod, pods: &mut Pods, tasks: &Tasks, shutdown: &Shutdown) {
        let key = key_of(pod);
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        if pods
            .running
            .get(&key)
            .is_none_or(|running| running.uid != uid)
        {
            self.spawn(key, uid, pods, tasks, shutdown);
        }
    }

    fn spawn(
        self: &Arc<Self>,
        key: Key,
        uid: String,
        pods: &mut Pods,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) {
        let wake = Arc::new(Notify::new());
        let containers = pods.found.remove(&uid).unwrap_or_default();
        let worker = Worker::new(
            Arc::clone(self),
            key.clone(),
            uid.clone(),
            Arc::clone(&wake),
        );
        tasks.spawn("pod", worker.run(containers, shutdown.child()));
        // One that is replaced has missed that its pod is gone.
        if let Some(before) = pods.running.insert(key, Running { uid, wake }) {
            before.wake.notify_one();
        }
    }
}

/// Makes a folder that other users of the machine cannot look into: secrets and tokens lie below it, with the modes that
/// users inside of the pods need.
fn keep_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// Runs something that blocks on a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Internal(format!("a blocking task ended badly: {error}")))
}
