//! What happens to containers: they end, their probes report.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Probe};
use sampan_container::{ContainerId, Exit};
use sampan_model::Causes;
use sampan_supervise::{Shutdown, clock};
use tokio::task::JoinError;

use super::{Done, Worker};
use crate::controllers::events::Kind as EventKind;
use crate::kubelet::probes::check::Action;
use crate::kubelet::probes::{Kind, Prober, Report};
use crate::kubelet::record::{Ended, State};
use crate::kubelet::{adoption, blocking, record};

/// How much of a container's last words is kept.
const LAST_WORDS_BYTES: u64 = 4096;

impl Worker {
    /// A task of this worker's has ended.
    pub(super) async fn finished(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(Done::Exited(index, id, exit)) => self.exited(index, &id, exit).await,
            Ok(Done::Stopped) => {}
            Err(error) if error.is_cancelled() => {}
            Err(error) => tracing::error!(pod = ?self.key, %error, "a task of a pod ended badly"),
        }
    }

    async fn exited(
        &mut self,
        index: usize,
        id: &ContainerId,
        exit: Result<Exit, sampan_container::Error>,
    ) {
        if self.records[index].running() != Some(id) {
            return;
        }
        self.stop_probes_of(index);
        let ended = self.ended(index, id, exit).await;
        let record = &mut self.records[index];
        record.started = false;
        record.ready = false;
        record.stopping = false;
        record.state = State::Ended(ended);
    }

    async fn ended(
        &self,
        index: usize,
        id: &ContainerId,
        exit: Result<Exit, sampan_container::Error>,
    ) -> Ended {
        let record = &self.records[index];
        let words = self.last_words(&record.name, record.restarts);
        let (runtime, wanted) = (self.kubelet.tools.runtime.clone(), id.clone());
        let looked = blocking(move || (runtime.status(&wanted), read_end(&words))).await;
        match (exit, looked) {
            (Ok(exit), Ok((Ok(status), message))) => adoption::ended(&status, &exit, message),
            (exit, _) => {
                let message = match exit {
                    Ok(_) => "the container is gone".to_owned(),
                    Err(error) => Causes(&error).to_string(),
                };
                Ended {
                    id: Some(id.clone()),
                    code: 137,
                    signal: None,
                    reason: "ContainerStatusUnknown".to_owned(),
                    message: Some(message),
                    started_at: None,
                    finished_at: clock::now(),
                }
            }
        }
    }

    /// A probe reports.
    pub(super) fn reported(&mut self, report: Report) {
        let Some(record) = self.records.get_mut(report.index) else {
            return;
        };
        if record.running() != Some(&report.id) {
            return;
        }
        match (report.kind, report.verdict) {
            (Kind::Readiness, Some(verdict)) => record.ready = verdict,
            (Kind::Startup, Some(true)) => record.started = true,
            _ => {}
        }
        let name = record.name.clone();
        if report.kind == Kind::Startup && report.verdict.is_some() {
            self.probers.remove(&(report.index, Kind::Startup));
        }
        let Some(pod) = self.stub() else { return };
        if let Some(failure) = report.failure {
            let text = format!("{} probe failed: {failure}", report.kind.name());
            self.container_event(&pod, report.index, EventKind::Warning, ("Unhealthy", text));
        }
        let hopeless =
            matches!(report.kind, Kind::Liveness | Kind::Startup) && report.verdict == Some(false);
        if hopeless {
            let kind = report.kind.name().to_lowercase();
            let text = format!("Container {name} failed {kind} probe, will be restarted");
            self.stop_for_restart(&pod, report.index, text, Some(report.kind));
        }
    }

    /// Starts one probe.
    pub(super) fn start_probe(
        &mut self,
        (index, id, kind): (usize, ContainerId, Kind),
        probe: Probe,
        container: &Container,
        (started_at, verdict): (Timestamp, bool),
    ) {
        let stop = Shutdown::new();
        let prober = Prober {
            index,
            id,
            kind,
            action: Action::of_probe(&probe, container, self.address()),
            probe,
            started_at,
            verdict,
            runtime: self.kubelet.tools.runtime.clone(),
            reports: self.reports.0.clone(),
        };
        let signal = stop.child();
        self.jobs.spawn(async move {
            prober.run(signal).await;
            Done::Stopped
        });
        self.probers.insert((index, kind), stop);
    }

    /// Stops all probes.
    pub(super) fn stop_probes(&mut self) {
        self.probers.drain().for_each(|(_, stop)| stop.trigger());
    }

    /// Stops the probes of one container.
    pub(super) fn stop_probes_of(&mut self, index: usize) {
        self.probers.retain(|(of, _), stop| {
            if *of == index {
                stop.trigger();
            }
            *of != index
        });
    }
}

/// The end of a file, `None` when there is nothing in it.
fn read_end(path: &Path) -> Option<String> {
    // A container whose folder is gone has left no words.
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS_BYTES)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(LAST_WORDS_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (!text.is_empty()).then_some(text)
}

/// The container of a record.
pub(super) fn container_of<'a>(
    pod: &'a k8s_openapi::api::core::v1::Pod,
    worker: &Worker,
    index: usize,
) -> Option<&'a Container> {
    record::find(pod, &worker.records[index].name)
}
