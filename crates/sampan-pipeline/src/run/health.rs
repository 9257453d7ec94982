//! How it is told whether a service is well: by its options, and by what its image says.

use std::time::Duration;

use serde::Deserialize;

use crate::github::HealthCheck;

/// The longest time between two questions; Docker has 30 seconds where nothing is said, which nobody wants to wait for.
const INTERVAL: Duration = Duration::from_secs(2);

/// The shortest.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// How long a service may take to become well when nothing is said.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long it may take at least.
const LEAST_PATIENCE: Duration = Duration::from_secs(10);

/// `HEALTHCHECK` of an image, as its configuration has it; times are nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ImageHealth {
    test: Vec<String>,
    interval: u64,
    timeout: u64,
    start_period: u64,
    retries: u32,
}

/// The configuration of an image, as far as it is about this.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    config: Container,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Container {
    healthcheck: Option<ImageHealth>,
}

/// How a service is asked whether it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// Program and arguments; it is well when that exits with 0.
    pub(super) command: Vec<String>,
    /// The time between two questions.
    pub(super) interval: Duration,
    /// How long an answer may take.
    pub(super) limit: Duration,
    /// How long the service may take to become well.
    pub(super) patience: Duration,
}

impl Configuration {
    pub(super) fn health(self) -> Option<ImageHealth> {
        self.config.healthcheck
    }
}

impl ImageHealth {
    /// Program and arguments, where there is something to ask.
    fn command(&self) -> Option<Vec<String>> {
        let (kind, rest) = self.test.split_first()?;
        match kind.as_str() {
            "CMD" if !rest.is_empty() => Some(rest.to_vec()),
            "CMD-SHELL" => Some(shell(rest.first()?)),
            // `NONE`, or nothing that is known.
            _ => None,
        }
    }
}

impl Check {
    /// What options say goes before what the image says.
    pub(super) fn of(options: &HealthCheck, image: Option<&ImageHealth>) -> Option<Self> {
        let own = options.command.as_deref().map(shell);
        let command = own.or_else(|| image?.command())?;
        let said = |own: Option<Duration>, of_image: fn(&ImageHealth) -> u64| {
            let of_image = image.map(of_image).filter(|nanoseconds| *nanoseconds > 0);
            own.or(of_image.map(Duration::from_nanos))
        };
        let interval = said(options.interval, |image| image.interval);
        let retries = image.map(|image| image.retries).filter(|count| *count > 0);
        let patience = match (interval, options.retries.or(retries)) {
            (Some(interval), Some(retries)) => interval.saturating_mul(retries),
            _ => PATIENCE,
        };
        let start = said(options.start_period, |image| image.start_period);
        Some(Self {
            command,
            interval: interval
                .unwrap_or(INTERVAL)
                .clamp(SHORTEST_INTERVAL, INTERVAL),
            limit: said(options.timeout, |image| image.timeout)
                .unwrap_or(PATIENCE)
                .min(PATIENCE),
            patience: patience
                .max(LEAST_PATIENCE)
                .saturating_add(start.unwrap_or_default()),
        })
    }
}

fn shell(command: &str) -> Vec<String> {
    ["/bin/sh", "-c", command].map(str::to_owned).to_vec()
}
