//! Whether what was applied has come to run, and if not, why it is waiting.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use sampan_supervise::clock;
use serde::Serialize;
use tokio::time::Instant;

use crate::desired::Desired;
use crate::manifests::{Object, ObjectId};
use crate::target::{Cluster, TargetError};

mod job;
mod pod;
mod workload;

pub use pod::Trouble;

/// How often the target is asked.
const INTERVAL: Duration = Duration::from_millis(400);

/// The health of one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The object.
    pub object: ObjectId,
    /// How it is.
    pub state: State,
    /// In a few words: `1/2 ready`.
    pub summary: String,
    /// Why it is waiting, where that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
}

/// How an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// As it shall be.
    Healthy,
    /// On its way, as far as one can see.
    Waiting,
    /// Without hope to get there by itself.
    Failed,
    /// Not there at all.
    Missing,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Missing => "missing",
        })
    }
}

/// Why a release did not become healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// An object has no hope to become healthy by itself.
    #[error("{} will not become healthy: {}", object, reason)]
    Hopeless {
        /// The object.
        object: ObjectId,
        /// Why.
        reason: String,
        /// The last lines that its container has written.
        log: Vec<String>,
    },
    /// Time is up.
    #[error("not healthy within {}s: {}", timeout.as_secs(), waiting.join("; "))]
    Deadline {
        /// How long it was waited.
        timeout: Duration,
        /// What was not healthy, and why.
        waiting: Vec<String>,
        /// The last lines that a container in trouble has written.
        log: Vec<String>,
    },
    /// The target refused to tell.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl HealthError {
    /// The last lines that a container in trouble has written.
    #[must_use]
    pub fn log(&self) -> &[String] {
        match self {
            Self::Hopeless { log, .. } | Self::Deadline { log, .. } => log,
            Self::Target(_) => &[],
        }
    }
}

/// Looks once at all objects that can be healthy or not.
///
/// # Errors
/// [`TargetError`] when the target does not answer.
pub async fn look(cluster: &Cluster, desired: &Desired) -> Result<Vec<Health>, TargetError> {
    look_at_all(cluster, &desired.objects, Until::Healthy).await
}

async fn look_at_all(
    cluster: &Cluster,
    objects: &[Object],
    until: Until,
) -> Result<Vec<Health>, TargetError> {
    let mut found = Vec::new();
    for object in objects
        .iter()
        .filter(|object| workload::has_health(&object.id.kind))
    {
        found.push(look_at(cluster, object, until).await?);
    }
    Ok(found)
}

async fn look_at(cluster: &Cluster, object: &Object, until: Until) -> Result<Health, TargetError> {
    let id = &object.id;
    let Some(live) = cluster.get(id).await? else {
        let (state, summary) = match &id.namespace {
            // Only events still tell how it ended.
            Some(namespace) if job::goes_when_done(object) => {
                job::end(&cluster.events(namespace).await?, &id.name)
            }
            _ => (State::Missing, "not there".to_owned()),
        };
        return Ok(Health {
            object: id.clone(),
            state,
            summary,
            troubles: Vec::new(),
        });
    };
    let (mut state, summary) = workload::assess(&id.kind, &live);
    if until == Until::Ended && workload::goes_on(&live) && state == State::Healthy {
        state = State::Waiting;
    }
    let mut troubles = Vec::new();
    if state != State::Healthy
        && let (Some(namespace), Some(labels)) = (&id.namespace, workload::selector(&live))
    {
        let pods = cluster.pods(namespace, &labels).await?;
        troubles = pods
            .iter()
            .filter_map(|found| pod::trouble(found, clock::now()))
            .collect();
        // The newest pods are those of the release that is on its way.
        troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.created_at));
    }
    Ok(Health {
        object: id.clone(),
        state,
        summary,
        troubles,
    })
}

/// What a wait is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long it may take.
    pub timeout: Duration,
    /// When the rollout began; pods from before are no sign of its failure.
    pub since: Timestamp,
    /// What is waited for.
    pub until: Until,
}

/// What objects are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// That they are as they shall be.
    Healthy,
    /// That those which run to an end have come to it.
    Ended,
}

/// Waits until all objects are healthy, and tells about each look.
///
/// # Errors
/// [`HealthError`] when one has no hope or the time is up. A target that does not answer for a while is waited for.
pub async fn wait(
    cluster: &Cluster,
    objects: &[Object],
    patience: Patience,
    mut tell: impl FnMut(&[Health]),
) -> Result<(), HealthError> {
    let deadline = Instant::now() + patience.timeout;
    let mut seen: HashMap<String, Instant> = HashMap::new();
    loop {
        match look_at_all(cluster, objects, patience.until).await {
            Ok(found) => {
                tell(&found);
                if found.iter().all(|health| health.state == State::Healthy) {
                    return Ok(());
                }
                if let Some((health, trouble)) = hopeless(&found, patience.since, &mut seen) {
                    let log = last_lines(cluster, &health.object, trouble).await;
                    let reason = trouble.map_or_else(|| health.summary.clone(), explained);
                    return Err(HealthError::Hopeless {
                        object: health.object.clone(),
                        reason,
                        log,
                    });
                }
                if Instant::now() >= deadline {
                    return Err(late(cluster, &found, patience.timeout).await);
                }
            }
            Err(error) if error.is_temporary() && Instant::now() < deadline => {
                tracing::debug!(%error, "the target does not answer; waiting");
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The first object that will not get there by itself, with the trouble that says so.
fn hopeless<'a>(
    found: &'a [Health],
    since: Timestamp,
    seen: &mut HashMap<String, Instant>,
) -> Option<(&'a Health, Option<&'a Trouble>)> {
    if let Some(health) = found.iter().find(|health| health.state == State::Failed) {
        return Some((health, health.troubles.first()));
    }
    let troubles = found
        .iter()
        .flat_map(|health| health.troubles.iter().map(move |trouble| (health, trouble)));
    for (health, trouble) in troubles {
        // Creation times have whole seconds.
        let new = trouble
            .created_at
            .is_none_or(|created| created.as_second() >= since.as_second());
        let Some(grace) = trouble.hopeless_after.filter(|_| new) else {
            continue;
        };
        let first = *seen
            .entry(format!("{}/{}", trouble.pod, trouble.what))
            .or_insert_with(Instant::now);
        if first.elapsed() >= grace {
            return Some((health, Some(trouble)));
        }
    }
    None
}

async fn late(cluster: &Cluster, found: &[Health], timeout: Duration) -> HealthError {
    let unhealthy: Vec<&Health> = found
        .iter()
        .filter(|health| health.state != State::Healthy)
        .collect();
    let waiting = unhealthy
        .iter()
        .map(|health| {
            let why = health
                .troubles
                .first()
                .map_or_else(String::new, |trouble| format!(", {}", explained(trouble)));
            format!("{} is {}{why}", health.object, health.summary)
        })
        .collect();
    let first = unhealthy
        .iter()
        .find_map(|health| Some((&health.object, health.troubles.first()?)));
    let log = match first {
        Some((object, trouble)) => last_lines(cluster, object, Some(trouble)).await,
        None => Vec::new(),
    };
    HealthError::Deadline {
        timeout,
        waiting,
        log,
    }
}

fn explained(trouble: &Trouble) -> String {
    format!("pod {} {}", trouble.pod, trouble.what)
}

/// The last lines of the container in trouble, and what the target says of its pod. They only help to understand;
/// without them the trouble is told all the same.
async fn last_lines(
    cluster: &Cluster,
    object: &ObjectId,
    trouble: Option<&Trouble>,
) -> Vec<String> {
    let (Some(trouble), Some(namespace)) = (trouble, object.namespace.as_deref()) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    match cluster.events(namespace).await {
        Ok(events) => lines.extend(pod::warnings(&events, &trouble.pod)),
        Err(error) => tracing::debug!(%error, "no events"),
    }
    if let Some(container) = &trouble.container {
        match cluster
            .last_lines(namespace, &trouble.pod, container, trouble.previous_log)
            .await
        {
            Ok(text) => lines.extend(text.lines().map(|line| format!("{container}: {line}"))),
            Err(error) => tracing::debug!(%error, "no log"),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
