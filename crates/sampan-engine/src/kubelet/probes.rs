//! Probes: one task for each probe of a running container; it reports when the verdict changes.

pub(crate) mod check;
mod threshold;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Probe};
use sampan_container::{ContainerId, Runtime};
use sampan_supervise::{Shutdown, clock};
use tokio::sync::mpsc;

use check::{Action, Outcome};
use threshold::Thresholds;

/// A container that has never been ready is looked at this often …
const EAGER_PERIOD: Duration = Duration::from_secs(1);
/// … while it is younger than this, so that a quick start does not wait for a whole period.
const EAGER_FOR: Duration = Duration::from_secs(20);

/// What a probe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Whether the container has started.
    Startup,
    /// Whether it has to be restarted.
    Liveness,
    /// Whether it can take requests.
    Readiness,
}

impl Kind {
    /// The word that events use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }

    /// The probe of this kind that a container has.
    pub(crate) fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            Self::Startup => container.startup_probe.as_ref(),
            Self::Liveness => container.liveness_probe.as_ref(),
            Self::Readiness => container.readiness_probe.as_ref(),
        }
    }
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// The place of the container in the pod.
    pub(crate) index: usize,
    /// The container that was probed.
    pub(crate) id: ContainerId,
    /// What the probe is for.
    pub(crate) kind: Kind,
    /// What this one attempt failed with, if it did.
    pub(crate) failure: Option<String>,
    /// The new verdict, when the thresholds have been reached.
    pub(crate) verdict: Option<bool>,
}

/// One probe of one container.
pub(crate) struct Prober {
    /// The place of the container in the pod.
    pub(crate) index: usize,
    /// The container.
    pub(crate) id: ContainerId,
    /// What the probe is for.
    pub(crate) kind: Kind,
    /// How to probe.
    pub(crate) probe: Probe,
    /// What to do.
    pub(crate) action: Action,
    /// Since when the container has been running.
    pub(crate) started_at: Timestamp,
    /// The verdict that holds until the first report.
    pub(crate) verdict: bool,
    /// Runs commands in the container.
    pub(crate) runtime: Runtime,
    /// Where reports go.
    pub(crate) reports: mpsc::Sender<Report>,
}

fn seconds(value: Option<i32>, default: u64) -> Duration {
    let given = value
        .and_then(|value| u64::try_from(value).ok())
        .filter(|value| *value > 0);
    Duration::from_secs(given.unwrap_or(default))
}

impl Prober {
    /// Probes until it is told to stop, or until a startup probe has succeeded.
    pub(crate) async fn run(self, stop: Shutdown) {
        tokio::select! {
            () = stop.triggered() => {}
            () = self.probe() => {}
        }
    }

    async fn probe(self) {
        if let Action::Unsupported(what) = self.action {
            // A container is not killed for a probe that cannot be made, but it does not become ready either.
            let verdict = (self.kind == Kind::Startup).then_some(true);
            self.report(Some(what.to_owned()), verdict).await;
            return;
        }
        let period = seconds(self.probe.period_seconds, 10);
        let timeout = seconds(self.probe.timeout_seconds, 1);
        let delay = u64::try_from(self.probe.initial_delay_seconds.unwrap_or(0)).unwrap_or(0);
        let age = Duration::try_from(clock::now().duration_since(self.started_at));
        let left = Duration::from_secs(delay).saturating_sub(age.unwrap_or(Duration::ZERO));
        tokio::time::sleep(left).await;
        let mut thresholds = Thresholds::new(
            self.verdict,
            self.probe.success_threshold.unwrap_or(1),
            self.probe.failure_threshold.unwrap_or(3),
        );
        loop {
            let outcome = check::check(&self.action, &self.runtime, &self.id, timeout).await;
            let success = matches!(outcome, Outcome::Success);
            let verdict = thresholds.observe(success);
            let failure = match outcome {
                Outcome::Success => None,
                Outcome::Failure(message) => Some(message),
            };
            if (failure.is_some() || verdict.is_some()) && !self.report(failure, verdict).await {
                return;
            }
            let over = match self.kind {
                Kind::Startup => verdict.is_some(),
                // The container is about to be restarted.
                Kind::Liveness => verdict == Some(false),
                Kind::Readiness => false,
            };
            if over {
                return;
            }
            let eager = self.kind == Kind::Readiness && !thresholds.was_up() && self.is_young();
            tokio::time::sleep(if eager {
                period.min(EAGER_PERIOD)
            } else {
                period
            })
            .await;
        }
    }

    fn is_young(&self) -> bool {
        let age = Duration::try_from(clock::now().duration_since(self.started_at));
        age.is_ok_and(|age| age < EAGER_FOR)
    }

    async fn report(&self, failure: Option<String>, verdict: Option<bool>) -> bool {
        let report = Report {
            index: self.index,
            id: self.id.clone(),
            kind: self.kind,
            failure,
            verdict,
        };
        self.reports.send(report).await.is_ok()
    }
}
