//! Taking over after a restart: which containers run, and what belongs to nobody any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus as ApiStatus, Pod};
use sampan_container::{ContainerState, ContainerStatus, Exit, Runtime};
use sampan_model::Causes;

use super::labels::Identity;
use super::plan::RestartPolicy;
use super::probes::Kind;
use super::record::{self, Ended, Record, Role, State};
use super::{Kubelet, blocking, sandbox, volumes};
use crate::error::Error;

/// All containers of pods, by the pod's uid.
pub(crate) async fn containers(
    runtime: &Runtime,
) -> Result<HashMap<String, Vec<ContainerStatus>>, Error> {
    let runtime = runtime.clone();
    let listed = blocking(move || runtime.list())
        .await?
        .map_err(|error| Error::Internal(format!("cannot list containers: {}", Causes(&error))))?;
    let mut found: HashMap<String, Vec<ContainerStatus>> = HashMap::new();
    for container in listed {
        if let Some(identity) = Identity::of(&container) {
            found.entry(identity.uid).or_default().push(container);
        }
    }
    Ok(found)
}

/// Removes containers and folders of pods that do not exist any more.
pub(crate) async fn remove_orphans(
    kubelet: &Arc<Kubelet>,
    containers: HashMap<String, Vec<ContainerStatus>>,
    known: &HashSet<String>,
) {
    let kubelet = Arc::clone(kubelet);
    let known = known.clone();
    let work = move || {
        for container in containers.into_values().flatten() {
            if Identity::of(&container).is_none_or(|identity| known.contains(&identity.uid)) {
                continue;
            }
            tracing::info!(container = %container.id, "removing a container whose pod is gone");
            if let Err(error) = kubelet.tools.runtime.remove(&container.id, true) {
                tracing::warn!(error = %Causes(&error), "cannot remove a container");
            }
        }
        let pods = kubelet.context.node.data.join("pods");
        // There is no folder before the first pod.
        let Ok(entries) = std::fs::read_dir(&pods) else {
            return;
        };
        for entry in entries.flatten() {
            let uid = entry.file_name().to_string_lossy().into_owned();
            if !known.contains(&uid) {
                remove_folder(&kubelet, &uid);
            }
        }
    };
    if let Err(error) = blocking(work).await {
        tracing::warn!(
            error = %Causes(&error),
            "cannot remove what is left of earlier pods"
        );
    }
}

/// Removes all that a pod had besides its containers; blocks. Tells whether that worked.
pub(crate) fn remove_folder(kubelet: &Kubelet, uid: &str) -> bool {
    let folder = kubelet.folder(uid);
    if let Err(error) = sandbox::remove(&folder, uid, &kubelet.tools.bridge) {
        tracing::warn!(
            error = %Causes(&error),
            uid,
            "cannot remove the network of a pod"
        );
        return false;
    }
    if let Err(error) = volumes::remove(&folder) {
        tracing::warn!(
            error = %Causes(&error),
            uid,
            "cannot remove the volumes of a pod"
        );
        return false;
    }
    true
}

/// Brings records up to what is found: the stored status tells the past, the containers the present. Returns
/// containers of which nothing more will be needed.
pub(crate) fn recall(
    pod: &Pod,
    records: &mut [Record],
    mut containers: Vec<ContainerStatus>,
) -> Vec<ContainerStatus> {
    containers.sort_by_key(|container| Identity::of(container).map(|identity| identity.attempt));
    let status = pod.status.clone().unwrap_or_default();
    let stored: Vec<ApiStatus> = status
        .init_container_statuses
        .into_iter()
        .chain(status.container_statuses)
        .flatten()
        .collect();
    let mut useless = Vec::new();
    for record in records {
        let before = stored.iter().find(|status| status.name == record.name);
        let mine = |container: &ContainerStatus| {
            Identity::of(container).is_some_and(|identity| identity.container == record.name)
        };
        let (own, rest): (Vec<_>, Vec<_>) = containers.into_iter().partition(mine);
        containers = rest;
        if let Some(before) = before {
            recall_past(record, before);
        }
        let container = record::find(pod, &record.name);
        useless.extend(recall_present(record, (before, container), own));
    }
    useless.extend(containers);
    useless
}

fn recall_past(record: &mut Record, before: &ApiStatus) {
    record.restarts = before.restart_count;
    record.image_id.clone_from(&before.image_id);
    let terminated = |state: &Option<k8s_openapi::api::core::v1::ContainerState>| {
        let ended = state.as_ref()?.terminated.as_ref()?;
        Some(Ended {
            id: container_id(ended.container_id.as_deref()),
            code: ended.exit_code,
            signal: ended.signal,
            reason: ended.reason.clone().unwrap_or_default(),
            message: ended.message.clone(),
            started_at: ended.started_at.as_ref().map(|time| time.0),
            finished_at: ended
                .finished_at
                .as_ref()
                .map(|time| time.0)
                .unwrap_or_default(),
        })
    };
    record.last = terminated(&before.last_state);
    if let Some(ended) = terminated(&before.state) {
        record.state = State::Ended(ended);
    }
}

fn container_id(text: Option<&str>) -> Option<sampan_container::ContainerId> {
    text?.strip_prefix("sampan://")?.parse().ok()
}

fn recall_present(
    record: &mut Record,
    (before, container): (Option<&ApiStatus>, Option<&Container>),
    mut own: Vec<ContainerStatus>,
) -> Vec<ContainerStatus> {
    let Some(newest) = own.pop() else {
        return own;
    };
    let attempt = Identity::of(&newest).map_or(0, |identity| identity.attempt);
    record.restarts = record.restarts.max(attempt);
    match &newest.state {
        // It was never started; the next round makes another one.
        ContainerState::Created => {
            own.push(newest);
            return own;
        }
        ContainerState::Running { .. } => {
            let same = before.filter(|before| {
                container_id(before.container_id.as_deref()).as_ref() == Some(&newest.id)
            });
            // The status was not written any more when the container was started: it begins as after a start.
            let has = |kind: Kind| container.is_some_and(|container| kind.of(container).is_some());
            record.started = same.map_or_else(
                || !has(Kind::Startup),
                |before| before.started == Some(true),
            );
            record.ready = same.map_or_else(|| !has(Kind::Readiness), |before| before.ready);
            record.wait("ContainerCreating", None);
            let started_at = newest.started_at.unwrap_or(newest.created_at);
            record.state = State::Running {
                id: newest.id.clone(),
                started_at,
            };
        }
        ContainerState::Exited(exit) => {
            let ended = ended(&newest, exit, None);
            let known = matches!(&record.state, State::Ended(old) if old.id == ended.id);
            if !known {
                record.state = State::Ended(ended);
            }
        }
    }
    // The one before is kept for `kubectl logs --previous`.
    let keep = record.last.as_ref().and_then(|ended| ended.id.clone());
    own.retain(|container| Some(&container.id) != keep.as_ref());
    own
}

/// How a container ended, as its pod tells it.
pub(crate) fn ended(container: &ContainerStatus, exit: &Exit, message: Option<String>) -> Ended {
    Ended {
        id: Some(container.id.clone()),
        code: exit.code,
        signal: exit.signal,
        reason: reason(exit).to_owned(),
        message: message.or_else(|| exit.reason.clone()),
        started_at: container.started_at.or(Some(container.created_at)),
        finished_at: exit.finished_at,
    }
}

fn reason(exit: &Exit) -> &'static str {
    match exit {
        Exit {
            oom_killed: true, ..
        } => "OOMKilled",
        Exit {
            reason: Some(_), ..
        } => "ContainerStatusUnknown",
        Exit { code: 0, .. } => "Completed",
        _ => "Error",
    }
}

/// Forgets what ran in a network that is gone: what may be restarted begins anew, restarts are counted on.
pub(crate) fn start_over(records: &mut [Record], policy: RestartPolicy, now: Timestamp) {
    for record in records {
        if let State::Running { id, started_at } = &record.state {
            record.state = State::Ended(Ended {
                id: Some(id.clone()),
                code: 255,
                signal: None,
                reason: "Unknown".to_owned(),
                message: Some("the pod lost its network".to_owned()),
                started_at: Some(*started_at),
                finished_at: now,
            });
        }
        let again = match &record.state {
            State::Ended(_) if record.role == Role::Init => policy != RestartPolicy::Never,
            State::Ended(ended) => policy.restarts(record.role, ended),
            _ => false,
        };
        if again {
            record.wait("PodInitializing", None);
        }
        record.started = false;
        record.ready = false;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The running container of an attempt, as it is found after a restart.
    fn found(attempt: i32) -> ContainerStatus {
        let identity = Identity {
            namespace: "shop".to_owned(),
            pod: "web-0".to_owned(),
            uid: "1".to_owned(),
            container: "web".to_owned(),
            attempt,
        };
        let now = Timestamp::UNIX_EPOCH;
        ContainerStatus {
            id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            name: None,
            image: "web:1".to_owned(),
            command: Vec::new(),
            ports: Vec::new(),
            address: None,
            created_at: now,
            started_at: Some(now),
            state: ContainerState::Running { pid: 1 },
            labels: identity.labels(),
        }
    }

    fn recalled(container: &Value, statuses: &Value) -> (bool, bool) {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web-0", "namespace": "shop", "uid": "1"},
            "spec": {"containers": [container]},
            "status": {"containerStatuses": statuses},
        }))
        .unwrap();
        let mut records = record::all(pod.spec.as_ref().unwrap());
        let useless = recall(&pod, &mut records, vec![found(0)]);
        assert!(useless.is_empty() && records[0].running().is_some());
        (records[0].started, records[0].ready)
    }

    #[test]
    fn a_container_whose_start_no_status_tells_of_begins_as_after_a_start() {
        let waiting = json!([{"name": "web", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ContainerCreating"}}}]);
        let get = json!({"httpGet": {"port": 80}});
        let plain = json!({"name": "web"});
        assert_eq!(recalled(&plain, &waiting), (true, true));
        let probed = json!({"name": "web", "startupProbe": get, "readinessProbe": get});
        assert_eq!(recalled(&probed, &waiting), (false, false));
        let told = json!([{"name": "web", "image": "", "imageID": "", "ready": true, "started": true,
            "restartCount": 0, "containerID": format!("sampan://{}", found(0).id)}]);
        assert_eq!(recalled(&probed, &told), (true, true));
    }
}
