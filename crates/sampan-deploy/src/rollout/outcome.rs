//! What a rollout tells, and how it can end.

use sampan_model::{Hint, OrderId, ReleaseName};

use crate::checks::Checked;
use crate::health::{Health, HealthError};
use crate::history::HistoryError;
use crate::hook::Event;
use crate::manifests::ObjectId;
use crate::target::TargetError;

/// What a rollout tells while it goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The order is written down and runs.
    Started(OrderId),
    /// An object is being applied; the `at`-th of `of`.
    Applying {
        /// The object.
        object: &'a ObjectId,
        /// Its number, from 1.
        at: usize,
        /// How many there are.
        of: usize,
    },
    /// An object of the previous release is deleted, or one that is made anew.
    Deleting(&'a ObjectId),
    /// A hook begins.
    Hook {
        /// The moment that it is for.
        event: Event,
        /// What it makes.
        object: &'a ObjectId,
    },
    /// How healthy the objects are; told again and again.
    Waiting(&'a [Health]),
    /// A check begins.
    Checking(&'a str),
    /// A check has ended.
    Checked(&'a Checked),
    /// The release failed, and the previous one is put back.
    PuttingBack {
        /// The previous release.
        release: &'a ReleaseName,
        /// Why the new one failed.
        reason: &'a Setback,
    },
}

/// How a rollout ended.
#[derive(Debug)]
pub enum Outcome {
    /// The release runs, is healthy, and its checks passed.
    Succeeded(OrderId),
    /// The release failed, and the previous one runs again, healthy and checked.
    RolledBack {
        /// The order.
        order: OrderId,
        /// The release that runs again.
        release: ReleaseName,
        /// Why the new one failed.
        reason: Setback,
    },
    /// The release failed, and there is no previous one, or it failed as well.
    Failed {
        /// The order.
        order: OrderId,
        /// Why the new one failed.
        reason: Setback,
        /// Why the previous release could not be put back, when there is one.
        previous: Option<(ReleaseName, Setback)>,
    },
}

/// Why a release did not come to run.
#[derive(Debug, thiserror::Error)]
pub enum Setback {
    /// The target refused it or did not answer.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// It did not become healthy.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// A hook failed.
    #[error("the {event} hook {object} failed: {problem}")]
    Hook {
        /// The moment.
        event: Event,
        /// What it has made.
        object: ObjectId,
        /// Why; part of the message, so it is no source.
        problem: Box<Setback>,
    },
    /// A check failed.
    #[error("the check `{}` failed: {}", .0.name, .0.problem.as_deref().unwrap_or("no answer"))]
    Check(Checked),
}

impl Setback {
    /// The last lines that a container in trouble has written.
    #[must_use]
    pub fn log(&self) -> &[String] {
        match self {
            Self::Health(error) => error.log(),
            Self::Hook { problem, .. } => problem.log(),
            Self::Target(_) | Self::Check(_) => &[],
        }
    }
}

/// Why an order could not be carried out or written down.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The order cannot be written down.
    #[error(transparent)]
    Store(#[from] sampan_store::Error),
    /// The history stands in the way.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// What is to be brought about cannot be written down.
    #[error("cannot write the order down")]
    Body(#[source] serde_json::Error),
    /// This process cannot be named.
    #[error("cannot read about this process")]
    Process(#[source] std::io::Error),
}

impl Hint for RolloutError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::History(error) => error.hint(),
            Self::Body(_) | Self::Process(_) => None,
        }
    }
}
