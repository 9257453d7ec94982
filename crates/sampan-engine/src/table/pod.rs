//! The row of a pod, whose status says more than its phase.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodSpec, PodStatus,
};
use serde_json::Value;

use super::{AGE, Column, NAME, age, or_none, read, text, wide};

pub(super) const COLUMNS: &[Column] = &[
    NAME,
    text("Ready"),
    text("Status"),
    text("Restarts"),
    AGE,
    wide("IP"),
    wide("Node"),
    wide("Nominated Node"),
    wide("Readiness Gates"),
];

pub(super) fn cells(object: &Value, now: Timestamp) -> Option<Vec<Value>> {
    let pod: Pod = read(object)?;
    let spec = pod.spec.unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    let mut summary = Summary::of(&spec, &status);
    if pod.metadata.deletion_timestamp.is_some() {
        if status.reason.as_deref() == Some("NodeLost") {
            "Unknown".clone_into(&mut summary.reason);
        } else if !matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            "Terminating".clone_into(&mut summary.reason);
        }
    }
    let mut restarts = summary.restarts.to_string();
    if summary.restarts != 0
        && let Some(last) = summary.last_restart
    {
        let ago = age::seconds(now.as_second() - last.as_second());
        restarts = format!("{restarts} ({ago} ago)");
    }
    Some(vec![
        pod.metadata.name.clone().into(),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.reason.into(),
        restarts.into(),
        age::of(&pod.metadata, now).into(),
        or_none(status.pod_ip.clone()).into(),
        or_none(spec.node_name.clone()).into(),
        or_none(status.nominated_node_name.clone()).into(),
        readiness_gates(&spec, &status).into(),
    ])
}

/// What the containers of a pod say together.
struct Summary {
    ready: usize,
    total: usize,
    restarts: i32,
    last_restart: Option<Timestamp>,
    reason: String,
}

impl Summary {
    fn of(spec: &PodSpec, status: &PodStatus) -> Self {
        let phase = status.phase.clone().unwrap_or_default();
        let gated = status.conditions.iter().flatten().any(|condition| {
            condition.type_ == "PodScheduled"
                && condition.reason.as_deref() == Some("SchedulingGated")
        });
        let reason = match status.reason.clone().filter(|reason| !reason.is_empty()) {
            _ if gated => "SchedulingGated".to_owned(),
            Some(reason) => reason,
            None => phase,
        };
        let sidecars = spec
            .init_containers
            .iter()
            .flatten()
            .filter(|container| container.restart_policy.as_deref() == Some("Always"));
        let total = spec.containers.len() + sidecars.count();
        let mut summary = Self {
            ready: 0,
            total,
            restarts: 0,
            last_restart: None,
            reason,
        };
        let initializing = summary.add_init_containers(spec, status);
        if !initializing || is_true(status, "Initialized") {
            summary.add_containers(status);
        }
        summary
    }

    /// Looks at the containers that run first; true when one of them holds up the others.
    fn add_init_containers(&mut self, spec: &PodSpec, status: &PodStatus) -> bool {
        let specs = spec.init_containers.as_deref().unwrap_or_default();
        let (mut sidecar_restarts, mut sidecar_last) = (0, None);
        for (index, container) in status.init_container_statuses.iter().flatten().enumerate() {
            self.add_restarts(container);
            let sidecar = specs.iter().any(|spec| {
                spec.name == container.name && spec.restart_policy.as_deref() == Some("Always")
            });
            if sidecar {
                sidecar_restarts += container.restart_count;
                sidecar_last = sidecar_last.max(last_end(container));
            }
            let state = container.state.clone().unwrap_or_default();
            if state
                .terminated
                .as_ref()
                .is_some_and(|ended| ended.exit_code == 0)
            {
                continue;
            }
            if sidecar && container.started == Some(true) {
                self.ready += usize::from(container.ready);
                continue;
            }
            self.reason = init_reason(&state, index, specs.len());
            return true;
        }
        // Once all have run, only the restarts of those that go on count.
        (self.restarts, self.last_restart) = (sidecar_restarts, sidecar_last);
        false
    }

    fn add_containers(&mut self, status: &PodStatus) {
        let mut running = false;
        for container in status.container_statuses.iter().flatten().rev() {
            self.add_restarts(container);
            let state = container.state.clone().unwrap_or_default();
            let waiting = state.waiting.and_then(|waiting| waiting.reason);
            if let Some(reason) = waiting.filter(|reason| !reason.is_empty()) {
                self.reason = reason;
            } else if let Some(ended) = &state.terminated {
                self.reason = end_reason(ended);
            } else if container.ready && state.running.is_some() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && running {
            let ready = is_true(status, "Ready");
            if ready { "Running" } else { "NotReady" }.clone_into(&mut self.reason);
        }
    }

    fn add_restarts(&mut self, container: &ContainerStatus) {
        self.restarts += container.restart_count;
        self.last_restart = self.last_restart.max(last_end(container));
    }
}

fn last_end(container: &ContainerStatus) -> Option<Timestamp> {
    let ended = container.last_state.as_ref()?.terminated.as_ref()?;
    Some(ended.finished_at.as_ref()?.0)
}

fn init_reason(state: &ContainerState, index: usize, count: usize) -> String {
    if let Some(ended) = &state.terminated {
        return format!("Init:{}", end_reason(ended));
    }
    match state
        .waiting
        .as_ref()
        .and_then(|waiting| waiting.reason.as_deref())
    {
        Some(reason) if !reason.is_empty() && reason != "PodInitializing" => {
            format!("Init:{reason}")
        }
        _ => format!("Init:{index}/{count}"),
    }
}

fn end_reason(ended: &ContainerStateTerminated) -> String {
    match (ended.reason.as_deref(), ended.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.to_owned(),
        (_, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", ended.exit_code),
    }
}

fn is_true(status: &PodStatus, condition: &str) -> bool {
    let conditions = status.conditions.iter().flatten();
    conditions
        .into_iter()
        .any(|found| found.type_ == condition && found.status == "True")
}

fn readiness_gates(spec: &PodSpec, status: &PodStatus) -> String {
    let gates = spec.readiness_gates.as_deref().unwrap_or_default();
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates
        .iter()
        .filter(|gate| is_true(status, &gate.condition_type))
        .count();
    format!("{open}/{}", gates.len())
}
