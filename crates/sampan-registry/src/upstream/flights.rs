//! What is being fetched, each thing once, however many wait for it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sampan_supervise::{Shutdown, Tasks};
use tokio::sync::watch;

/// Fetches under way, by what is fetched. A fetch goes on when those leave who wait for it.
#[derive(Debug)]
pub(super) struct Flights<S> {
    under_way: Arc<Mutex<UnderWay<S>>>,
    tasks: Tasks,
    shutdown: Shutdown,
}

type UnderWay<S> = HashMap<String, watch::Receiver<S>>;

impl<S: Default + Send + Sync + 'static> Flights<S> {
    pub(super) fn new((tasks, shutdown): &(Tasks, Shutdown)) -> Self {
        Self {
            under_way: Arc::default(),
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
        }
    }

    /// What is known of the fetch of `key`, which begins if it is not under way, and whether it was. The channel ends
    /// without a last state when the server stops.
    pub(super) fn join<F>(
        &self,
        key: String,
        begin: impl FnOnce(watch::Sender<S>) -> F,
    ) -> (watch::Receiver<S>, bool)
    where
        F: Future<Output = (watch::Sender<S>, S)> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(&key) {
            return (flight.clone(), true);
        }
        let (state, flight) = watch::channel(S::default());
        under_way.insert(key.clone(), flight.clone());
        drop(under_way);
        let landing = Landing {
            under_way: Arc::clone(&self.under_way),
            key,
        };
        let (work, shutdown) = (begin(state), self.shutdown.clone());
        self.tasks.spawn("upstream", async move {
            let landed = tokio::select! {
                landed = work => Some(landed),
                () = shutdown.triggered() => None,
            };
            // Who comes from here on looks for the outcome where it is kept.
            drop(landing);
            if let Some((state, last)) = landed {
                state.send_replace(last);
            }
        });
        (flight, false)
    }

    /// Breaks off all fetches, and says whether they ended in time.
    pub(super) async fn stop(&self, limit: Duration) -> bool {
        self.shutdown.trigger();
        self.tasks.finish(limit).await
    }
}

/// Takes a fetch out of the list when it ends, in whatever way.
struct Landing<S> {
    under_way: Arc<Mutex<UnderWay<S>>>,
    key: String,
}

impl<S> Drop for Landing<S> {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.key);
    }
}

fn lock<S>(under_way: &Mutex<UnderWay<S>>) -> MutexGuard<'_, UnderWay<S>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
