//! Starting containers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use sampan_container::ContainerId;
use sampan_model::Causes;
use sampan_supervise::clock;

use super::Worker;
use crate::controllers::events::Kind as EventKind;
use crate::error::Error;
use crate::kubelet::images::{self, ImageError, Ready};
use crate::kubelet::launch::{Launch, LaunchError};
use crate::kubelet::probes::Kind;
use crate::kubelet::record::{self, Ended, State};
use crate::kubelet::sources::{self, Sources};
use crate::kubelet::volumes::Pins;
use crate::kubelet::{blocking, hooks};

/// How long an image that is not there is waited for before the next look, at first and at most.
const IMAGE_RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// How long a container that cannot be described waits.
const CONFIG_RETRY: Duration = Duration::from_secs(10);
/// How long a hook after the start may take.
const POST_START_LIMIT: Duration = Duration::from_mins(5);

impl Worker {
    /// Starts containers one after the other.
    pub(super) async fn start_all(&mut self, pod: &Pod, places: &[usize]) -> Result<(), Error> {
        let sources = sources::read(&self.kubelet.context.objects, pod).await?;
        let sources = Arc::new(sources);
        for index in places {
            self.start(pod, *index, Arc::clone(&sources)).await?;
        }
        Ok(())
    }

    async fn start(&mut self, pod: &Pod, index: usize, sources: Arc<Sources>) -> Result<(), Error> {
        let Some(container) = record::find(pod, &self.records[index].name).cloned() else {
            return Ok(());
        };
        let Some(image) = self.image(pod, index, &container).await? else {
            return Ok(());
        };
        let attempt = self.next_attempt(index);
        match self
            .create(pod, &container, (image, sources, attempt))
            .await?
        {
            Ok(id) => {
                let text = format!("Created container: {}", container.name);
                self.container_event(pod, index, EventKind::Normal, ("Created", text));
                self.turn_over(index, attempt).await?;
                self.launch(pod, index, &container, id).await
            }
            Err(Refusal::Command(message)) => {
                self.turn_over(index, attempt).await?;
                self.failed_to_start(pod, index, (None, clock::now()), message);
                Ok(())
            }
            Err(Refusal::Other(reason, message)) => {
                let text = format!("Error: {message}");
                self.container_event(pod, index, EventKind::Warning, ("Failed", text));
                self.set_waiting(index, reason, message, CONFIG_RETRY);
                Ok(())
            }
        }
    }

    /// The number of the attempt that is to be made now.
    fn next_attempt(&self, index: usize) -> i32 {
        let record = &self.records[index];
        if record.was_started() {
            record.restarts + 1
        } else {
            record.restarts
        }
    }

    /// Finds and unpacks the image; `None` when it is not there.
    async fn image(
        &mut self,
        pod: &Pod,
        index: usize,
        container: &Container,
    ) -> Result<Option<Ready>, Error> {
        let name = container.image.clone().unwrap_or_default();
        let (content, snapshots) = (
            self.kubelet.tools.content.clone(),
            self.kubelet.tools.snapshots.clone(),
        );
        let wanted = name.clone();
        let found = blocking(move || images::prepare(&content, &snapshots, &wanted)).await?;
        match found {
            Ok(ready) => {
                self.records[index].image_id.clone_from(&ready.id);
                let text = format!("Container image \"{name}\" already present on machine");
                self.container_event(pod, index, EventKind::Normal, ("Pulled", text));
                Ok(Some(ready))
            }
            Err(error) => {
                self.no_image(pod, index, &name, &error);
                Ok(None)
            }
        }
    }

    fn no_image(&mut self, pod: &Pod, index: usize, name: &str, error: &ImageError) {
        let message = Causes(error).to_string();
        let again = matches!(
            self.records[index].state,
            State::Waiting {
                reason: "ErrImagePull" | "ImagePullBackOff",
                ..
            }
        );
        if matches!(error, ImageError::Name { .. }) {
            let text = format!("Error: InvalidImageName: {message}");
            self.container_event(pod, index, EventKind::Warning, ("InspectFailed", text));
            self.set_waiting(index, "InvalidImageName", message, IMAGE_RETRY.1);
        } else if again {
            let text = format!("Back-off pulling image \"{name}\"");
            if !matches!(
                self.records[index].state,
                State::Waiting {
                    reason: "ImagePullBackOff",
                    ..
                }
            ) {
                self.container_event(pod, index, EventKind::Normal, ("BackOff", text.clone()));
            }
            self.set_waiting(
                index,
                "ImagePullBackOff",
                format!("{text}: {message}"),
                IMAGE_RETRY.1,
            );
        } else {
            let text = format!("Failed to pull image \"{name}\": {message}");
            self.container_event(pod, index, EventKind::Warning, ("Failed", text));
            let text = "Error: ErrImagePull".to_owned();
            self.container_event(pod, index, EventKind::Warning, ("Failed", text));
            self.set_waiting(index, "ErrImagePull", message, IMAGE_RETRY.0);
        }
    }

    fn set_waiting(
        &mut self,
        index: usize,
        reason: &'static str,
        message: String,
        retry: Duration,
    ) {
        let record = &mut self.records[index];
        record.wait(reason, Some(message));
        record.retry_at = Some(Self::later(retry));
    }

    /// Creates the container; the inner error is for users.
    async fn create(
        &self,
        pod: &Pod,
        container: &Container,
        (image, sources, attempt): (Ready, Arc<Sources>, i32),
    ) -> Result<Result<ContainerId, Refusal>, Error> {
        let Some(sandbox) = self.sandbox.clone() else {
            return Err(Error::Internal(
                "a container was to be started without a network".to_owned(),
            ));
        };
        let (pod, container) = (pod.clone(), container.clone());
        let volumes = self.volumes.clone().into_iter().collect();
        let around = self.surroundings();
        let folder = self.kubelet.folder(&self.uid);
        let last_words = self.last_words(&container.name, attempt);
        let dns = self.kubelet.tools.bridge.dns().into();
        let runtime = self.kubelet.tools.runtime.clone();
        blocking(move || {
            let launch = Launch {
                pod: &pod,
                container: &container,
                image: &image,
                sandbox: &sandbox,
                volumes: &volumes,
                sources: &sources,
                around: &around,
                dns,
                last_words,
                attempt,
            };
            let mut pins = Pins::new(&folder, &container.name);
            let spec = launch
                .describe(&mut pins)
                .map_err(|error| refused(&error))?;
            make_file(&launch.last_words)
                .map_err(|error| Refusal::Other("CreateContainerError", error.to_string()))?;
            runtime.create(&spec).map_err(|error| not_created(&error))
        })
        .await
    }

    /// The file for a container's last words.
    pub(super) fn last_words(&self, name: &str, attempt: i32) -> PathBuf {
        self.kubelet
            .folder(&self.uid)
            .join("last-words")
            .join(format!("{name}-{attempt}"))
    }

    /// A new attempt begins: the one before becomes the last one, the one before that is removed.
    async fn turn_over(&mut self, index: usize, attempt: i32) -> Result<(), Error> {
        let record = &mut self.records[index];
        record.wait("ContainerCreating", None);
        if attempt > record.restarts {
            let finished = record
                .last
                .as_ref()
                .map_or_else(clock::now, |ended| ended.finished_at);
            record.backoff.restarted(finished, clock::now());
        }
        record.restarts = attempt;
        record.retry_at = None;
        let stale = std::mem::take(&mut record.stale);
        self.remove_containers(stale).await
    }

    async fn launch(
        &mut self,
        pod: &Pod,
        index: usize,
        container: &Container,
        id: ContainerId,
    ) -> Result<(), Error> {
        let (runtime, wanted) = (self.kubelet.tools.runtime.clone(), id.clone());
        let started_at = clock::now();
        if let Err(error) = blocking(move || runtime.start(&wanted)).await? {
            self.failed_to_start(
                pod,
                index,
                (Some(id), started_at),
                Causes(&error).to_string(),
            );
            return Ok(());
        }
        let text = format!("Started container {}", container.name);
        self.container_event(pod, index, EventKind::Normal, ("Started", text));
        let record = &mut self.records[index];
        record.state = State::Running {
            id: id.clone(),
            started_at,
        };
        record.started = container.startup_probe.is_none();
        record.ready = container.readiness_probe.is_none();
        self.watch(index, id.clone());
        self.post_start(pod, index, container, &id).await;
        Ok(())
    }

    fn failed_to_start(
        &mut self,
        pod: &Pod,
        index: usize,
        (id, started_at): (Option<ContainerId>, Timestamp),
        message: String,
    ) {
        let text = format!("Error: {message}");
        self.container_event(pod, index, EventKind::Warning, ("Failed", text));
        self.records[index].state = State::Ended(Ended {
            id,
            code: 128,
            signal: None,
            reason: "StartError".to_owned(),
            message: Some(message),
            started_at: Some(started_at),
            finished_at: clock::now(),
        });
    }

    async fn post_start(
        &mut self,
        pod: &Pod,
        index: usize,
        container: &Container,
        id: &ContainerId,
    ) {
        let hook = container
            .lifecycle
            .as_ref()
            .and_then(|hooks| hooks.post_start.as_ref());
        let Some(hook) = hook else { return };
        let runtime = self.kubelet.tools.runtime.clone();
        let outcome = hooks::run(
            hook,
            container,
            self.address(),
            (&runtime, id),
            POST_START_LIMIT,
        )
        .await;
        if let Err(message) = outcome {
            let text = format!("PostStartHook failed: {message}");
            self.container_event(
                pod,
                index,
                EventKind::Warning,
                ("FailedPostStartHook", text),
            );
            self.stop_for_restart(pod, index, "FailedPostStartHook".to_owned(), None);
        }
    }

    /// Starts the probes that should run and do not.
    pub(super) fn probe(&mut self, pod: &Pod) {
        for index in 0..self.records.len() {
            let record = &self.records[index];
            let State::Running { id, started_at } = &record.state else {
                continue;
            };
            if record.stopping {
                continue;
            }
            let Some(container) = record::find(pod, &record.name) else {
                continue;
            };
            let kinds: &[Kind] = if record.started {
                &[Kind::Liveness, Kind::Readiness]
            } else {
                &[Kind::Startup]
            };
            let (id, started_at, ready) = (id.clone(), *started_at, record.ready);
            for kind in kinds {
                if let Some(probe) = kind.of(container)
                    && !self.probers.contains_key(&(index, *kind))
                {
                    let verdict = match kind {
                        Kind::Readiness => ready,
                        Kind::Liveness => true,
                        Kind::Startup => false,
                    };
                    let about = (index, id.clone(), *kind);
                    self.start_probe(about, probe.clone(), container, (started_at, verdict));
                }
            }
        }
    }
}

/// Why there is no container.
enum Refusal {
    /// What it should run is not there or cannot be run; that counts as a start that failed.
    Command(String),
    /// Something else, with the reason as statuses name it.
    Other(&'static str, String),
}

fn refused(error: &LaunchError) -> Refusal {
    Refusal::Other("CreateContainerConfigError", Causes(error).to_string())
}

fn not_created(error: &sampan_container::Error) -> Refusal {
    use sampan_container::Error::{CommandNotExecutable, CommandNotFound};
    match error {
        CommandNotFound(_) | CommandNotExecutable { .. } => {
            Refusal::Command(Causes(error).to_string())
        }
        _ => Refusal::Other("CreateContainerError", Causes(error).to_string()),
    }
}

fn make_file(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create(path)?;
    // The container may run as any user.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
}
