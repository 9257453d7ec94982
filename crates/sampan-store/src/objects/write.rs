//! The one task that writes objects.
//!
//! It takes all writes that are waiting, carries them out in one transaction, and acknowledges each after the
//! commit, so that the cost of syncing the disk is shared. A write that is refused (a conflict, a taken name)
//! has not touched anything and does not disturb its neighbours; a failed statement fails the whole batch.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row as _};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Change, ChangeKind, Key, Revision, Row};
use crate::Error;

/// Writes that may wait; more callers than this wait to be let in.
const QUEUE: usize = 64;
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

#[derive(Debug)]
enum Request {
    Write {
        operation: Operation,
        answer: oneshot::Sender<Result<Revision, Error>>,
    },
    Stop,
}

/// The handle of the writing task.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Request>,
    changes: broadcast::WeakSender<Arc<Change>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) async fn start(mut connection: SqliteConnection) -> Result<Self, Error> {
        let history = History::measure(&mut connection).await?;
        let (queue, requests) = mpsc::channel(QUEUE);
        let (changes, _) = broadcast::channel(RECENT);
        let weak = changes.downgrade();
        let task = tokio::spawn(run(connection, requests, changes, history));
        Ok(Self {
            queue,
            changes: weak,
            task: Mutex::new(Some(task)),
        })
    }

    /// Waits for the writes that were accepted, then ends the task and with it all watches.
    pub(crate) async fn stop(&self) {
        // When the task is gone already, there is nobody to tell and nothing to wait for.
        if self.queue.send(Request::Stop).await.is_err() {
            return;
        }
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writing task has failed");
        }
    }

    pub(super) async fn submit(&self, operation: Operation) -> Result<Revision, Error> {
        let (answer, answered) = oneshot::channel();
        let request = Request::Write { operation, answer };
        self.queue.send(request).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    pub(super) fn subscribe(&self) -> Result<broadcast::Receiver<Arc<Change>>, Error> {
        Ok(self.changes.upgrade().ok_or(Error::Closed)?.subscribe())
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

async fn run(
    mut connection: SqliteConnection,
    mut requests: mpsc::Receiver<Request>,
    watchers: broadcast::Sender<Arc<Change>>,
    mut history: History,
) {
    let mut stopping = false;
    while !stopping {
        let Some(first) = requests.recv().await else {
            break;
        };
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write { operation, answer } => batch.push((operation, answer)),
                Request::Stop => stopping = true,
            }
            next = if stopping || batch.len() >= QUEUE {
                None
            } else {
                requests.try_recv().ok()
            };
        }
        write_batch(&mut connection, batch, &watchers, &mut history).await;
        if history.is_too_long() {
            match compact(&mut connection).await {
                Ok(shorter) => history = shorter,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot cut back the history"
                    );
                }
            }
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "cannot close the database properly");
    }
}

type Waiting = (Operation, oneshot::Sender<Result<Revision, Error>>);

/// Carries out a batch and answers each caller. A caller that has gone away is no error: its write counts.
async fn write_batch(
    connection: &mut SqliteConnection,
    batch: Vec<Waiting>,
    watchers: &broadcast::Sender<Arc<Change>>,
    history: &mut History,
) {
    let (operations, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    match commit(connection, operations).await {
        Ok(outcomes) => {
            for (outcome, answer) in outcomes.into_iter().zip(answers) {
                let outcome = outcome.map(|change| {
                    let revision = change.row.revision;
                    history.add(&change);
                    // Nobody watching is fine: whoever comes later reads the history.
                    drop(watchers.send(Arc::new(change)));
                    revision
                });
                drop(answer.send(outcome));
            }
        }
        Err(error) => {
            tracing::error!(%error, "cannot write to the database");
            let error = Arc::new(error);
            for answer in answers {
                drop(answer.send(Err(Error::Commit(Arc::clone(&error)))));
            }
        }
    }
}

async fn commit(
    connection: &mut SqliteConnection,
    operations: Vec<Operation>,
) -> Result<Vec<Result<Change, Error>>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(operations.len());
    for operation in operations {
        outcomes.push(carry_out(&mut transaction, operation).await?);
    }
    transaction.commit().await?;
    Ok(outcomes)
}

async fn carry_out(
    connection: &mut SqliteConnection,
    operation: Operation,
) -> Result<Result<Change, Error>, sqlx::Error> {
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
