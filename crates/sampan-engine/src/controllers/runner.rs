//! Drives a reconciler: changes in, keys through the queue, one reconciliation at a time.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use sampan_model::Causes;
use sampan_supervise::{Shutdown, clock};
use tokio::time::Instant;

use super::queue::{Key, Queue};
use crate::error::Error;
use crate::objects::{Change, Event, Objects};

/// What one controller does.
pub(crate) trait Reconciler: Send + Sync + 'static {
    /// Its name in logs.
    const NAME: &'static str;

    /// The keys that a change of any object concerns.
    fn concerned(&self, change: &Change) -> Vec<Key>;

    /// All keys there are: at the start, and when changes were missed.
    fn all(&self) -> impl Future<Output = Result<Vec<Key>, Error>> + Send;

    /// Brings one key closer to what is wanted; returns when to look again although nothing changes.
    fn reconcile(&self, key: &Key)
    -> impl Future<Output = Result<Option<Timestamp>, Error>> + Send;
}

/// Runs a reconciler until the shutdown.
pub(crate) async fn run<R: Reconciler>(reconciler: R, objects: Objects, shutdown: Shutdown) {
    let mut changes = objects.changes();
    let mut queue = Queue::default();
    let mut complete = refill(&reconciler, &mut queue).await;
    while !shutdown.is_triggered() {
        let now = Instant::now();
        if let Some(key) = queue.pop(now) {
            reconcile(&reconciler, key, &mut queue).await;
            continue;
        }
        let retry = (!complete).then(|| now + Duration::from_secs(1));
        let wake = queue.next_due().into_iter().chain(retry).min();
        tokio::select! {
            () = shutdown.triggered() => return,
            event = changes.next() => match event {
                Event::Changed(change) => {
                    reconciler.concerned(&change).into_iter().for_each(|key| queue.push(key));
                }
                Event::Resync => complete = refill(&reconciler, &mut queue).await,
                Event::Closed => return,
            },
            () = sleep_until(wake) => {
                if !complete {
                    complete = refill(&reconciler, &mut queue).await;
                }
            }
        }
    }
}

async fn refill<R: Reconciler>(reconciler: &R, queue: &mut Queue) -> bool {
    match reconciler.all().await {
        Ok(keys) => {
            for key in keys {
                queue.push(key);
            }
            true
        }
        Err(error) => {
            tracing::error!(
                controller = R::NAME,
                error = %Causes(&error),
                "cannot list objects"
            );
            false
        }
    }
}

async fn reconcile<R: Reconciler>(reconciler: &R, key: Key, queue: &mut Queue) {
    match reconciler.reconcile(&key).await {
        Ok(again_at) => {
            queue.succeeded(&key);
            if let Some(at) = again_at {
                queue.push_at(key, Instant::now() + until(at));
            }
        }
        Err(error) => {
            // Conflicts are what optimistic concurrency is for; all else deserves a line.
            if error.is_conflict() || error.is_not_found() {
                tracing::debug!(
                    controller = R::NAME,
                    ?key,
                    error = %Causes(&error),
                    "tried again"
                );
            } else {
                tracing::warn!(
                    controller = R::NAME,
                    ?key,
                    error = %Causes(&error),
                    "cannot reconcile"
                );
            }
            queue.failed(key, Instant::now());
        }
    }
}

/// How long it is until a moment; a little more than nothing for one that has passed.
pub(crate) fn until(at: Timestamp) -> Duration {
    let left = Duration::try_from(at.duration_since(clock::now())).unwrap_or(Duration::ZERO);
    left + Duration::from_millis(5)
}

/// Sleeps until a moment, or for ever.
pub(crate) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
