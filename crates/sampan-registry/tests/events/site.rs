//! A ledger with a deliverer that runs on it.

use std::path::Path;
use std::time::Duration;

use sampan_registry::Config;
use sampan_registry::events::{Deliverer, Origin, Schedule};
use sampan_store::Store;
use sampan_store::registry::{Delivery, Ledger};
use sampan_supervise::Shutdown;
use tokio::task::JoinHandle;

use super::receiver;

/// A ledger and the deliverer that runs on it.
pub(crate) struct Site {
    data: tempfile::TempDir,
    running: Option<Running>,
}

struct Running {
    store: Store,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

impl Site {
    pub(crate) fn stopped() -> Self {
        Self {
            data: tempfile::tempdir().unwrap(),
            running: None,
        }
    }

    pub(crate) async fn start(webhooks: &str) -> Self {
        let mut site = Self::stopped();
        site.run(webhooks).await;
        site
    }

    pub(crate) async fn run(&mut self, webhooks: &str) {
        self.run_with(webhooks, quick(Duration::from_hours(1)))
            .await;
    }

    pub(crate) async fn run_with(&mut self, webhooks: &str, schedule: Schedule) {
        let store = self.store().await;
        let config = Config::parse("registry.yaml", webhooks).unwrap();
        let origin = Origin {
            data: self.data.path().to_owned(),
            address: "127.0.0.1:7080".parse().unwrap(),
        };
        let deliverer = Deliverer::new(store.registry(), &config.webhooks, &origin).await;
        let deliverer = deliverer.unwrap().with_schedule(schedule);
        let shutdown = Shutdown::new();
        let task = tokio::spawn(deliverer.run(shutdown.clone()));
        self.running = Some(Running {
            store,
            shutdown,
            task,
        });
    }

    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.trigger();
        running.task.await.unwrap();
        running.store.close().await;
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.path().join("meta.db")).await.unwrap()
    }

    fn path(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn ledger(&self) -> Ledger {
        self.running.as_ref().unwrap().store.registry()
    }

    /// The log of one webhook, oldest first, once it has this many entries.
    pub(crate) async fn log(&self, webhook: &str, entries: usize) -> Vec<Delivery> {
        let ledger = self.ledger();
        receiver::within(async {
            loop {
                let mut log = ledger.deliveries(Some(webhook), None, 100).await.unwrap();
                if log.len() >= entries {
                    log.reverse();
                    return log;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }
}

/// Tries again at once, as good as.
pub(crate) fn quick(patience: Duration) -> Schedule {
    Schedule {
        first: Duration::from_millis(5),
        longest: Duration::from_millis(20),
        patience,
    }
}
