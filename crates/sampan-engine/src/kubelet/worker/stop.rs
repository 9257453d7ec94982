//! Stopping containers, and the end of a pod.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Container, Pod, Service};
use sampan_container::{ContainerId, Signal};
use sampan_model::Causes;
use sampan_model::routing::Routing;
use sampan_supervise::{Backoff, clock};
use tokio::time::Instant;

use super::observe::container_of;
use super::{Done, Worker};
use crate::controllers::events::Kind as EventKind;
use crate::controllers::queue::Key;
use crate::kubelet::probes::Kind;
use crate::kubelet::record::Role;
use crate::kubelet::{Kubelet, adoption, blocking, hooks};

/// How long a pod may take to end unless it says otherwise.
const GRACE: Duration = Duration::from_secs(30);
/// What is left for the signal after a hook that took all the time.
const LEAST: Duration = Duration::from_secs(2);
/// No time to end is longer: a moment that far away can still be calculated with.
const LONGEST_GRACE: Duration = Duration::from_hours(24 * 365);
/// How long the gateway may take to learn that a pod is going.
const PUBLISH_LIMIT: Duration = Duration::from_secs(2);
/// Requests in flight are waited for at most this long, and for this part of the time that a pod has to end:
/// the rest is for its hooks and for itself.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
const DRAIN_PART: u32 = 3;

/// One container to stop.
struct Stop {
    kubelet: Arc<Kubelet>,
    id: ContainerId,
    container: Option<Container>,
    address: IpAddr,
    deadline: Instant,
    /// Whether it is ended without being asked to end: it was given no time from the beginning.
    at_once: bool,
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
        let grace = if self.at_once && hooks.is_none() {
            Duration::ZERO
        } else {
            left().max(LEAST)
        };
        let id = self.id.clone();
        match blocking(move || runtime.stop(&id, grace)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(container = %self.id, error = %Causes(&error), "cannot stop a container");
            }
            Err(error) => tracing::error!(error = %Causes(&error), "cannot stop a container"),
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
        wanted.and_then(grace_of).unwrap_or(GRACE)
    }

    fn stop(
        &self,
        pod: Option<&Pod>,
        index: usize,
        (deadline, at_once): (Instant, bool),
    ) -> Option<Stop> {
        let id = self.records[index].running()?.clone();
        Some(Stop {
            kubelet: Arc::clone(&self.kubelet),
            id,
            container: pod.and_then(|pod| container_of(pod, self, index)).cloned(),
            address: self.address(),
            deadline,
            at_once,
        })
    }

    /// Stops one container and waits for it.
    pub(super) async fn stop_one(&mut self, pod: &Pod, index: usize, grace: Duration) {
        self.stop_probes_of(index);
        let end = (Instant::now() + grace, grace.is_zero());
        let Some(stop) = self.stop(Some(pod), index, end) else {
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
            .and_then(grace_of);
        let grace = own.unwrap_or_else(|| Self::grace(pod));
        let end = (Instant::now() + grace, grace.is_zero());
        if let Some(stop) = self.stop(Some(pod), index, end) {
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
                        tracing::debug!(container = %id, error = %Causes(&error), "cannot kill a container");
                    }
                }
            };
            if let Err(error) = blocking(work).await {
                tracing::error!(error = %Causes(&error), "cannot kill containers");
            }
        }
    }

    async fn stop_all(&self, pod: Option<&Pod>, grace: Duration) {
        // Time that has passed, perhaps while nobody looked after the pod, does not make its end a sudden one.
        let given = pod.and_then(|pod| pod.metadata.deletion_grace_period_seconds);
        let end = (Instant::now() + grace, given.unwrap_or(0) <= 0);
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
            self.drain(pod, drain_limit(grace)).await;
        }
        let stops: Vec<(usize, Stop)> = running(|role| role != Role::Sidecar)
            .into_iter()
            .filter_map(|index| Some((index, self.stop(pod, index, end)?)))
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
            if let Some(stop) = self.stop(pod, index, end) {
                stop.run().await;
            }
        }
    }

    /// Lets requests that are in flight end: first the gateway has to know that no new ones may come.
    async fn drain(&self, pod: &Pod, limit: Duration) {
        let until = Instant::now() + limit;
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
        let Some(steady) = self.steady_services(pod).await else {
            return;
        };
        let mut routing = self.kubelet.tools.routing.clone();
        let unrouted = routing.wait_for(|routing| !is_routed(routing, address, &steady));
        match tokio::time::timeout(PUBLISH_LIMIT.min(limit), unrouted).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => return,
            Err(_) => tracing::debug!(pod = ?self.key, "a pod that is ending is still routed to"),
        }
        let limit = until.saturating_duration_since(Instant::now());
        let drained = self.kubelet.tools.drain.wait_idle(address, limit);
        if tokio::time::timeout(limit, drained).await.is_err() {
            tracing::debug!(pod = ?self.key, "requests are still in flight");
        }
    }

    /// The services in the pod's namespace that send requests to pods that are not ready, too: such a pod is
    /// routed to until it is gone.
    async fn steady_services(&self, pod: &Pod) -> Option<Vec<(String, String)>> {
        let namespace = pod.metadata.namespace.as_deref();
        let listed = self
            .kubelet
            .context
            .objects
            .list::<Service>(namespace)
            .await;
        match listed {
            Ok(services) => Some(
                services
                    .into_iter()
                    .filter(|service| {
                        let spec = service.spec.as_ref();
                        spec.and_then(|spec| spec.publish_not_ready_addresses) == Some(true)
                    })
                    .map(|service| {
                        let meta = service.metadata;
                        (
                            meta.namespace.unwrap_or_default(),
                            meta.name.unwrap_or_default(),
                        )
                    })
                    .collect(),
            ),
            Err(error) => {
                tracing::debug!(pod = ?self.key, error = %Causes(&error), "cannot look at services");
                None
            }
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
                        tracing::warn!(container = %id, error = %Causes(&error), "cannot remove a container");
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
                tracing::error!(pod = ?self.key, error = %Causes(&error), "cannot clean up");
            }
        }
        if pod.is_some() {
            self.remove_object().await;
        }
    }

    /// Removes the object, however long the store fails: nobody else would. The shutdown drops this.
    async fn remove_object(&self) {
        let objects = &self.kubelet.context.objects;
        let mut delays = Backoff::new(Duration::from_millis(100), Duration::from_mins(1));
        while let Err(error) = objects
            .remove::<Pod>(self.key.namespace(), &self.key.name, Some(&self.uid))
            .await
        {
            tracing::warn!(pod = ?self.key, error = %Causes(&error), "cannot remove a pod");
            tokio::time::sleep(delays.next_delay()).await;
        }
    }
}

/// What is left of the time that a pod has to end.
fn remaining(pod: &Pod) -> Duration {
    let until = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    until.map_or_else(
        || Worker::grace(pod),
        |until| {
            Duration::try_from(until.duration_since(clock::now()))
                .unwrap_or(Duration::ZERO)
                .min(LONGEST_GRACE)
        },
    )
}

/// A time to end as users write it: any number of seconds.
fn grace_of(seconds: i64) -> Option<Duration> {
    let seconds = u64::try_from(seconds).ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_GRACE))
}

/// How much of the time that a pod has to end may pass before its containers are asked to.
fn drain_limit(grace: Duration) -> Duration {
    (grace / DRAIN_PART).min(DRAIN_LIMIT)
}

/// Whether requests are sent to an address, other than by services that never cease to.
fn is_routed(routing: &Routing, address: IpAddr, steady: &[(String, String)]) -> bool {
    let counts = |namespace: &str, service: &str| {
        !steady
            .iter()
            .any(|(of, name)| of == namespace && name == service)
    };
    routing
        .pools
        .iter()
        .filter(|(id, _)| counts(&id.namespace, &id.service))
        .flat_map(|(_, pool)| &pool.endpoints)
        .any(|endpoint| endpoint.ip() == address)
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
                tracing::debug!(pod = ?key, error = %Causes(&error), "cannot look at a pod");
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

#[cfg(test)]
mod tests {
    use sampan_model::routing::{Pool, PoolId};

    use super::*;

    #[test]
    fn most_of_the_time_to_end_is_the_pods_own() {
        let seconds = Duration::from_secs;
        assert_eq!(drain_limit(seconds(30)), seconds(10));
        assert_eq!(drain_limit(seconds(600)), seconds(10));
        assert_eq!(drain_limit(seconds(6)), seconds(2));
        assert_eq!(drain_limit(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn no_time_to_end_is_too_long_to_calculate_with() {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "spec": {"containers": [], "terminationGracePeriodSeconds": i64::MAX}}))
        .unwrap();
        assert_eq!(Worker::grace(&pod), LONGEST_GRACE);
        assert!(Instant::now().checked_add(remaining(&pod)).is_some());
        assert_eq!(grace_of(-1), None);
    }

    #[test]
    fn a_service_that_never_ceases_to_send_requests_is_not_waited_for() {
        let address: IpAddr = "10.200.0.5".parse().unwrap();
        let id = |service: &str| PoolId {
            namespace: "shop".to_owned(),
            service: service.to_owned(),
            port: "http".to_owned(),
        };
        let pool = Pool {
            endpoints: vec![(address, 80).into()],
            affinity: None,
        };
        let mut routing = Routing::default();
        routing.pools.insert(id("peers"), pool.clone());
        let steady = [("shop".to_owned(), "peers".to_owned())];
        assert!(is_routed(&routing, address, &[]));
        assert!(!is_routed(&routing, address, &steady));
        routing.pools.insert(id("web"), pool);
        assert!(is_routed(&routing, address, &steady));
    }
}
