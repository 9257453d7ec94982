//! One receiver's way through the events.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use sampan_store::registry::{Event, EventId, Ledger, NewDelivery};
use sampan_supervise::{Shutdown, clock};

use super::receiver::{Attempt, Receiver};
use super::schedule::{Failed, Schedule};

/// How many events are read at once.
const BATCH: u32 = 64;
/// How many events may wait for their next attempts while others go on.
const PARKED: u32 = 100;
/// How long to wait when the ledger fails.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long to wait at most before looking again: other processes may write events, and clocks may be set.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Brings events to one receiver, in order.
#[derive(Debug)]
pub(super) struct Courier {
    ledger: Ledger,
    receiver: Receiver,
    /// The last event that has been sent or passed over.
    seen: EventId,
    /// Whether the last event was given up, and nothing has been taken since.
    hopeless: bool,
    /// Whether the last attempt failed in a way in which the next one would, too.
    is_blocked: bool,
    /// Whether there may be something to do of which no event tells any more.
    is_behind: bool,
}

/// What to do next.
enum Next {
    /// There may be more.
    GoOn,
    /// Wait for new events.
    Rest,
    /// Wait until the next attempt.
    Wait(Duration),
    /// The same, or for new events.
    RestFor(Duration),
    /// The server stops.
    Stop,
}

impl Courier {
    /// Goes on behind what the receiver has seen.
    pub(super) fn new(ledger: Ledger, receiver: Receiver, seen: EventId) -> Self {
        Self {
            ledger,
            receiver,
            seen,
            hopeless: false,
            is_blocked: false,
            is_behind: false,
        }
    }

    /// Begins with all that there is.
    pub(super) fn behind(ledger: Ledger, receiver: Receiver) -> Self {
        Self {
            is_behind: true,
            ..Self::new(ledger, receiver, EventId(0))
        }
    }

    pub(super) fn name(&self) -> &str {
        self.receiver.name()
    }

    /// Delivers until the shutdown.
    pub(super) async fn run(mut self, schedule: Schedule, shutdown: Shutdown) {
        let schedule = self.receiver.schedule(schedule);
        let mut newest = self.ledger.newest_event();
        while !shutdown.is_triggered() {
            newest.mark_unchanged();
            let pause = match self.step(&schedule, &shutdown).await {
                Ok(Next::GoOn) => continue,
                Ok(Next::Stop) | Err(sampan_store::Error::Closed) => return,
                Ok(Next::Wait(pause)) => pause.min(LOOK_AGAIN),
                Ok(rest @ (Next::Rest | Next::RestFor(_))) => {
                    let pause = match rest {
                        Next::RestFor(pause) => pause.min(LOOK_AGAIN),
                        _ => LOOK_AGAIN,
                    };
                    tokio::select! {
                        () = shutdown.triggered() => {}
                        changed = newest.changed() => if changed.is_err() { return },
                        () = tokio::time::sleep(pause) => {}
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
            .due_deliveries(self.name(), Timestamp::MAX, PARKED)
            .await?;
        let is_full = planned.len() == PARKED as usize;
        let mut planned = planned.into_iter().map(|delivery| delivery.attempt);
        if self.is_behind {
            let before = planned.find(|planned| planned.event == self.seen);
            return self.catch_up(before, schedule, shutdown).await;
        }
        let Some(planned) = planned.next() else {
            return self.advance(schedule, shutdown).await;
        };
        if let Some(pause) = pause(planned.next_attempt_at, schedule) {
            if self.receiver.keeps_order() || self.is_blocked || is_full {
                return Ok(Next::Wait(pause));
            }
            return Ok(match self.advance(schedule, shutdown).await? {
                Next::Rest => Next::RestFor(pause),
                next => next,
            });
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
        if removed > 0 && self.receiver.can_go_round() {
            self.is_behind = true;
            return Ok(Next::GoOn);
        }
        if removed > 0 {
            tracing::warn!(
                removed,
                "events were removed before they could be delivered"
            );
        }
        let wanted = events.iter().find(|event| self.receiver.wants(event));
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
            sent = self.receiver.send(event) => sent,
            // It is sent again after the next start.
            () = out_of_time(shutdown) => return Ok(Next::Stop),
        };
        match sent {
            Some(sent) => {
                let failed = Failed {
                    attempt,
                    happened_at: event.at,
                    now: clock::now(),
                    hopeless: self.hopeless,
                };
                self.record(event.id, at, sent, failed, schedule).await?;
            }
            None if attempt == 1 => self.ledger.pass_events(self.name(), event.id).await?,
            None => {
                let over = NewDelivery {
                    webhook: self.name().to_owned(),
                    event: event.id,
                    attempt,
                    at,
                    status: Some(StatusCode::OK.as_u16()),
                    outcome: "there is nothing to do any more".to_owned(),
                    next_attempt_at: None,
                };
                self.ledger.record_delivery(over).await?;
            }
        }
        self.seen = self.seen.max(event.id);
        Ok(Next::GoOn)
    }

    /// Does all that events may have been about that are gone, and goes on with those that come from now on.
    async fn catch_up(
        &mut self,
        before: Option<NewDelivery>,
        schedule: &Schedule,
        shutdown: &Shutdown,
    ) -> Result<Next, sampan_store::Error> {
        let due = before.as_ref().and_then(|before| before.next_attempt_at);
        if let Some(pause) = pause(due, schedule) {
            return Ok(Next::Wait(pause));
        }
        let attempt = before.map_or(1, |before| before.attempt + 1);
        let newest = *self.ledger.newest_event().borrow();
        let at = clock::now();
        let gone = tokio::select! {
            gone = self.receiver.go_round() => gone,
            () = out_of_time(shutdown) => return Ok(Next::Stop),
        };
        let is_over = match gone {
            Some(gone) => {
                let failed = Failed {
                    attempt,
                    happened_at: at,
                    now: clock::now(),
                    hopeless: false,
                };
                self.record(self.seen, at, gone, failed, schedule).await?
            }
            None => true,
        };
        if is_over {
            self.ledger
                .subscribe_webhook_from(self.name(), newest)
                .await?;
            self.seen = self.seen.max(newest);
            self.is_behind = false;
        }
        Ok(Next::GoOn)
    }

    /// Writes an attempt down; says whether it was the last one.
    async fn record(
        &mut self,
        event: EventId,
        at: Timestamp,
        sent: Attempt,
        failed: Failed,
        schedule: &Schedule,
    ) -> Result<bool, sampan_store::Error> {
        let delivered = sent.is_delivered();
        self.is_blocked = !delivered && sent.is_general;
        let next_attempt_at = if delivered {
            None
        } else if sent.is_general {
            schedule.again(failed.attempt, failed.now)
        } else {
            schedule.next(failed)
        };
        let given_up = !delivered && next_attempt_at.is_none();
        let mut outcome = sent.outcome;
        if given_up {
            outcome = format!("given up: {outcome}");
            tracing::warn!(event = event.0, outcome, "an event has been given up");
        } else if !delivered {
            let attempt = failed.attempt;
            tracing::info!(event = event.0, attempt, outcome, "a delivery failed");
        }
        let delivery = NewDelivery {
            webhook: self.name().to_owned(),
            event,
            attempt: failed.attempt,
            at,
            status: sent.status.map(|status| status.as_u16()),
            outcome,
            next_attempt_at,
        };
        self.ledger.record_delivery(delivery).await?;
        self.hopeless = given_up || self.hopeless && !delivered;
        Ok(next_attempt_at.is_none())
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
