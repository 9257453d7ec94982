//! The task of one pod.

mod observe;
mod settle;
mod start;
mod stop;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ObjectReference, Pod, PodSpec};
use sampan_container::{ContainerId, ContainerStatus, Exit};
use sampan_model::Causes;
use sampan_supervise::{Backoff, Shutdown, clock};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::plan::{self, RestartPolicy};
use super::probes::{Kind, Report};
use super::record::{self, Record};
use super::sandbox::Sandbox;
use super::tokens::Tokens;
use super::volumes::Prepared;
use super::{Kubelet, adoption, blocking};
use crate::controllers::context::reference;
use crate::controllers::events;
use crate::controllers::pods;
use crate::controllers::queue::Key;
use crate::controllers::runner::{sleep_until, until};
use crate::error::Error;

/// Reports of probes that may wait.
const REPORTS: usize = 64;

/// When to look at the pod again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// When something happens.
    Idle,
    /// At this moment at the latest.
    At(Timestamp),
    /// Never: the pod is gone.
    Gone,
}

/// What a task of the worker's has to tell.
enum Done {
    /// A container has ended.
    Exited(usize, ContainerId, Result<Exit, sampan_container::Error>),
    /// A container that had to be restarted was stopped.
    Stopped,
}

/// One pod.
pub(crate) struct Worker {
    kubelet: Arc<Kubelet>,
    key: Key,
    uid: String,
    wake: Arc<Notify>,
    /// The pod as it was at the last look.
    pod: Option<Pod>,
    /// What is known of the containers, init containers first; empty until the first look.
    records: Vec<Record>,
    /// Containers found at the start.
    found: Vec<ContainerStatus>,
    sandbox: Option<Sandbox>,
    volumes: HashMap<String, Prepared>,
    /// The tokens in the volumes.
    tokens: Tokens,
    /// What the volumes were made from.
    fingerprint: Option<String>,
    jobs: JoinSet<Done>,
    probers: HashMap<(usize, Kind), Shutdown>,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    /// Delays between attempts to make sandbox and volumes.
    trouble: Backoff,
}

impl Worker {
    /// The task of a pod, not running yet.
    pub(crate) fn new(kubelet: Arc<Kubelet>, key: Key, uid: String, wake: Arc<Notify>) -> Self {
        Self {
            kubelet,
            key,
            uid,
            wake,
            pod: None,
            records: Vec::new(),
            found: Vec::new(),
            sandbox: None,
            volumes: HashMap::new(),
            tokens: Tokens::default(),
            fingerprint: None,
            jobs: JoinSet::new(),
            probers: HashMap::new(),
            reports: mpsc::channel(REPORTS),
            trouble: Backoff::new(Duration::from_secs(1), Duration::from_mins(1)),
        }
    }

    /// Runs the pod until it is gone, or until the shutdown, which leaves its containers running.
    pub(crate) async fn run(mut self, found: Vec<ContainerStatus>, shutdown: Shutdown) {
        self.found = found;
        let mut errors = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
        loop {
            let round = tokio::select! {
                () = shutdown.triggered() => break,
                round = self.round() => round,
            };
            let deadline = match round {
                Ok(Next::Gone) => break,
                Ok(Next::Idle) => {
                    errors.reset();
                    None
                }
                Ok(Next::At(at)) => {
                    errors.reset();
                    Some(Instant::now() + until(at))
                }
                Err(error) => {
                    if !error.is_conflict() {
                        tracing::warn!(pod = ?self.key, error = %Causes(&error), "cannot sync a pod");
                    }
                    Some(Instant::now() + errors.next_delay())
                }
            };
            tokio::select! {
                () = shutdown.triggered() => break,
                () = self.wake.notified() => {}
                () = sleep_until(deadline) => {}
                Some(report) = self.reports.1.recv() => self.reported(report),
                Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => {
                    self.finished(done).await;
                }
            }
            while let Ok(report) = self.reports.1.try_recv() {
                self.reported(report);
            }
        }
        self.stop_probes();
    }

    /// Looks at the pod and does what is to be done now.
    async fn round(&mut self) -> Result<Next, Error> {
        let objects = &self.kubelet.context.objects;
        let stored = objects
            .get::<Pod>(self.key.namespace(), &self.key.name)
            .await?;
        let own = |pod: &Pod| pod.metadata.uid.as_deref() == Some(&self.uid);
        let Some(pod) = stored.filter(own) else {
            self.end(None).await;
            return Ok(Next::Gone);
        };
        self.pod = Some(pod.clone());
        let spec = pod.spec.clone().unwrap_or_default();
        // There is one node only, whatever it was called when the pod was placed.
        if spec.node_name.as_deref().unwrap_or_default().is_empty() {
            return Ok(Next::Idle);
        }
        if self.records.is_empty() {
            self.recall(&pod, &spec).await?;
        }
        if pods::is_terminating(&pod) {
            self.end(Some(&pod)).await;
            return Ok(Next::Gone);
        }
        let policy = RestartPolicy::parse(spec.restart_policy.as_deref());
        if pods::is_terminal(&pod) || self.is_over(policy) {
            return self.wind_down(&pod).await;
        }
        if let Some(at) = self.settle(&pod, &spec).await? {
            self.write_status(&pod).await?;
            return Ok(Next::At(at));
        }
        let plan = plan::plan(&self.records, policy, clock::now());
        for index in &plan.back_off {
            self.back_off(&pod, *index);
        }
        if !plan.start.is_empty() {
            // Users see at once that the pod has been taken on.
            let pod = self.write_status(&pod).await?;
            self.start_all(&pod, &plan.start).await?;
            let pod = self.write_status(&pod).await?;
            self.probe(&pod);
            // What was started may allow the next ones to start, or may have failed already.
            return Ok(Next::At(clock::now()));
        }
        self.probe(&pod);
        self.write_status(&pod).await?;
        let wake = plan.again_at.into_iter().chain(self.tokens.renew_at());
        Ok(wake.min().map_or(Next::Idle, Next::At))
    }

    fn is_over(&self, policy: RestartPolicy) -> bool {
        plan::is_over(&self.records, policy)
    }

    /// Loads what is known from before a restart of the engine.
    async fn recall(&mut self, pod: &Pod, spec: &PodSpec) -> Result<(), Error> {
        let mut records = record::all(spec);
        let useless = adoption::recall(pod, &mut records, std::mem::take(&mut self.found));
        self.records = records;
        self.remove_containers(useless.into_iter().map(|container| container.id).collect())
            .await?;
        for index in 0..self.records.len() {
            if let Some(id) = self.records[index].running().cloned() {
                self.watch(index, id);
            }
        }
        Ok(())
    }

    /// Follows a container to its end.
    fn watch(&mut self, index: usize, id: ContainerId) {
        let runtime = self.kubelet.tools.runtime.clone();
        self.jobs.spawn(async move {
            let exit = runtime.wait(&id).await;
            Done::Exited(index, id, exit)
        });
    }

    async fn remove_containers(&self, containers: Vec<ContainerId>) -> Result<(), Error> {
        if containers.is_empty() {
            return Ok(());
        }
        let runtime = self.kubelet.tools.runtime.clone();
        let work = move || {
            for id in containers {
                if let Err(error) = runtime.remove(&id, true) {
                    tracing::warn!(container = %id, error = %Causes(&error), "cannot remove a container");
                }
            }
        };
        blocking(work).await
    }

    /// The pod's address, for probes and hooks.
    fn address(&self) -> IpAddr {
        let own = self
            .sandbox
            .as_ref()
            .and_then(|sandbox| sandbox.address.parse().ok());
        own.unwrap_or(self.kubelet.context.node.address)
    }

    /// The pod as events need it: who it is.
    fn stub(&self) -> Option<Pod> {
        self.pod.clone()
    }

    /// Records an event about the pod.
    fn event(&self, pod: &Pod, kind: events::Kind, reason: &str, message: String) {
        self.kubelet
            .context
            .record("kubelet", kind, reference(pod), reason, message);
    }

    /// Records an event about one of its containers.
    fn container_event(
        &self,
        pod: &Pod,
        index: usize,
        kind: events::Kind,
        (reason, message): (&str, String),
    ) {
        let record = &self.records[index];
        let list = if record.role == record::Role::App {
            "containers"
        } else {
            "initContainers"
        };
        let about = ObjectReference {
            field_path: Some(format!("spec.{list}{{{}}}", record.name)),
            ..reference(pod)
        };
        self.kubelet
            .context
            .record("kubelet", kind, about, reason, message);
    }

    /// The moment after a delay.
    fn later(delay: Duration) -> Timestamp {
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::ZERO);
        let now = clock::now();
        now.checked_add(delay).unwrap_or(now)
    }
}
