//! What has happened in the registry, written in the transaction in which it happened.

use std::fmt;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::watch;

use super::columns::{stored_size, stored_time, time, undecodable, unsigned};
use super::{Ledger, statements};
use crate::Error;
use crate::writer::State;

/// How many events are kept, and how often the older ones are removed.
const KEEP_EVENTS: i64 = 10_000;
const TRIM_EVERY: i64 = 256;

/// How many events at most wait for a webhook that does not take them, so that the disk does not fill: a few hundred
/// megabytes.
const KEEP_WAITING: i64 = 1_000_000;

statements! {
    EVENTS = "SELECT id, kind, repository, digest, tag, media_type, size_bytes, actor, at FROM events \
        WHERE id > ? ORDER BY id LIMIT ?";
    EVENT = "SELECT id, kind, repository, digest, tag, media_type, size_bytes, actor, at FROM events WHERE id = ?";
    NEWEST = "SELECT seq FROM sqlite_sequence WHERE name = 'events'";
    RECORD = "INSERT INTO events (kind, repository, digest, tag, media_type, size_bytes, actor, at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    /// The last event before all those that a webhook has not been told of, or has to be told of again.
    SETTLED = "SELECT MIN(MIN(seen, COALESCE((SELECT MIN(event) - 1 FROM deliveries \
        WHERE webhook = webhooks.name AND next_attempt_at IS NOT NULL), seen))) FROM webhooks WHERE name > ''";
    TRIM_EVENTS = "DELETE FROM events WHERE id <= ?";
    TRIM_DELIVERIES = "DELETE FROM deliveries WHERE event <= ?";
}

/// The number of an event; later ones have greater numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub i64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A manifest came to a repository, or a tag came to point at it.
    Pushed,
    /// A manifest is gone.
    ManifestDeleted,
    /// A tag is gone; its manifest may still be there.
    TagDeleted,
    /// A repository does not hold a blob any more, because somebody deleted it there.
    BlobDeleted,
}

impl EventKind {
    const ALL: [Self; 4] = [
        Self::Pushed,
        Self::ManifestDeleted,
        Self::TagDeleted,
        Self::BlobDeleted,
    ];

    /// The word that is stored.
    fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::ManifestDeleted => "manifest-deleted",
            Self::TagDeleted => "tag-deleted",
            Self::BlobDeleted => "blob-deleted",
        }
    }
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// What it is.
    pub kind: EventKind,
    /// Where.
    pub repository: String,
    /// The manifest or blob.
    pub digest: String,
    /// The tag, if it is about one.
    pub tag: Option<String>,
    /// The media type, of a manifest.
    pub media_type: Option<String>,
    /// The size of the manifest or blob, where it is known.
    pub size_bytes: Option<u64>,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// The events after `after`, oldest first, at most `limit`. Very old ones are gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, after: EventId, limit: u32) -> Result<Vec<Event>, Error> {
        sqlx::query(EVENTS)
            .bind(after.0)
            .bind(limit)
            .try_map(|row: SqliteRow| event(&row))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::sql("list the events"))
    }

    /// An event, unless it is so old that it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>, Error> {
        sqlx::query(EVENT)
            .bind(id.0)
            .try_map(|row: SqliteRow| event(&row))
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::sql("look for an event"))
    }

    /// The number of the newest event, and a way to wait for newer ones. It ends when the store is closed.
    #[must_use]
    pub fn newest_event(&self) -> watch::Receiver<EventId> {
        self.newest_event.clone()
    }
}

fn event(row: &SqliteRow) -> Result<Event, sqlx::Error> {
    let word: &str = row.try_get("kind")?;
    let kind = EventKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| undecodable("kind", std::io::Error::other(word.to_owned())))?;
    let size_bytes: Option<i64> = row.try_get("size_bytes")?;
    Ok(Event {
        id: EventId(row.try_get("id")?),
        kind,
        repository: row.try_get("repository")?,
        digest: row.try_get("digest")?,
        tag: row.try_get("tag")?,
        media_type: row.try_get("media_type")?,
        size_bytes: size_bytes
            .map(|stored| unsigned(stored, "size_bytes"))
            .transpose()?,
        actor: row.try_get("actor")?,
        at: time(row, "at")?,
    })
}

/// An event that is to be written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewEvent<'a> {
    pub(super) kind: EventKind,
    pub(super) repository: &'a str,
    pub(super) digest: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) media_type: Option<&'a str>,
    pub(super) size_bytes: Option<u64>,
    pub(super) actor: &'a str,
    pub(super) at: Timestamp,
}

/// Writes events down, and tells those who wait for them once they are committed.
#[derive(Debug)]
pub(crate) struct Outbox {
    newest: watch::Sender<EventId>,
    /// The newest event of the batch that is being written.
    pending: Option<EventId>,
}

impl Outbox {
    pub(crate) async fn open(connection: &mut SqliteConnection) -> Result<Self, Error> {
        let newest: Option<i64> = sqlx::query_scalar(NEWEST)
            .fetch_optional(connection)
            .await
            .map_err(Error::sql("read the number of the newest event"))?;
        Ok(Self {
            newest: watch::Sender::new(EventId(newest.unwrap_or(0))),
            pending: None,
        })
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<EventId> {
        self.newest.subscribe()
    }

    pub(super) async fn record(
        &mut self,
        connection: &mut SqliteConnection,
        event: NewEvent<'_>,
    ) -> Result<(), sqlx::Error> {
        let done = sqlx::query(RECORD)
            .bind(event.kind.as_str())
            .bind(event.repository)
            .bind(event.digest)
            .bind(event.tag)
            .bind(event.media_type)
            .bind(event.size_bytes.map(stored_size))
            .bind(event.actor)
            .bind(stored_time(event.at))
            .execute(&mut *connection)
            .await?;
        let id = done.last_insert_rowid();
        self.pending = Some(EventId(id));
        if id % TRIM_EVERY == 0 {
            trim(connection, id).await?;
        }
        Ok(())
    }
}

/// Removes old events with their deliveries, but for those that webhooks wait for.
async fn trim(connection: &mut SqliteConnection, newest: i64) -> Result<(), sqlx::Error> {
    let settled: Option<i64> = sqlx::query_scalar(SETTLED)
        .fetch_one(&mut *connection)
        .await?;
    let old = newest - KEEP_EVENTS;
    let until = settled.map_or(old, |settled| old.min(settled).max(newest - KEEP_WAITING));
    for statement in [TRIM_EVENTS, TRIM_DELIVERIES] {
        sqlx::query(statement)
            .bind(until)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

impl State for Outbox {
    fn settle(&mut self, committed: bool) {
        if let Some(newest) = self.pending.take()
            && committed
        {
            self.newest.send_replace(newest);
        }
    }

    async fn rest(&mut self, _: &mut SqliteConnection) {}
}
