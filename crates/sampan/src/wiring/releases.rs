//! The cluster that releases of charts go to: the engine or any other, behind the port of `sampan-chart`.
//!
//! Releases are handled step by step by one thread that waits for each answer, so the port is synchronous; the runtime
//! belongs to the target. Signals only set a mark: whoever handles the release brings it to an orderly end. A second one
//! ends the process as it is, and what is recorded by then says how far it came.

use std::time::Duration;

use kube::api::{DeleteParams, Patch as KubePatch, PatchParams};
use nix::sys::signal::{Signal, raise};
use sampan_chart::release::{
    Collection, ObjectId, Patch, Propagation, ServerVersion, Target, TargetError,
};
use sampan_deploy::manifests;
use sampan_deploy::target::{self, Cluster};
use sampan_model::Causes;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Failure, OrFail as _};

/// The name under which Helm owns fields; the same here, because both go on with each other's releases.
const FIELD_MANAGER: &str = "helm";

/// A cluster as releases see it.
pub(crate) struct ReleaseTarget {
    cluster: Cluster,
    interrupted: watch::Sender<bool>,
    runtime: Runtime,
}

impl std::fmt::Debug for ReleaseTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReleaseTarget")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl ReleaseTarget {
    /// A target by what connects to it.
    pub(crate) fn connect(
        connecting: impl Future<Output = Result<Cluster, Failure>>,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .or_fail("cannot start the asynchronous runtime")?;
        let cluster = runtime.block_on(connecting)?;
        Ok(Self {
            cluster,
            interrupted: watch::Sender::new(false),
            runtime,
        })
    }

    /// The namespace that is meant where none is named.
    pub(crate) fn default_namespace(&self) -> String {
        self.cluster.default_namespace().to_owned()
    }

    /// From here on, a signal asks for an orderly end.
    pub(crate) fn heed_signals(&self) -> Result<(), Failure> {
        let marker = self.interrupted.clone();
        let _inside = self.runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt()).or_fail("cannot wait for signals")?;
        let mut terminate = signal(SignalKind::terminate()).or_fail("cannot wait for signals")?;
        self.runtime.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            marker.send_replace(true);
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            // Nobody waits for the orderly end; nothing is lost, as after a power cut.
            if let Err(error) = raise(Signal::SIGKILL) {
                tracing::error!(%error, "cannot end at once");
            }
        });
        Ok(())
    }
}

impl Target for ReleaseTarget {
    fn version(&self) -> Result<ServerVersion, TargetError> {
        let version = self.runtime.block_on(self.cluster.version());
        let version = version.map_err(|error| match translated(error) {
            TargetError::Refused { message, .. } => TargetError::Unreachable(message),
            error => error,
        })?;
        Ok(ServerVersion {
            git_version: version.git_version,
            major: version.major,
            minor: version.minor,
        })
    }

    fn api_versions(&self) -> Result<Vec<String>, TargetError> {
        let versions = self.runtime.block_on(self.cluster.api_versions());
        versions.map_err(translated)
    }

    fn is_namespaced(&self, api_version: &str, kind: &str) -> Result<bool, TargetError> {
        let asked = self.cluster.is_namespaced(api_version, kind);
        self.runtime.block_on(asked).map_err(translated)
    }

    fn forget_kinds(&self) {
        self.cluster.forget_kinds();
    }

    fn get(&self, id: &ObjectId) -> Result<Option<Value>, TargetError> {
        let id = object_id(id);
        self.runtime
            .block_on(self.cluster.read(&id))
            .map_err(translated)
    }

    fn list(&self, wanted: &Collection<'_>) -> Result<Vec<Value>, TargetError> {
        let listed = self.cluster.list(
            wanted.api_version,
            wanted.kind,
            wanted.namespace,
            wanted.labels,
        );
        self.runtime.block_on(listed).map_err(translated)
    }

    fn create(&self, id: &ObjectId, object: &Value) -> Result<Value, TargetError> {
        let id = object_id(id);
        let created = self.cluster.create(&id, object, FIELD_MANAGER);
        self.runtime.block_on(created).map_err(translated)
    }

    fn replace(&self, id: &ObjectId, object: &Value) -> Result<Value, TargetError> {
        let id = object_id(id);
        let replaced = self.cluster.replace(&id, object, FIELD_MANAGER);
        self.runtime.block_on(replaced).map_err(translated)
    }

    fn patch(&self, id: &ObjectId, patch: &Patch) -> Result<Value, TargetError> {
        let mut params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = match patch {
            Patch::Strategic(patch) => KubePatch::Strategic(patch.clone()),
            Patch::Merge(patch) => KubePatch::Merge(patch.clone()),
            Patch::Apply { object, force } => {
                params.force = *force;
                KubePatch::Apply(object.clone())
            }
        };
        let id = object_id(id);
        let patched = self.cluster.patch(&id, &patch, &params);
        self.runtime.block_on(patched).map_err(translated)
    }

    fn delete(&self, id: &ObjectId, propagation: Propagation) -> Result<bool, TargetError> {
        let params = match propagation {
            Propagation::Background => DeleteParams::background(),
            Propagation::Foreground => DeleteParams::foreground(),
            Propagation::Orphan => DeleteParams::orphan(),
        };
        let id = object_id(id);
        self.runtime
            .block_on(self.cluster.end(&id, &params))
            .map_err(translated)
    }

    fn logs(&self, namespace: &str, pod: &str) -> Result<Vec<u8>, TargetError> {
        let log = self.runtime.block_on(self.cluster.log(namespace, pod));
        log.map(String::into_bytes).map_err(translated)
    }

    fn pause(&self, time: Duration) {
        let mut interrupted = self.interrupted.subscribe();
        let woken = async {
            // The sender lives as long as this target.
            drop(tokio::time::timeout(time, interrupted.wait_for(|marked| *marked)).await);
        };
        self.runtime.block_on(woken);
    }

    fn is_interrupted(&self) -> bool {
        *self.interrupted.borrow()
    }

    fn acknowledge_interruption(&self) {
        self.interrupted.send_replace(false);
    }
}

fn object_id(id: &ObjectId) -> manifests::ObjectId {
    manifests::ObjectId {
        api_version: id.api_version.clone(),
        kind: id.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
    }
}

fn translated(error: target::TargetError) -> TargetError {
    match error {
        target::TargetError::Answer {
            message,
            reason,
            code,
            ..
        } => TargetError::Refused {
            code,
            reason,
            message,
        },
        target::TargetError::UnknownKind { kind, api_version } => {
            TargetError::UnknownKind { api_version, kind }
        }
        error => TargetError::Unreachable(Causes(&error).to_string()),
    }
}
