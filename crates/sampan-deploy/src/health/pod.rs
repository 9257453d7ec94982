//! Why a pod is waiting.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use serde::Serialize;

/// Something that keeps a pod from being ready.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// The pod.
    pub pod: String,
    /// The container, when it is the trouble of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What is wrong; reads on from the pod's name: `keeps crashing`.
    pub what: String,
    /// When the pod was made.
    #[serde(skip)]
    pub(super) created_at: Option<Timestamp>,
    /// After which time it will not mend itself.
    #[serde(skip)]
    pub(super) hopeless_after: Option<Duration>,
    /// Whether the log of the run before tells more.
    #[serde(skip)]
    pub(super) previous_log: bool,
}

/// Twice the first wait of Kubernetes' back-off: a registry that hiccups has had its second chance.
const SECOND_CHANCE: Duration = Duration::from_secs(20);

/// Restarts after which a crash is no accident.
const CRASHES: i32 = 2;

/// The weight of a crash.
const CRASH: u8 = 3;

/// How long a container may run without being ready before that is a trouble.
const WARM_UP: SignedDuration = SignedDuration::from_secs(10);

/// What keeps the pod from being ready, if anything is known.
pub(super) fn trouble(pod: &Pod, now: Timestamp) -> Option<Trouble> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let status = pod.status.as_ref()?;
    let none = Vec::new();
    let containers = status
        .init_container_statuses
        .as_ref()
        .unwrap_or(&none)
        .iter();
    let containers = containers.chain(status.container_statuses.as_ref().unwrap_or(&none));
    let found = containers
        .filter_map(|status| container_trouble(status, now))
        .max_by_key(|found| found.weight);
    let found = found.or_else(|| unscheduled(pod)).or_else(|| failed(pod))?;
    // How often its pods may crash, a job decides itself.
    let decided = found.weight == CRASH && is_of_job(pod);
    Some(Trouble {
        pod: pod.metadata.name.clone().unwrap_or_default(),
        container: found.container,
        what: found.what,
        created_at: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
        hopeless_after: found.hopeless_after.filter(|_| !decided),
        previous_log: found.previous_log,
    })
}

/// Whether a job owns the pod.
fn is_of_job(pod: &Pod) -> bool {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.any(|owner| owner.controller == Some(true) && owner.kind == "Job")
}

/// What the target warned of about a pod, the latest last.
pub(super) fn warnings(events: &[Event], pod: &str) -> Vec<String> {
    let mut warnings: Vec<&Event> = events
        .iter()
        .filter(|event| event.type_.as_deref() == Some("Warning"))
        .filter(|event| event.involved_object.name.as_deref() == Some(pod))
        .collect();
    warnings.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    let newest = warnings.iter().rev().take(3).rev();
    newest
        .filter_map(|event| event.message.as_ref())
        .map(|message| message.trim().to_owned())
        .collect()
}

struct Found {
    container: Option<String>,
    what: String,
    hopeless_after: Option<Duration>,
    previous_log: bool,
    /// Which of several troubles is told.
    weight: u8,
}

impl Found {
    fn of(status: &ContainerStatus, what: String, weight: u8) -> Self {
        Self {
            container: Some(status.name.clone()),
            what,
            hopeless_after: None,
            previous_log: false,
            weight,
        }
    }
}

fn container_trouble(status: &ContainerStatus, now: Timestamp) -> Option<Found> {
    let name = &status.name;
    let state = status.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        return waiting_trouble(status, reason, waiting.message.as_deref());
    }
    if let Some(ended) = state
        .terminated
        .as_ref()
        .filter(|ended| ended.exit_code != 0)
    {
        let what = format!(
            "has crashed: container `{name}` ended with exit code {}",
            ended.exit_code
        );
        return Some(Found {
            hopeless_after: crashes(status),
            ..Found::of(status, what, CRASH)
        });
    }
    if status.ready || state.running.is_none() {
        return None;
    }
    // It runs and is not ready: after restarts its liveness probe is to blame, else its readiness probe.
    if status.restart_count > 0 {
        let what = format!(
            "is not ready: container `{name}` was restarted {} times",
            status.restart_count
        );
        return Some(Found {
            previous_log: true,
            ..Found::of(status, what, 2)
        });
    }
    let since = state
        .running
        .as_ref()
        .and_then(|running| running.started_at.as_ref());
    if since.is_some_and(|since| now.duration_since(since.0) < WARM_UP) {
        return None;
    }
    let what = format!("is not ready: container `{name}` runs, but its readiness probe fails");
    Some(Found::of(status, what, 1))
}

fn waiting_trouble(status: &ContainerStatus, reason: &str, message: Option<&str>) -> Option<Found> {
    let (name, image) = (&status.name, &status.image);
    let message = message.map_or_else(String::new, |message| format!(": {}", message.trim()));
    let (what, hopeless_after) = match reason {
        "CrashLoopBackOff" => {
            let what = format!("keeps crashing: container `{name}` {}", last_end(status));
            let found = Found::of(status, what, CRASH);
            return Some(Found {
                hopeless_after: crashes(status),
                previous_log: true,
                ..found
            });
        }
        "ErrImageNeverPull" | "InvalidImageName" => {
            (format!("has no image `{image}`{message}"), Duration::ZERO)
        }
        "ErrImagePull" | "ImagePullBackOff" => (
            format!("cannot get the image `{image}`{message}"),
            SECOND_CHANCE,
        ),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => (
            format!("cannot start container `{name}` ({reason}){message}"),
            SECOND_CHANCE,
        ),
        _ => return None,
    };
    Some(Found {
        hopeless_after: Some(hopeless_after),
        ..Found::of(status, what, 4)
    })
}

fn crashes(status: &ContainerStatus) -> Option<Duration> {
    (status.restart_count >= CRASHES).then_some(Duration::ZERO)
}

fn last_end(status: &ContainerStatus) -> String {
    let ended = status
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let how = match ended {
        Some(ended) if ended.reason.as_deref() == Some("OOMKilled") => {
            "needs more memory than its limit".to_owned()
        }
        Some(ended) => format!("ends with exit code {}", ended.exit_code),
        None => "ends".to_owned(),
    };
    format!("{how}, {} restarts", status.restart_count)
}

fn unscheduled(pod: &Pod) -> Option<Found> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|found| found.type_ == "PodScheduled" && found.status == "False")?;
    let message = condition.message.as_deref().unwrap_or("no node takes it");
    let what = format!("has no place to run: {message}");
    Some(Found {
        container: None,
        what,
        hopeless_after: None,
        previous_log: false,
        weight: 0,
    })
}

fn failed(pod: &Pod) -> Option<Found> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Failed") {
        return None;
    }
    let why = status
        .message
        .as_deref()
        .or(status.reason.as_deref())
        .unwrap_or("no reason given");
    Some(Found {
        container: None,
        what: format!("has failed: {why}"),
        hopeless_after: None,
        previous_log: false,
        weight: 0,
    })
}
