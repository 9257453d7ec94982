//! Who is told of events: a webhook, or a rule of replication.

use std::time::Duration;

use futures_util::FutureExt as _;
use http::StatusCode;
use sampan_model::shortened;
use sampan_store::registry::Event;

use super::schedule::Schedule;
use super::sender::Sender;
use crate::replication::{Outcome, Replicator};

/// How much of an outcome comes into the log.
pub(super) const OUTCOME_LIMIT_CHARACTERS: usize = 200;
/// The longest wait for a registry. What is to be brought does not become less by waiting.
const LONGEST_FOR_REGISTRIES: Duration = Duration::from_mins(10);

/// Who is told of events.
#[derive(Debug)]
pub(super) enum Receiver {
    Webhook(Box<Sender>),
    Registry(Box<Replicator>),
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) status: Option<StatusCode>,
    /// One line for people.
    pub(super) outcome: String,
    /// Whether it would be in vain to go on with the next event, and is not to give this one up.
    pub(super) is_general: bool,
}

impl Attempt {
    pub(super) fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| status.is_success())
    }
}

impl From<Outcome> for Attempt {
    fn from(outcome: Outcome) -> Self {
        Self {
            status: outcome.status,
            outcome: shortened(&outcome.text, OUTCOME_LIMIT_CHARACTERS),
            is_general: outcome.is_general,
        }
    }
}

impl Receiver {
    /// What it is called in the log.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Webhook(sender) => &sender.webhook.name,
            Self::Registry(replicator) => replicator.subscription(),
        }
    }

    /// Whether it is to be told of this.
    pub(super) fn wants(&self, event: &Event) -> bool {
        match self {
            Self::Webhook(sender) => sender.webhook.wants(event.kind, &event.repository),
            Self::Registry(replicator) => replicator.wants(event),
        }
    }

    /// Tells it once; nothing when there turned out to be nothing to tell.
    pub(super) async fn send(&self, event: &Event) -> Option<Attempt> {
        match self {
            Self::Webhook(sender) => Some(sender.send(event).await),
            Self::Registry(replicator) => replicator.follow(event).boxed().await.map(Attempt::from),
        }
    }

    /// Does once all that events may have been about; nothing where that has no meaning.
    pub(super) async fn go_round(&self) -> Option<Attempt> {
        match self {
            Self::Webhook(_) => None,
            Self::Registry(replicator) => Some(replicator.go_round().boxed().await.into()),
        }
    }

    /// Whether events that it missed can be made up for.
    pub(super) fn can_go_round(&self) -> bool {
        matches!(self, Self::Registry(_))
    }

    /// Whether an event must wait for the one before it.
    pub(super) fn keeps_order(&self) -> bool {
        matches!(self, Self::Webhook(_))
    }

    /// When to try again.
    pub(super) fn schedule(&self, usual: Schedule) -> Schedule {
        match self {
            Self::Webhook(_) => usual,
            Self::Registry(_) => Schedule {
                longest: usual.longest.min(LONGEST_FOR_REGISTRIES),
                ..usual
            },
        }
    }
}
