//! Stopping containers, and the end of a pod.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Container, Pod};
use sampan_container::{ContainerId, Signal};
use sampan_supervise::clock;
use tokio::time::Instant;

use super::observe::container_of;
use super::{Done, Worker};
use crate::controllers::events::Kind as EventKind;
use crate::controllers::queue::Key;
use crate::controllers::runner::chain;
use crate::kubelet::probes::Kind;
use crate::kubelet::record::Role;
use crate::kubelet::{Kubelet, adoption, blocking, hooks};

/// How long a pod may take to end unless it says otherwise.
const GRACE: Duration = Duration::from_secs(30);
/// What is left for the signal after a hook that took all the time.
const LEAST: Duration = Duration::from_secs(2);
/// How long the gateway may take to learn that a pod is going.
const PUBLISH_LIMIT: Duration = Duration::from_secs(2);

/// One container to stop.
struct Stop {
    kubelet: Arc<Kubelet>,
    id: ContainerId,
    container: Option<Container>,
    address: IpAddr,
    deadline: Instant,
}

impl Stop {
    /// Runs the hook, asks the container to end, ends it at the deadline. Returns what went wrong with the hook.
    async fn run(self) -> Option<String> {
        let runtime = self.kubelet.tools.runtime.clone();
        let left = || self.deadline.saturating_duration_since(Instant::now());
        let mut problem = None;
        let container = self.container.as_ref();
        let hooks = container.and_then(|container| container.lifecycle.as_ref());
        if let (Some(container), Some(hook)) = (container, hooks.and_then(|h| h.pre_stop.as_ref()))
        {
            let (on, limit) = ((&runtime, &self.id), left());
            let hook = hooks::run(hook, container, self.address, on, limit);
            match tokio::time::timeout(limit, hook).await {
                Ok(Ok(())) => {}
                Ok(Err(message)) => problem = Some(message),
                Err(_) => problem = Some("the hook did not end in time".to_owned()),
            }
        }
        let grace = if left().is_zero() && hooks.is_none() {
            Duration::ZERO
        } else {
            left().max(LEAST)
        };
        let id = self.id.clone();
        match blocking(move || runtime.stop(&id, grace)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(container = %self.id, error = chain(&error), "cannot stop a container");
            }
            Err(error) => tracing::error!(error = chain(&error), "cannot stop a container"),
        }
        problem
    }
}

impl Worker {
    /// How long a pod may take to end.
    pub(super) fn grace(pod: &Pod) -> Duration {
        let wanted = pod
            .spec
            .as_ref()
            .and_then(|spec| spec.termination_grace_period_seconds);
        wanted
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(GRACE, Duration::from_secs)
    }

    fn stop(&self, pod: Option<&Pod>, index: usize, grace: Duration) -> Option<Stop> {
        let id = self.records[index].running()?.clone();
        Some(Stop {
            kubelet: Arc::clone(&self.kubelet),
            id,
            container: pod.and_then(|pod| container_of(pod, self, index)).cloned(),
            address: self.address(),
            deadline: Instant::now() + grace,
        })
    }

    /// Stops one container and waits for it.
    pub(super) async fn stop_one(&mut self, pod: &Pod, index: usize, grace: Duration) {
        self.stop_probes_of(index);
        let Some(stop) = self.stop(Some(pod), index, grace) else {
            return;
        };
        stop.run().await;
        while let Some(done) = self.jobs.join_next().await {
            self.finished(done).await;
            if self.records[index].running().is_none() {
                return;
            }
        }
    }

    /// Stops a container in the background, so that its end leads to a restart.
    pub(super) fn stop_for_restart(
        &mut self,
        pod: &Pod,
        index: usize,
        why: String,
        probe: Option<Kind>,
    ) {
        if std::mem::replace(&mut self.records[index].stopping, true) {
            return;
        }
        self.records[index].ready = false;
        self.container_event(pod, index, EventKind::Normal, ("Killing", why));
        self.stop_probes_of(index);
        let own = container_of(pod, self, index)
            .and_then(|container| probe.and_then(|kind| kind.of(container).cloned()))
            .and_then(|probe| probe.termination_grace_period_seconds)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs);
        let grace = own.unwrap_or_else(|| Self::grace(pod));
        if let Some(stop) = self.stop(Some(pod), index, grace) {
            self.jobs.spawn(async move {
                stop.run().await;
                Done::Stopped
            });
        }
    }

    /// Ends the pod: requests in flight, hooks, signals, then all that it had, and at last the object.
    pub(super) async fn end(&mut self, pod: Option<&Pod>) {
        self.stop_probes();
        let grace = pod.map_or(Duration::ZERO, remaining);
        if self.records.iter().any(|record| record.running().is_some()) {
            let kill = self.kill_all();
            let hurry = hurry(
                Arc::clone(&self.kubelet),
                self.key.clone(),
                self.uid.clone(),
                grace,
            );
            let stopping = self.stop_all(pod, grace);
            tokio::pin!(stopping);
            tokio::select! {
                () = &mut stopping => {}
                () = hurry => {
                    kill.await;
                    stopping.await;
                }
            }
        }
        self.jobs.abort_all();
        while self.jobs.join_next().await.is_some() {}
        self.clean_up(pod).await;
    }

    /// Ends all containers at once.
    fn kill_all(&self) -> impl Future<Output = ()> + use<> {
        let runtime = self.kubelet.tools.runtime.clone();
        let ids: Vec<ContainerId> = self
            .records
            .iter()
            .filter_map(|record| record.running().cloned())
            .collect();
        async move {
            let work = move || {
                for id in ids {
                    if let Err(error) = runtime.kill(&id, Signal::KILL) {
                        tracing::debug!(container = %id, error = chain(&error), "cannot kill a container");
                    }
                }
            };
            if let Err(error) = blocking(work).await {
                tracing::error!(error = chain(&error), "cannot kill containers");
            }
        }
    }

    async fn stop_all(&self, pod: Option<&Pod>, grace: Duration) {
        let deadline = Instant::now() + grace;
        let running = |role: fn(Role) -> bool| -> Vec<usize> {
            (0..self.records.len())
                .filter(|i| role(self.records[*i].role) && self.records[*i].running().is_some())
                .collect()
        };
        if let Some(pod) = pod {
            for index in running(|_| true) {
                let text = format!("Stopping container {}", self.records[index].name);
                self.container_event(pod, index, EventKind::Normal, ("Killing", text));
            }
            self.drain(grace).await;
        }
        let left = || deadline.saturating_duration_since(Instant::now());
        let stops: Vec<(usize, Stop)> = running(|role| role != Role::Sidecar)
            .into_iter()
            .filter_map(|index| Some((index, self.stop(pod, index, left())?)))
            .collect();
        let problems = join_all(
            stops
                .into_iter()
                .map(|(index, stop)| async move { (index, stop.run().await) }),
        )
        .await;
        for (index, problem) in problems {
            if let (Some(pod), Some(problem)) = (pod, problem) {
                let text = format!("PreStopHook failed: {problem}");
                self.container_event(pod, index, EventKind::Warning, ("FailedPreStopHook", text));
            }
        }
        // Sidecars serve the others to the last; they go in the reverse order of their start.
        for index in running(|role| role == Role::Sidecar).into_iter().rev() {
            if let Some(stop) = self.stop(pod, index, left()) {
                stop.run().await;
            }
        }
    }

    /// Lets requests that are in flight end: first the gateway has to know that no new ones may come.
    async fn drain(&self, grace: Duration) {
        let Some(sandbox) = self
            .sandbox
            .as_ref()
            .filter(|sandbox| sandbox.namespace.is_some())
        else {
            return;
        };
        let Ok(address) = sandbox.address.parse::<IpAddr>() else {
            return;
        };
        let mut routing = self.kubelet.tools.routing.clone();
        let unrouted = routing.wait_for(|routing| {
            let mut endpoints = routing
                .pools
                .values()
                .flat_map(|pool| pool.endpoints.iter());
            !endpoints.any(|endpoint| endpoint.ip() == address)
        });
        match tokio::time::timeout(PUBLISH_LIMIT.min(grace), unrouted).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return,
            Err(_) => tracing::debug!(pod = ?self.key, "a pod that is ending is still routed to"),
        }
        let limit = grace.saturating_sub(LEAST);
        let drained = self.kubelet.tools.drain.wait_idle(address, limit);
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::debug!(pod = ?self.key, "requests are still in flight");
        }
    }

    /// Removes containers, network, volumes, and at last the object.
    async fn clean_up(&mut self, pod: Option<&Pod>) {
        let kubelet = Arc::clone(&self.kubelet);
        let uid = self.uid.clone();
        let found: Vec<ContainerId> = std::mem::take(&mut self.found)
            .into_iter()
            .map(|container| container.id)
            .collect();
        let own = self.records.iter().flat_map(|record| {
            let current = record.running().cloned();
            let ended = record.ended().and_then(|ended| ended.id.clone());
            let last = record.last.as_ref().and_then(|ended| ended.id.clone());
            let stale = record.stale.iter().cloned();
            current.into_iter().chain(ended).chain(last).chain(stale)
        });
        let mut ids: Vec<ContainerId> = found.into_iter().chain(own).collect();
        ids.sort();
        ids.dedup();
        let work = move || {
            for id in ids {
                match kubelet.tools.runtime.remove(&id, true) {
                    Ok(()) | Err(sampan_container::Error::NoContainer(_)) => {}
                    Err(error) => {
                        tracing::warn!(container = %id, error = chain(&error), "cannot remove a container");
                    }
                }
            }
            adoption::remove_folder(&kubelet, &uid)
        };
        match blocking(work).await {
            Ok(true) => {}
            // What is left is removed at the next start.
            Ok(false) => tracing::warn!(pod = ?self.key, "something of a pod is left"),
            Err(error) => {
                tracing::error!(pod = ?self.key, error = chain(&error), "cannot clean up");
            }
        }
        if pod.is_some() {
            self.remove_object().await;
        }
    }

    async fn remove_object(&self) {
        let objects = &self.kubelet.context.objects;
        for attempt in 0..10_u32 {
            match objects
                .remove::<Pod>(self.key.namespace(), &self.key.name, Some(&self.uid))
                .await
            {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(pod = ?self.key, error = chain(&error), "cannot remove a pod");
                    tokio::time::sleep(Duration::from_millis(100 << attempt.min(6))).await;
                }
            }
        }
    }
}

/// What is left of the time that a pod has to end.
fn remaining(pod: &Pod) -> Duration {
    let until = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    until.map_or_else(
        || Worker::grace(pod),
        |until| Duration::try_from(until.duration_since(clock::now())).unwrap_or(Duration::ZERO),
    )
}

/// Completes when the time to end has been cut short: the pod's object is gone, or its grace was lowered.
async fn hurry(kubelet: Arc<Kubelet>, key: Key, uid: String, grace: Duration) {
    let deadline = Instant::now() + grace;
    let mut changes = kubelet.context.objects.changes();
    loop {
        match kubelet
            .context
            .objects
            .get::<Pod>(key.namespace(), &key.name)
            .await
        {
            Ok(Some(pod)) if pod.metadata.uid.as_deref() == Some(&uid) => {
                let now = Instant::now();
                let left = remaining(&pod);
                if now + left + Duration::from_secs(1) < deadline {
                    tokio::time::sleep(left).await;
                    return;
                }
            }
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(pod = ?key, error = chain(&error), "cannot look at a pod");
            }
        }
        loop {
            match changes.next().await {
                crate::objects::Event::Changed(change) if change.uid == uid => break,
                crate::objects::Event::Changed(_) => {}
                crate::objects::Event::Resync => break,
                crate::objects::Event::Closed => std::future::pending::<()>().await,
            }
        }
    }
}
