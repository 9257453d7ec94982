//! What a pod needs before its containers: a network, volumes; and the status that tells of it all.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use sampan_model::Causes;
use sampan_supervise::clock;

use super::{Next, Worker};
use crate::controllers::events::Kind as EventKind;
use crate::error::Error;
use crate::kubelet::fields::Surroundings;
use crate::kubelet::plan::RestartPolicy;
use crate::kubelet::record::{Record, Role, State};
use crate::kubelet::sandbox::{self, Sandbox};
use crate::kubelet::sources::{self, References, Sources};
use crate::kubelet::status::{self, Facts};
use crate::kubelet::tokens::Tokens;
use crate::kubelet::volumes::{self, Origin, Prepared};
use crate::kubelet::{adoption, blocking};

impl Worker {
    /// Makes network and volumes; returns when to try again if that did not work.
    pub(super) async fn settle(
        &mut self,
        pod: &Pod,
        spec: &PodSpec,
    ) -> Result<Option<Timestamp>, Error> {
        if self.sandbox.is_none()
            && let Err(message) = self.find_network(spec).await?
        {
            let text = format!("Failed to create pod sandbox: {message}");
            self.event(pod, EventKind::Warning, "FailedCreatePodSandBox", text);
            return Ok(Some(Self::later(self.trouble.next_delay())));
        }
        if let Err(message) = self.refresh_volumes(pod, spec).await? {
            self.event(pod, EventKind::Warning, "FailedMount", message);
            // Containers that run go on with the volumes that they have.
            let waiting = self.records.iter().all(|record| record.running().is_none());
            return Ok(waiting.then(|| Self::later(self.trouble.next_delay())));
        }
        self.trouble.reset();
        Ok(None)
    }

    async fn find_network(&mut self, spec: &PodSpec) -> Result<Result<(), String>, Error> {
        if spec.host_network == Some(true) {
            let address = self.kubelet.context.node.address.to_string();
            self.sandbox = Some(Sandbox {
                namespace: None,
                address,
            });
            return Ok(Ok(()));
        }
        let folder = self.kubelet.folder(&self.uid);
        if let Some(sandbox) = blocking(move || sandbox::find(&folder)).await? {
            self.sandbox = Some(sandbox);
            return Ok(Ok(()));
        }
        // Containers of a network that is gone reach nobody any more.
        let running: Vec<_> = self
            .records
            .iter()
            .filter_map(|record| record.running().cloned())
            .collect();
        let runtime = self.kubelet.tools.runtime.clone();
        let stop = move || {
            for id in running {
                if let Err(error) = runtime.stop(&id, std::time::Duration::from_secs(2)) {
                    tracing::warn!(container = %id, error = %Causes(&error), "cannot stop a container");
                }
            }
        };
        blocking(stop).await?;
        self.jobs.abort_all();
        while self.jobs.join_next().await.is_some() {}
        self.stop_probes();
        let policy = RestartPolicy::parse(spec.restart_policy.as_deref());
        adoption::start_over(&mut self.records, policy, clock::now());
        let (folder, uid) = (self.kubelet.folder(&self.uid), self.uid.clone());
        let bridge = self.kubelet.tools.bridge.clone();
        let made = blocking(move || sandbox::create(&folder, &uid, &bridge)).await?;
        Ok(made
            .map(|sandbox| self.sandbox = Some(sandbox))
            .map_err(|error| Causes(&error).to_string()))
    }

    /// Writes the volumes if what they are made from has changed.
    async fn refresh_volumes(
        &mut self,
        pod: &Pod,
        spec: &PodSpec,
    ) -> Result<Result<(), String>, Error> {
        if spec.volumes.as_ref().is_none_or(Vec::is_empty) {
            return Ok(Ok(()));
        }
        let refers = sources::references(spec) != References::default();
        let sources = if refers {
            sources::referred(&self.kubelet.context.objects, pod).await?
        } else {
            Sources::default()
        };
        let signer = &self.kubelet.tools.signer;
        let account = sources.account.as_ref();
        if self
            .tokens
            .refresh(pod, account, signer, clock::now())
            .is_err()
        {
            return Ok(Err("cannot sign a token of the service account".to_owned()));
        }
        let fingerprint = fingerprint(pod, &sources, &self.tokens);
        if self.fingerprint.as_ref() == Some(&fingerprint) {
            return Ok(Ok(()));
        }
        let (folder, data) = (
            self.kubelet.folder(&self.uid),
            self.kubelet.context.node.data.clone(),
        );
        let (pod, around) = (pod.clone(), self.surroundings());
        let tokens = self.tokens.clone();
        let begun = self.records.iter().any(Record::was_started);
        let made = blocking(move || {
            let origin = Origin {
                pod: &pod,
                sources: &sources,
                tokens: &tokens,
                around: &around,
                begun,
            };
            volumes::prepare(&folder, &data, &origin)
                .map_err(|error| format!("MountVolume.SetUp failed: {}", Causes(&error)))
        })
        .await?;
        Ok(made.map(|volumes: BTreeMap<String, Prepared>| {
            self.volumes = volumes.into_iter().collect();
            self.fingerprint = Some(fingerprint);
        }))
    }

    /// What the downward API tells besides the pod itself.
    pub(super) fn surroundings(&self) -> Surroundings {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Surroundings {
            pod_ip: self
                .sandbox
                .as_ref()
                .map(|s| s.address.clone())
                .unwrap_or_default(),
            host_ip: self.kubelet.context.node.address.to_string(),
            node_cpu_millis: i128::try_from(processors).unwrap_or(1) * 1000,
            node_memory_bytes: i128::from(
                crate::controllers::node::memory_kibibytes().unwrap_or(0),
            ) * 1024,
        }
    }

    /// Writes the status if it differs; returns the pod as it is stored now.
    pub(super) async fn write_status(&mut self, pod: &Pod) -> Result<Pod, Error> {
        self.name_what_waits();
        let facts = Facts {
            pod,
            records: &self.records,
            address: self
                .sandbox
                .as_ref()
                .map(|sandbox| sandbox.address.clone())
                .or_else(|| pod.status.as_ref().and_then(|status| status.pod_ip.clone())),
            host: self.kubelet.context.node.address.to_string(),
            now: clock::now(),
        };
        let status = status::compute(&facts);
        if pod.status.as_ref() == Some(&status) {
            return Ok(pod.clone());
        }
        let mut changed = pod.clone();
        changed.status = Some(status);
        self.kubelet.context.objects.update_status(&changed).await
    }

    /// Containers that wait for init containers say so.
    fn name_what_waits(&mut self) {
        let initialized = status::is_initialized(&self.records);
        for record in &mut self.records {
            if let State::Waiting { reason, .. } = &mut record.state
                && matches!(*reason, "ContainerCreating" | "PodInitializing")
            {
                let waits_for_others = !initialized && record.role == Role::App;
                *reason = if waits_for_others {
                    "PodInitializing"
                } else {
                    "ContainerCreating"
                };
            }
        }
    }

    /// All containers proper have ended for good: sidecars are stopped, the network is given back.
    pub(super) async fn wind_down(&mut self, pod: &Pod) -> Result<Next, Error> {
        let sidecars: Vec<usize> = (0..self.records.len())
            .filter(|i| self.records[*i].running().is_some())
            .collect();
        if !sidecars.is_empty() {
            let grace = Self::grace(pod);
            for index in sidecars.into_iter().rev() {
                self.stop_one(pod, index, grace).await;
            }
        }
        self.write_status(pod).await?;
        if self
            .sandbox
            .take()
            .is_some_and(|sandbox| sandbox.namespace.is_some())
        {
            let (folder, uid) = (self.kubelet.folder(&self.uid), self.uid.clone());
            let bridge = self.kubelet.tools.bridge.clone();
            if let Err(error) = blocking(move || sandbox::remove(&folder, &uid, &bridge)).await? {
                tracing::warn!(pod = ?self.key, error = %Causes(&error), "cannot remove a network");
            }
        }
        Ok(Next::Idle)
    }

    /// A container that keeps crashing waits.
    pub(super) fn back_off(&mut self, pod: &Pod, index: usize) {
        let record = &mut self.records[index];
        if !matches!(record.state, State::Ended(_)) {
            return;
        }
        let (name, delay) = (record.name.clone(), record.backoff.delay().as_secs());
        let message = format!(
            "back-off {} restarting failed container={name} pod={}_{}({})",
            spell(delay),
            self.key.name,
            self.key.namespace,
            self.uid
        );
        record.wait("CrashLoopBackOff", Some(message));
        let text = format!(
            "Back-off restarting failed container {name} in pod {}_{}({})",
            self.key.name, self.key.namespace, self.uid
        );
        self.container_event(pod, index, EventKind::Warning, ("BackOff", text));
    }
}

/// A duration as Kubernetes spells it: `10s`, `1m20s`, `5m0s`.
fn spell(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// Changes whenever something changes that volumes are made from.
fn fingerprint(pod: &Pod, sources: &Sources, tokens: &Tokens) -> String {
    let mut parts = vec![
        format!("{:?}{:?}", pod.metadata.labels, pod.metadata.annotations),
        tokens.fingerprint(),
    ];
    let versions = sources
        .config_maps
        .values()
        .map(|object| &object.metadata)
        .chain(sources.secrets.values().map(|object| &object.metadata))
        .chain(sources.claims.values().map(|object| &object.metadata));
    parts.extend(versions.map(|meta| format!("{:?}{:?}", meta.uid, meta.resource_version)));
    parts.join(",")
}
