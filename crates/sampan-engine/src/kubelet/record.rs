//! What the kubelet knows of each container of a pod.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use sampan_container::ContainerId;

use super::backoff::Backoff;

/// What a container is in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It runs to its end before the next one is started.
    Init,
    /// An init container that goes on running beside the others.
    Sidecar,
    /// It does the pod's work.
    App,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The container, unless it could not even be created.
    pub(crate) id: Option<ContainerId>,
    /// The exit code.
    pub(crate) code: i32,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// One word why.
    pub(crate) reason: String,
    /// What it left as its last words.
    pub(crate) message: Option<String>,
    /// When it was started.
    pub(crate) started_at: Option<Timestamp>,
    /// When it ended.
    pub(crate) finished_at: Timestamp,
}

/// Where a container is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not started yet, or not again yet.
    Waiting {
        /// One word why.
        reason: &'static str,
        /// More of it.
        message: Option<String>,
    },
    /// Running.
    Running {
        /// The container.
        id: ContainerId,
        /// Since when.
        started_at: Timestamp,
    },
    /// Ended; it may be started again.
    Ended(Ended),
}

impl State {
    /// Waiting for a reason that speaks for itself.
    pub(crate) fn waiting(reason: &'static str) -> Self {
        Self::Waiting {
            reason,
            message: None,
        }
    }
}

/// One container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its name in the pod.
    pub(crate) name: String,
    /// What it is there for.
    pub(crate) role: Role,
    /// Where it is in its life.
    pub(crate) state: State,
    /// How it ended the time before.
    pub(crate) last: Option<Ended>,
    /// How often it has been started again.
    pub(crate) restarts: i32,
    /// The image by digest, once it was found.
    pub(crate) image_id: String,
    /// Whether its startup probe (if any) has succeeded.
    pub(crate) started: bool,
    /// Whether its readiness probe (if any) succeeds.
    pub(crate) ready: bool,
    /// Whether it is being stopped, to be restarted.
    pub(crate) stopping: bool,
    /// How long restarts wait.
    pub(crate) backoff: Backoff,
    /// Containers of earlier attempts that nobody needs any more.
    pub(crate) stale: Vec<ContainerId>,
    /// Until when a failed creation is not tried again.
    pub(crate) retry_at: Option<Timestamp>,
}

impl Record {
    /// A container that has never been started.
    pub(crate) fn new(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            role,
            state: State::waiting("ContainerCreating"),
            last: None,
            restarts: 0,
            image_id: String::new(),
            started: false,
            ready: false,
            stopping: false,
            backoff: Backoff::default(),
            stale: Vec::new(),
            retry_at: None,
        }
    }

    /// The container, while it runs.
    pub(crate) fn running(&self) -> Option<&ContainerId> {
        match &self.state {
            State::Running { id, .. } => Some(id),
            _ => None,
        }
    }

    /// How it ended most recently.
    pub(crate) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            _ => self.last.as_ref(),
        }
    }

    /// Leaves a container that has ended for another state; how it ended is remembered instead of how the one
    /// before did.
    pub(crate) fn wait(&mut self, reason: &'static str, message: Option<String>) {
        let next = State::Waiting { reason, message };
        if let State::Ended(ended) = std::mem::replace(&mut self.state, next) {
            self.remember(ended);
        }
    }

    /// Remembers how a container ended.
    pub(crate) fn remember(&mut self, ended: Ended) {
        let keep = ended.id.clone();
        let older = self.last.replace(ended).and_then(|older| older.id);
        self.stale
            .extend(older.filter(|id| Some(id) != keep.as_ref()));
    }

    /// Whether it has been started at least once.
    pub(crate) fn was_started(&self) -> bool {
        self.last.is_some() || !matches!(self.state, State::Waiting { .. })
    }
}

/// Whether the containers proper have begun, after which init containers are history. In a new network they
/// have not: they wait for the init containers again.
pub(crate) fn have_begun(records: &[Record]) -> bool {
    records.iter().any(|record| {
        let waits_for_init = matches!(
            record.state,
            State::Waiting {
                reason: "PodInitializing",
                ..
            }
        );
        record.role == Role::App && record.was_started() && !waits_for_init
    })
}

/// Records for all containers of a pod, init containers first.
pub(crate) fn all(spec: &PodSpec) -> Vec<Record> {
    containers(spec)
        .map(|(container, role)| Record::new(&container.name, role))
        .collect()
}

/// All containers of a pod with their roles, init containers first.
pub(crate) fn containers(spec: &PodSpec) -> impl Iterator<Item = (&Container, Role)> {
    let init = spec.init_containers.iter().flatten().map(|container| {
        let sidecar = container.restart_policy.as_deref() == Some("Always");
        (container, if sidecar { Role::Sidecar } else { Role::Init })
    });
    init.chain(
        spec.containers
            .iter()
            .map(|container| (container, Role::App)),
    )
}

/// The container with this name.
pub(crate) fn find<'a>(pod: &'a Pod, name: &str) -> Option<&'a Container> {
    containers(pod.spec.as_ref()?)
        .map(|(c, _)| c)
        .find(|container| container.name == name)
}
