//! The status of a pod from what is known of its containers. Pure.

mod conditions;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, HostIP, Pod, PodIP, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::plan::RestartPolicy;
use super::record::{self, Ended, Record, Role, State};

/// What the status is made of, besides the containers.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// The pod as it is stored.
    pub(crate) pod: &'a Pod,
    /// Its containers, init containers first.
    pub(crate) records: &'a [Record],
    /// Its address, once it has a network.
    pub(crate) address: Option<String>,
    /// The node's address.
    pub(crate) host: String,
    /// Now.
    pub(crate) now: Timestamp,
}

/// Computes the status.
pub(crate) fn compute(facts: &Facts<'_>) -> PodStatus {
    let old = facts.pod.status.clone().unwrap_or_default();
    let phase = phase(facts);
    let (apps, init): (Vec<&Record>, Vec<&Record>) = facts
        .records
        .iter()
        .partition(|record| record.role == Role::App);
    let statuses = |records: Vec<&Record>| {
        let list: Vec<ContainerStatus> = records
            .into_iter()
            .map(|record| container_status(facts.pod, record))
            .collect();
        (!list.is_empty()).then_some(list)
    };
    PodStatus {
        conditions: Some(conditions::compute(facts, phase)),
        container_statuses: statuses(apps),
        init_container_statuses: statuses(init),
        host_ip: Some(facts.host.clone()),
        host_ips: Some(vec![HostIP {
            ip: facts.host.clone(),
        }]),
        pod_ip: facts.address.clone(),
        pod_ips: facts.address.clone().map(|ip| vec![PodIP { ip }]),
        phase: Some(phase.to_owned()),
        // It was decided when the pod was made.
        qos_class: old.qos_class,
        start_time: old.start_time.clone().or(Some(Time(facts.now))),
        ..PodStatus {
            message: old.message,
            reason: old.reason,
            ..PodStatus::default()
        }
    }
}

fn phase(facts: &Facts<'_>) -> &'static str {
    let spec = facts.pod.spec.as_ref();
    let policy = RestartPolicy::parse(spec.and_then(|spec| spec.restart_policy.as_deref()));
    if !is_initialized(facts.records) {
        let failed = facts.records.iter().any(|record| match &record.state {
            State::Ended(end) => {
                record.role == Role::Init && end.code != 0 && !policy.restarts(record.role, end)
            }
            _ => false,
        });
        return if failed { "Failed" } else { "Pending" };
    }
    let (mut running, mut waiting, mut stopped, mut succeeded) = (0, 0, 0, 0);
    for record in facts
        .records
        .iter()
        .filter(|record| record.role == Role::App)
    {
        match (&record.state, &record.last) {
            (State::Running { .. }, _) => running += 1,
            (State::Ended(ended), _) | (State::Waiting { .. }, Some(ended)) => {
                stopped += 1;
                succeeded += i32::from(ended.code == 0);
            }
            (State::Waiting { .. }, None) => waiting += 1,
        }
    }
    match (running, stopped) {
        _ if waiting > 0 => "Pending",
        (1.., _) => "Running",
        (0, 0) => "Pending",
        _ if policy == RestartPolicy::Always => "Running",
        _ if stopped == succeeded => "Succeeded",
        _ if policy == RestartPolicy::Never => "Failed",
        _ => "Running",
    }
}

/// Whether all init containers have done their part.
pub(crate) fn is_initialized(records: &[Record]) -> bool {
    record::have_begun(records) || records.iter().all(init_is_done)
}

fn init_is_done(record: &Record) -> bool {
    match record.role {
        Role::Init => matches!(&record.state, State::Ended(ended) if ended.code == 0),
        Role::Sidecar => record.running().is_some() && record.started,
        Role::App => true,
    }
}

fn is_ready(record: &Record) -> bool {
    match record.role {
        Role::Init => init_is_done(record),
        Role::Sidecar | Role::App => record.running().is_some() && record.started && record.ready,
    }
}

fn container_status(pod: &Pod, record: &Record) -> ContainerStatus {
    let running = record.running();
    let id = running.or_else(|| record.ended().and_then(|ended| ended.id.as_ref()));
    ContainerStatus {
        name: record.name.clone(),
        image: record::find(pod, &record.name)
            .and_then(|container| container.image.clone())
            .unwrap_or_default(),
        image_id: record.image_id.clone(),
        container_id: id.map(|id| format!("sampan://{id}")),
        ready: is_ready(record),
        started: Some(running.is_some() && record.started),
        restart_count: record.restarts,
        state: Some(state(&record.state)),
        last_state: record.last.as_ref().map(|ended| ContainerState {
            terminated: Some(terminated(ended)),
            ..ContainerState::default()
        }),
        ..ContainerStatus::default()
    }
}

fn state(state: &State) -> ContainerState {
    match state {
        State::Waiting { reason, message } => ContainerState {
            waiting: Some(ContainerStateWaiting {
                reason: Some((*reason).to_owned()),
                message: message.clone(),
            }),
            ..ContainerState::default()
        },
        State::Running { started_at, .. } => ContainerState {
            running: Some(ContainerStateRunning {
                started_at: Some(Time(*started_at)),
            }),
            ..ContainerState::default()
        },
        State::Ended(ended) => ContainerState {
            terminated: Some(terminated(ended)),
            ..ContainerState::default()
        },
    }
}

fn terminated(ended: &Ended) -> ContainerStateTerminated {
    ContainerStateTerminated {
        container_id: ended.id.as_ref().map(|id| format!("sampan://{id}")),
        exit_code: ended.code,
        finished_at: Some(Time(ended.finished_at)),
        message: ended.message.clone(),
        reason: Some(ended.reason.clone()),
        signal: ended.signal,
        started_at: ended.started_at.map(Time),
    }
}

#[cfg(test)]
mod tests;
