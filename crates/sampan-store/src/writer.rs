//! A task that writes one part of the database.
//!
//! It takes all writes that are waiting, carries them out in one transaction, and acknowledges each after the
//! commit, so that the cost of syncing the disk is shared. A write that is refused (a conflict, a taken name)
//! has not touched anything and does not disturb its neighbours; a failed statement fails the whole batch.
//!
//! The parts (objects, the registry's ledger) have a task each, so that a flood of writes to one leaves the
//! queue of the other alone. SQLite lets one connection write at a time; all that writes takes turns by a lock
//! of this process, which is fair and wakes the next one at once, where SQLite would have it sleep and try again.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::Error;

/// Writes that may wait; more callers than this wait to be let in.
const QUEUE: usize = 64;

/// The right to write, which goes round in a process.
pub(crate) type Turn = Arc<tokio::sync::Mutex<()>>;

/// What a write comes to: an outcome or a refusal, which both leave the transaction usable, or a failed
/// statement, which does not.
pub(crate) type Carried<T> = Result<Result<T, Error>, sqlx::Error>;

/// A write, to a part whose task remembers an `S`.
pub(crate) trait Operation<S>: Send + 'static {
    /// What the caller is told after the commit.
    type Output: Send + 'static;

    /// Carries the write out, without committing it. A refused write must not have changed anything.
    fn carry_out(
        self,
        connection: &mut SqliteConnection,
        state: &mut S,
    ) -> impl Future<Output = Carried<Self::Output>> + Send;
}

/// What a writing task remembers between the writes.
pub(crate) trait State: Send + 'static {
    /// Called when a batch has ended, before its callers are told: what it has left in the state counts if it
    /// was `committed`.
    fn settle(&mut self, committed: bool);

    /// Housekeeping between two batches.
    fn rest(&mut self, connection: &mut SqliteConnection) -> impl Future<Output = ()> + Send;
}

enum Request<S> {
    Write(Box<dyn Job<S>>),
    Stop,
}

/// The handle of a writing task.
#[derive(Debug)]
pub(crate) struct Writer<S> {
    queue: mpsc::Sender<Request<S>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<S: State> Writer<S> {
    pub(crate) fn start(connection: SqliteConnection, turn: Turn, state: S) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        let task = tokio::spawn(run(connection, turn, requests, state));
        Self {
            queue,
            task: Mutex::new(Some(task)),
        }
    }

    /// Waits for the writes that were accepted, then ends the task and drops its state.
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
            tracing::error!(%error, "a writing task has failed");
        }
    }

    /// Has a write carried out; returns once it is committed or refused.
    pub(crate) async fn submit<O: Operation<S>>(&self, operation: O) -> Result<O::Output, Error> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Waiting {
            operation: Some(operation),
            outcome: None,
            answer,
        });
        self.queue
            .send(Request::Write(job))
            .await
            .map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

/// A write that somebody waits for, whatever its outcome is.
trait Job<S>: Send {
    fn carry_out<'a>(
        &'a mut self,
        connection: &'a mut SqliteConnection,
        state: &'a mut S,
    ) -> Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send + 'a>>;

    fn acknowledge(self: Box<Self>);

    fn fail(self: Box<Self>, error: Arc<sqlx::Error>);
}

struct Waiting<S, O: Operation<S>> {
    operation: Option<O>,
    outcome: Option<Result<O::Output, Error>>,
    answer: oneshot::Sender<Result<O::Output, Error>>,
}

impl<S: Send, O: Operation<S>> Job<S> for Waiting<S, O> {
    fn carry_out<'a>(
        &'a mut self,
        connection: &'a mut SqliteConnection,
        state: &'a mut S,
    ) -> Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send + 'a>> {
        Box::pin(async move {
            if let Some(operation) = self.operation.take() {
                self.outcome = Some(operation.carry_out(connection, state).await?);
            }
            Ok(())
        })
    }

    /// A caller that has gone away is no error: its write counts.
    fn acknowledge(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            drop(self.answer.send(outcome));
        }
    }

    fn fail(self: Box<Self>, error: Arc<sqlx::Error>) {
        drop(self.answer.send(Err(Error::Commit(error))));
    }
}

async fn run<S: State>(
    mut connection: SqliteConnection,
    turn: Turn,
    mut requests: mpsc::Receiver<Request<S>>,
    mut state: S,
) {
    let mut stopping = false;
    while !stopping {
        let Some(first) = requests.recv().await else {
            break;
        };
        // What comes while the other task writes joins this batch.
        let turn = turn.lock().await;
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write(job) => batch.push(job),
                Request::Stop => stopping = true,
            }
            next = if stopping || batch.len() >= QUEUE {
                None
            } else {
                requests.try_recv().ok()
            };
        }
        if !batch.is_empty() {
            write_batch(&mut connection, batch, &mut state).await;
            state.rest(&mut connection).await;
        }
        drop(turn);
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "cannot close the database properly");
    }
}

/// Carries out a batch and answers each caller.
async fn write_batch<S: State>(
    connection: &mut SqliteConnection,
    mut batch: Vec<Box<dyn Job<S>>>,
    state: &mut S,
) {
    let outcome = commit(connection, &mut batch, state).await;
    state.settle(outcome.is_ok());
    match outcome {
        Ok(()) => batch.into_iter().for_each(Job::acknowledge),
        Err(error) => {
            tracing::error!(%error, "cannot write to the database");
            let error = Arc::new(error);
            for job in batch {
                job.fail(Arc::clone(&error));
            }
        }
    }
}

async fn commit<S: State>(
    connection: &mut SqliteConnection,
    batch: &mut [Box<dyn Job<S>>],
    state: &mut S,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for job in batch {
        job.carry_out(&mut transaction, state).await?;
    }
    transaction.commit().await
}
