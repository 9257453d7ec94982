//! Webhooks: what happens in the registry is told to addresses that the user configured.
//!
//! The ledger writes each event in the transaction of the push or delete itself, so none is missed. Each webhook has
//! a task of its own, which sends one event after the other: the next goes out when the one before has been
//! taken or given up, and what a slow receiver makes wait is only its own. What was sent, and how that went, is written
//! into the ledger's log of deliveries before the next step. So a kill at any moment means at worst that an
//! event is sent twice; its `id` is the same then.

mod courier;
mod envelope;
mod error;
mod receiver;
mod schedule;
mod sender;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sampan_store::registry::Ledger;
use sampan_supervise::{Shutdown, Tasks};
use tracing::Instrument as _;

pub use error::EventsError;
pub use schedule::Schedule;
pub use webhook::{Action, Format, Webhook, Webhooks};

use crate::replication::{Replicator, SUBSCRIPTIONS};
use courier::Courier;
use envelope::Source;
use receiver::Receiver;
use sender::Sender;

/// How long a request that is on its way may still take when the server stops.
const GRACE: Duration = Duration::from_secs(3);

/// The registry that the events come from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The data folder, which names of files are relative to.
    pub data: PathBuf,
    /// Where the registry listens.
    pub address: SocketAddr,
}

/// Tells all webhooks what happens.
#[derive(Debug)]
pub struct Deliverer {
    ledger: Ledger,
    couriers: Vec<Courier>,
    schedule: Schedule,
}

impl Deliverer {
    /// Subscribes the webhooks: a new one is told of what happens from now on, a known one of what it has not seen. Those
    /// that are configured no more are forgotten.
    ///
    /// # Errors
    /// When the ledger fails, or a certificate cannot be used.
    pub async fn new(
        ledger: Ledger,
        webhooks: &Webhooks,
        origin: &Origin,
    ) -> Result<Self, EventsError> {
        for (name, _) in ledger.webhooks().await? {
            let is_rule = name.starts_with(SUBSCRIPTIONS);
            if !is_rule && !webhooks.iter().any(|webhook| webhook.name == name) {
                ledger.forget_webhook(&name).await?;
            }
        }
        let instance = uuid::Uuid::new_v4().to_string();
        let mut couriers = Vec::new();
        for webhook in webhooks.iter() {
            let source = Arc::new(Source::new(webhook, origin.address, instance.clone()));
            let sender = Sender::new(webhook.clone(), source, &origin.data)?;
            let seen = ledger.subscribe_webhook(&webhook.name).await?;
            let receiver = Receiver::Webhook(Box::new(sender));
            couriers.push(Courier::new(ledger.clone(), receiver, seen));
        }
        Ok(Self {
            ledger,
            couriers,
            schedule: Schedule::default(),
        })
    }

    /// Tells rules of replication as well: a new one begins with all that is here. Those that are configured no more are
    /// forgotten.
    pub(crate) async fn replicating(
        mut self,
        replicators: Vec<Replicator>,
    ) -> Result<Self, EventsError> {
        let known = self.ledger.webhooks().await?;
        let rules = known
            .iter()
            .filter(|(name, _)| name.starts_with(SUBSCRIPTIONS));
        for (name, _) in rules {
            let mut configured = replicators.iter();
            if !configured.any(|replicator| replicator.subscription() == name) {
                self.ledger.forget_webhook(name).await?;
            }
        }
        for replicator in replicators {
            let mut rows = known.iter();
            let row = rows.find(|(name, _)| name == replicator.subscription());
            let (ledger, receiver) = (
                self.ledger.clone(),
                Receiver::Registry(Box::new(replicator)),
            );
            self.couriers.push(match row {
                Some((_, seen)) => Courier::new(ledger, receiver, *seen),
                None => Courier::behind(ledger, receiver),
            });
        }
        Ok(self)
    }

    /// Tries again by another schedule than the usual one.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Delivers until the shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        let tasks = Tasks::new();
        for courier in self.couriers {
            let span = tracing::info_span!("webhook", name = courier.name());
            let work = courier.run(self.schedule, shutdown.clone());
            tasks.spawn("webhook", work.instrument(span));
        }
        shutdown.triggered().await;
        if !tasks.finish(GRACE * 2).await {
            tracing::warn!("webhooks did not stop in time");
        }
    }
}
