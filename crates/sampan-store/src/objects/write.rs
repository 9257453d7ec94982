//! Writing objects: what a change does to the tables, and who is told of it.

use std::sync::Arc;

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::broadcast;

use super::{Change, ChangeKind, Key, Revision, Row};
use crate::Error;
use crate::writer::{self, Carried, Turn};

/// Changes that a slow watcher may lag behind before it has to read the history.
const RECENT: usize = 256;
/// The history is cut back once it holds this many changes, or this many bytes, more than it should.
const SLACK: i64 = 512;
const KEEP_CHANGES: i64 = 4096;
const KEEP_BYTES: i64 = 16 << 20;

/// A write that is asked for.
#[derive(Debug)]
pub(super) enum Operation {
    Create {
        key: Key,
        body: String,
    },
    Update {
        key: Key,
        expected: Option<Revision>,
        body: String,
    },
    Delete {
        key: Key,
        expected: Option<Revision>,
    },
}

/// The handle of the task that writes objects.
#[derive(Debug)]
pub(crate) struct Writer {
    task: writer::Writer<Publisher>,
    changes: broadcast::WeakSender<Arc<Change>>,
}

impl Writer {
    pub(crate) async fn start(mut connection: SqliteConnection, turn: Turn) -> Result<Self, Error> {
        let (watchers, _) = broadcast::channel(RECENT);
        let changes = watchers.downgrade();
        let publisher = Publisher {
            watchers,
            history: History::measure(&mut connection).await?,
            pending: Vec::new(),
        };
        let task = writer::Writer::start(connection, turn, publisher);
        Ok(Self { task, changes })
    }

    /// Waits for the writes that were accepted, then ends the task and with it all watches.
    pub(crate) async fn stop(&self) {
        self.task.stop().await;
    }

    pub(super) async fn submit(&self, operation: Operation) -> Result<Revision, Error> {
        self.task.submit(operation).await
    }

    pub(super) fn subscribe(&self) -> Result<broadcast::Receiver<Arc<Change>>, Error> {
        Ok(self.changes.upgrade().ok_or(Error::Closed)?.subscribe())
    }
}

/// Tells the watchers what has been committed, and keeps the history short.
#[derive(Debug)]
pub(super) struct Publisher {
    watchers: broadcast::Sender<Arc<Change>>,
    history: History,
    /// The changes of the batch that is being written.
    pending: Vec<Change>,
}

impl writer::State for Publisher {
    fn settle(&mut self, committed: bool) {
        for change in self.pending.drain(..) {
            if committed {
                self.history.add(&change);
                // Nobody watching is fine: whoever comes later reads the history.
                drop(self.watchers.send(Arc::new(change)));
            }
        }
    }

    async fn rest(&mut self, connection: &mut SqliteConnection) {
        if !self.history.is_too_long() {
            return;
        }
        match compact(connection).await {
            Ok(shorter) => self.history = shorter,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot cut back the history"
                );
            }
        }
    }
}

impl writer::Operation<Publisher> for Operation {
    type Output = Revision;

    async fn carry_out(
        self,
        connection: &mut SqliteConnection,
        publisher: &mut Publisher,
    ) -> Carried<Revision> {
        Ok(carry_out(connection, self).await?.map(|change| {
            let revision = change.row.revision;
            publisher.pending.push(change);
            revision
        }))
    }
}

/// How long the history is.
#[derive(Debug, Clone, Copy)]
struct History {
    changes: i64,
    bytes: i64,
}

impl History {
    async fn measure(connection: &mut SqliteConnection) -> Result<Self, Error> {
        let row = sqlx::query(
            "SELECT COUNT(*), COALESCE(SUM(length(body) + COALESCE(length(previous), 0)), 0) FROM changes",
        )
        .fetch_one(connection)
        .await
        .map_err(Error::sql("measure the history"))?;
        Ok(Self {
            changes: row.get(0),
            bytes: row.get(1),
        })
    }

    fn add(&mut self, change: &Change) {
        let bytes = change.row.body.len() + change.previous.as_ref().map_or(0, String::len);
        self.changes += 1;
        self.bytes += i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    fn is_too_long(self) -> bool {
        self.changes > KEEP_CHANGES + SLACK || self.bytes > KEEP_BYTES + KEEP_BYTES / 4
    }
}

async fn carry_out(connection: &mut SqliteConnection, operation: Operation) -> Carried<Change> {
    let (key, expected) = match &operation {
        Operation::Create { key, .. } => (key, None),
        Operation::Update { key, expected, .. } | Operation::Delete { key, expected } => {
            (key, *expected)
        }
    };
    let current = current(connection, key).await?;
    if let (Some((actual, _)), Some(expected)) = (&current, expected)
        && *actual != expected
    {
        let (key, actual) = (key.clone(), *actual);
        return Ok(Err(Error::Conflict {
            key,
            expected,
            actual,
        }));
    }
    let (kind, key, body) = match (operation, &current) {
        (Operation::Create { key, .. }, Some(_)) => return Ok(Err(Error::Exists(key))),
        (Operation::Update { key, .. } | Operation::Delete { key, .. }, None) => {
            return Ok(Err(Error::NotFound(key)));
        }
        (Operation::Create { key, body }, None) => (ChangeKind::Created, key, body),
        (Operation::Update { key, body, .. }, Some(_)) => (ChangeKind::Updated, key, body),
        (Operation::Delete { key, .. }, Some((_, body))) => {
            (ChangeKind::Deleted, key, body.clone())
        }
    };
    let revision = record(connection, kind, &key, &body, current.as_ref()).await?;
    put(connection, kind, &key, revision, &body).await?;
    let row = Row {
        key,
        revision,
        body,
    };
    let previous = current.map(|(_, body)| body);
    Ok(Ok(Change {
        kind,
        row,
        previous,
    }))
}

async fn current(
    connection: &mut SqliteConnection,
    key: &Key,
) -> Result<Option<(Revision, String)>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT revision, body FROM objects \
         WHERE api_group = ? AND resource = ? AND namespace = ? AND name = ?",
    )
    .bind(&key.group)
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (Revision(row.get(0)), row.get(1))))
}

/// Adds the change to the history, which gives it its revision.
async fn record(
    connection: &mut SqliteConnection,
    kind: ChangeKind,
    key: &Key,
    body: &str,
    previous: Option<&(Revision, String)>,
) -> Result<Revision, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO changes \
         (api_group, resource, namespace, name, kind, body, previous, previous_revision) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&key.group)
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .bind(kind.as_str())
    .bind(body)
    .bind(previous.map(|(_, body)| body.as_str()))
    .bind(previous.map(|(revision, _)| revision.0))
    .execute(connection)
    .await?;
    Ok(Revision(done.last_insert_rowid()))
}

async fn put(
    connection: &mut SqliteConnection,
    kind: ChangeKind,
    key: &Key,
    revision: Revision,
    body: &str,
) -> Result<(), sqlx::Error> {
    let statement = match kind {
        ChangeKind::Created => {
            "INSERT INTO objects (revision, body, api_group, resource, namespace, name) \
             VALUES (?, ?, ?, ?, ?, ?)"
        }
        ChangeKind::Updated => {
            "UPDATE objects SET revision = ?, body = ? \
             WHERE api_group = ? AND resource = ? AND namespace = ? AND name = ?"
        }
        ChangeKind::Deleted => {
            "DELETE FROM objects WHERE api_group = ? AND resource = ? AND namespace = ? AND name = ?"
        }
    };
    let mut query = sqlx::query(statement);
    if kind != ChangeKind::Deleted {
        query = query.bind(revision.0).bind(body);
    }
    query
        .bind(&key.group)
        .bind(&key.resource)
        .bind(&key.namespace)
        .bind(&key.name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes the oldest changes until both limits hold, always keeping the newest, and gives pages that have
/// become free back to the file system.
async fn compact(connection: &mut SqliteConnection) -> Result<History, Error> {
    sqlx::query(
        "DELETE FROM changes WHERE revision < ( \
           SELECT MIN(revision) FROM ( \
             SELECT revision, \
               ROW_NUMBER() OVER newest AS nth, \
               SUM(length(body) + COALESCE(length(previous), 0)) OVER newest AS bytes \
             FROM changes WINDOW newest AS (ORDER BY revision DESC)) \
           WHERE nth = 1 OR (nth <= ? AND bytes <= ?))",
    )
    .bind(KEEP_CHANGES)
    .bind(KEEP_BYTES)
    .execute(&mut *connection)
    .await
    .map_err(Error::sql("cut back the history"))?;
    sqlx::query("PRAGMA incremental_vacuum(256)")
        .execute(&mut *connection)
        .await
        .map_err(Error::sql("give back free pages"))?;
    History::measure(connection).await
}
