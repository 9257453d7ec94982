//! How events reached webhooks, or did not.
//!
//! Whoever delivers takes the events after what a webhook has seen, in order, and writes each first attempt down
//! with [`Ledger::record_delivery`], which moves the mark; what failed is tried again when it is due. A kill
//! between sending and writing down means that the event is sent twice, never that it is lost.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::columns::{count, stored_time, time, undecodable};
use super::{EventId, Ledger, Outbox, statements};
use crate::Error;
use crate::writer::{Carried, Operation};

statements! {
    DELIVERIES = "SELECT id, webhook, event, attempt, at, status, outcome, next_attempt_at FROM deliveries \
        WHERE id < ? ORDER BY id DESC LIMIT ?";
    DELIVERIES_TO = "SELECT id, webhook, event, attempt, at, status, outcome, next_attempt_at FROM deliveries \
        WHERE id < ? AND webhook = ? ORDER BY id DESC LIMIT ?";
    DUE = "SELECT id, webhook, event, attempt, at, status, outcome, next_attempt_at FROM deliveries \
        WHERE webhook = ? AND next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ?";
    NEXT_DUE = "SELECT MIN(next_attempt_at) FROM deliveries WHERE webhook = ? AND next_attempt_at IS NOT NULL";
    /// A new webhook is told of what happens from now on.
    SUBSCRIBE = "INSERT INTO webhooks (name, seen) VALUES (?, COALESCE( \
          (SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)) \
        ON CONFLICT (name) DO UPDATE SET seen = seen RETURNING seen";
    /// Every name is greater than nothing, which lets SQLite go by the key.
    WEBHOOKS = "SELECT name, seen FROM webhooks WHERE name > '' ORDER BY name";
    FORGET_WEBHOOK = "DELETE FROM webhooks WHERE name = ?";
    SETTLE_ALL = "UPDATE deliveries SET next_attempt_at = NULL WHERE webhook = ? AND next_attempt_at IS NOT NULL";
    SUBSCRIBE_FROM = "INSERT INTO webhooks (name, seen) VALUES (?, ?) \
        ON CONFLICT (name) DO UPDATE SET seen = MAX(seen, excluded.seen)";
    PASS = "UPDATE webhooks SET seen = MAX(seen, ?) WHERE name = ?";
    SETTLE = "UPDATE deliveries SET next_attempt_at = NULL \
        WHERE event = ? AND webhook = ? AND next_attempt_at IS NOT NULL";
    RECORD_DELIVERY = "INSERT INTO deliveries (webhook, event, attempt, at, status, outcome, next_attempt_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?)";
}

/// An attempt that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The name of the webhook.
    pub webhook: String,
    /// What was to be delivered.
    pub event: EventId,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// One line for people.
    pub outcome: String,
    /// When it is to be tried again; absent when it was delivered or given up.
    pub next_attempt_at: Option<Timestamp>,
}

/// An attempt as the log shows it. Of an event's attempts at most the last has a next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number in the log.
    pub id: i64,
    /// The attempt.
    pub attempt: NewDelivery,
}

impl Ledger {
    /// The attempts to deliver, newest first: those before the entry `before`, to one webhook or all, at most
    /// `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(
        &self,
        webhook: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error> {
        let before = before.unwrap_or(i64::MAX);
        let query = match webhook {
            Some(webhook) => sqlx::query(DELIVERIES_TO).bind(before).bind(webhook),
            None => sqlx::query(DELIVERIES).bind(before),
        };
        query
            .bind(limit)
            .try_map(|row: SqliteRow| delivery(&row))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the deliveries"))
    }

    /// The failed attempts whose next one is due, longest due first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_deliveries(
        &self,
        webhook: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error> {
        sqlx::query(DUE)
            .bind(webhook)
            .bind(stored_time(now))
            .bind(limit)
            .try_map(|row: SqliteRow| delivery(&row))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("look for deliveries that are due"))
    }

    /// When the next attempt is due, if there is to be one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_delivery(&self, webhook: &str) -> Result<Option<Timestamp>, Error> {
        let stored: Option<i64> = sqlx::query_scalar(NEXT_DUE)
            .bind(webhook)
            .fetch_one(&self.pool)
            .await
            .map_err(Error::sql("look for the next delivery"))?;
        stored
            .map(Timestamp::from_microsecond)
            .transpose()
            .map_err(|error| undecodable("next_attempt_at", error))
            .map_err(Error::sql("look for the next delivery"))
    }

    /// The last event that a webhook has seen. One that was not known before sees the events from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscribe_webhook(&self, webhook: &str) -> Result<EventId, Error> {
        let webhook = webhook.to_owned();
        self.writer.submit(Subscribe { webhook }).await
    }

    /// Lets a webhook have seen the events up to `seen`, whether it was known before or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscribe_webhook_from(&self, webhook: &str, seen: EventId) -> Result<(), Error> {
        let webhook = webhook.to_owned();
        self.writer.submit(SubscribeFrom { webhook, seen }).await
    }

    /// The webhooks that have been subscribed, by name, and the last event that each has seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhooks(&self) -> Result<Vec<(String, EventId)>, Error> {
        sqlx::query(WEBHOOKS)
            .try_map(|row: SqliteRow| Ok((row.try_get("name")?, EventId(row.try_get("seen")?))))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the webhooks"))
    }

    /// Ends a subscription; nothing is to be tried again. What was tried stays in the log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_webhook(&self, webhook: &str) -> Result<(), Error> {
        let webhook = webhook.to_owned();
        self.writer.submit(Forget { webhook }).await
    }

    /// Notes that a webhook has no interest in the events up to `seen`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pass_events(&self, webhook: &str, seen: EventId) -> Result<(), Error> {
        let webhook = webhook.to_owned();
        self.writer.submit(Pass { webhook, seen }).await
    }

    /// Writes an attempt down; the webhook has then seen the event. It replaces what was planned for the event.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_delivery(&self, delivery: NewDelivery) -> Result<(), Error> {
        self.writer.submit(delivery).await
    }
}

fn delivery(row: &SqliteRow) -> Result<Delivery, sqlx::Error> {
    let next: Option<i64> = row.try_get("next_attempt_at")?;
    Ok(Delivery {
        id: row.try_get("id")?,
        attempt: NewDelivery {
            webhook: row.try_get("webhook")?,
            event: EventId(row.try_get("event")?),
            attempt: count(row, "attempt")?,
            at: time(row, "at")?,
            status: row.try_get("status")?,
            outcome: row.try_get("outcome")?,
            next_attempt_at: next.map(|_| time(row, "next_attempt_at")).transpose()?,
        },
    })
}

struct SubscribeFrom {
    webhook: String,
    seen: EventId,
}

impl Operation<Outbox> for SubscribeFrom {
    type Output = ();

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<()> {
        sqlx::query(SUBSCRIBE_FROM)
            .bind(&self.webhook)
            .bind(self.seen.0)
            .execute(connection)
            .await?;
        Ok(Ok(()))
    }
}

struct Subscribe {
    webhook: String,
}

impl Operation<Outbox> for Subscribe {
    type Output = EventId;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        _: &mut Outbox,
    ) -> Carried<EventId> {
        let seen = sqlx::query_scalar(SUBSCRIBE)
            .bind(&self.webhook)
            .fetch_one(connection)
            .await?;
        Ok(Ok(EventId(seen)))
    }
}

struct Forget {
    webhook: String,
}

impl Operation<Outbox> for Forget {
    type Output = ();

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<()> {
        for statement in [FORGET_WEBHOOK, SETTLE_ALL] {
            sqlx::query(statement)
                .bind(&self.webhook)
                .execute(&mut *connection)
                .await?;
        }
        Ok(Ok(()))
    }
}

struct Pass {
    webhook: String,
    seen: EventId,
}

impl Operation<Outbox> for Pass {
    type Output = ();

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<()> {
        pass(connection, &self.webhook, self.seen).await?;
        Ok(Ok(()))
    }
}

async fn pass(
    connection: &mut SqliteConnection,
    webhook: &str,
    seen: EventId,
) -> Result<(), sqlx::Error> {
    sqlx::query(PASS)
        .bind(seen.0)
        .bind(webhook)
        .execute(connection)
        .await?;
    Ok(())
}

impl Operation<Outbox> for NewDelivery {
    type Output = ();

    async fn carry_out(self, connection: &mut SqliteConnection, _: &mut Outbox) -> Carried<()> {
        pass(connection, &self.webhook, self.event).await?;
        sqlx::query(SETTLE)
            .bind(self.event.0)
            .bind(&self.webhook)
            .execute(&mut *connection)
            .await?;
        sqlx::query(RECORD_DELIVERY)
            .bind(&self.webhook)
            .bind(self.event.0)
            .bind(self.attempt)
            .bind(stored_time(self.at))
            .bind(self.status)
            .bind(&self.outcome)
            .bind(self.next_attempt_at.map(stored_time))
            .execute(connection)
            .await?;
        Ok(Ok(()))
    }
}
