//! Named tasks that are awaited at shutdown.

use std::future::Future;
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// The tasks of one part; cloned freely.
#[derive(Debug, Clone, Default)]
pub struct Tasks(TaskTracker);

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `work` under `name`, which appears in every log line of it.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        // The handle is not needed: the tracker knows the task until it ends, and panics are logged by the hook.
        drop(
            self.0
                .spawn(work.instrument(tracing::info_span!("task", name))),
        );
    }

    /// How many tasks have not ended yet.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.len()
    }

    /// Waits until all tasks have ended, at most `limit`; returns whether they have.
    pub async fn finish(&self, limit: Duration) -> bool {
        self.0.close();
        tokio::time::timeout(limit, self.0.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shutdown;

    #[tokio::test]
    async fn finish_waits_for_tasks_that_follow_the_shutdown() {
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        let signal = shutdown.child();
        tasks.spawn("waiter", async move { signal.triggered().await });
        assert!(!tasks.finish(Duration::from_millis(20)).await);
        shutdown.trigger();
        assert!(tasks.finish(Duration::from_secs(5)).await);
        assert_eq!(tasks.running(), 0);
    }
}
