//! One webhook's way through the events.

use std::time::Duration;

use jiff::Timestamp;
use sampan_store::registry::{Event, EventId, Ledger, NewDelivery};
use sampan_supervise::{Shutdown, clock};

use super::schedule::{Failed, Schedule};
use super::sender::Sender;

/// How many events are read at once.
const BATCH: u32 = 64;
/// How long to wait when the ledger fails.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long to wait at most before looking again: other processes may write events, and clocks may be set.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Brings events to one webhook, in order.
#[derive(Debug)]
pub(super) struct Courier {
    ledger: Ledger,
    sender: Sender,
    /// The last event that has been sent or passed over.
    seen: EventId,
    /// Whether the last event was given up, and nothing has been taken since.
    hopeless: bool,
}

/// What to do next.
enum Next {
    /// There may be more.
    GoOn,
    /// Wait for new events.
    Rest,
    /// Wait until the next attempt.
    Wait(Duration),
    /// The server stops.
    Stop,
}

impl Courier {
    pub(super) fn new(ledger: Ledger, sender: Sender, seen: EventId) -> Self {
        Self {
            ledger,
            sender,
            seen,
            hopeless: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.sender.webhook.name
    }

    /// Delivers until the shutdown.
    pub(super) async fn run(mut self, schedule: Schedule, shutdown: Shutdown) {
        let mut newest = self.ledger.newest_event();
        while !shutdown.is_triggered() {
            newest.mark_unchanged();
            let pause = match self.step(&schedule, &shutdown).await {
                Ok(Next::GoOn) => continue,
                Ok(Next::Stop) | Err(sampan_store::Error::Closed) => return,
                Ok(Next::Wait(pause)) => pause.min(LOOK_AGAIN),
                Ok(Next::Rest) => {
                    tokio::select! {
                        () = shutdown.triggered() => {}
                        changed = newest.changed() => if changed.is_err() { return },
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                    }
                    continue;
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot look after deliveries"
                    );
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = shutdown.triggered() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tries what failed before, or else goes on to what is new.
    async fn step(
        &mut self,
        schedule: &Schedule,
        shutdown: &Shutdown,
    ) -> Result<Next, sampan_store::Error> {
        let planned = self
            .ledger
            .due_deliveries(self.name(), Timestamp::MAX, 1)
            .await?
            .pop();
        let Some(planned) = planned.map(|delivery| delivery.attempt) else {
            return self.advance(schedule, shutdown).await;
        };
        if let Some(pause) = pause(planned.next_attempt_at, schedule) {
            return Ok(Next::Wait(pause));
        }
        if let Some(event) = self.ledger.event(planned.event).await? {
            let attempt = planned.attempt + 1;
            return self.deliver(&event, attempt, schedule, shutdown).await;
        }
        let gone = NewDelivery {
            at: clock::now(),
            status: None,
            outcome: "given up: the event is so old that it is gone".to_owned(),
            next_attempt_at: None,
            ..planned
        };
        self.ledger.record_delivery(gone).await?;
        Ok(Next::GoOn)
    }

    /// Delivers the next event that is wanted.
    async fn advance(
        &mut self,
        schedule: &Schedule,
        shutdown: &Shutdown,
    ) -> Result<Next, sampan_store::Error> {
        let events = self.ledger.events(self.seen, BATCH).await?;
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(Next::Rest);
        };
        let removed = first.id.0 - self.seen.0 - 1;
        if removed > 0 {
            tracing::warn!(
                removed,
                "events were removed before they could be delivered"
            );
        }
        let webhook = &self.sender.webhook;
        let wanted = events
            .iter()
            .find(|event| webhook.wants(event.kind, &event.repository));
        if let Some(event) = wanted {
            return self.deliver(event, 1, schedule, shutdown).await;
        }
        self.ledger.pass_events(self.name(), last.id).await?;
        self.seen = last.id;
        Ok(Next::GoOn)
    }

    async fn deliver(
        &mut self,
        event: &Event,
        attempt: u32,
        schedule: &Schedule,
        shutdown: &Shutdown,
    ) -> Result<Next, sampan_store::Error> {
        let at = clock::now();
        let sent = tokio::select! {
            sent = self.sender.send(event) => sent,
            // It is sent again after the next start.
            () = out_of_time(shutdown) => return Ok(Next::Stop),
        };
        let delivered = sent.is_delivered();
        let failed = Failed {
            attempt,
            happened_at: event.at,
            now: clock::now(),
            hopeless: self.hopeless,
        };
        let next_attempt_at = if delivered {
            None
        } else {
            schedule.next(failed)
        };
        let given_up = !delivered && next_attempt_at.is_none();
        let mut outcome = sent.outcome;
        if given_up {
            outcome = format!("given up: {outcome}");
            tracing::warn!(event = event.id.0, outcome, "an event has been given up");
        } else if !delivered {
            tracing::info!(event = event.id.0, attempt, outcome, "a delivery failed");
        }
        let delivery = NewDelivery {
            webhook: self.name().to_owned(),
            event: event.id,
            attempt,
            at,
            status: sent.status.map(|status| status.as_u16()),
            outcome,
            next_attempt_at,
        };
        self.ledger.record_delivery(delivery).await?;
        self.seen = self.seen.max(event.id);
        self.hopeless = given_up || self.hopeless && !delivered;
        Ok(Next::GoOn)
    }
}

/// How long to wait for what is due at a time; no time when it is due. A time that lies too far ahead comes from a clock
/// that has been set back.
fn pause(due: Option<Timestamp>, schedule: &Schedule) -> Option<Duration> {
    let ahead = due?.duration_since(clock::now());
    let ahead = Duration::try_from(ahead).ok()?;
    (!ahead.is_zero() && ahead <= schedule.longest).then_some(ahead)
}

async fn out_of_time(shutdown: &Shutdown) {
    shutdown.triggered().await;
    tokio::time::sleep(super::GRACE).await;
}
