//! Collections on time and on demand, one after the other.

use std::time::Duration;

use sampan_supervise::Shutdown;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Collection, Report};
use crate::error::Error;

/// Orders that may wait.
const QUEUE: usize = 4;
/// The first collection comes after this part of the time between two: one that was interrupted is finished soon.
const FIRST_AFTER: u32 = 10;

/// What a collection shall do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Only tell what would go.
    pub dry_run: bool,
    /// How long a blob is kept that nobody names; what the configuration says when it is absent.
    pub grace: Option<Duration>,
}

/// Has collections carried out by their task; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Housekeeper(mpsc::Sender<Order>);

/// The collections that were asked for.
#[derive(Debug)]
pub(crate) struct Orders(mpsc::Receiver<Order>);

#[derive(Debug)]
struct Order {
    options: Options,
    answer: oneshot::Sender<Result<Report, Error>>,
}

impl Housekeeper {
    pub(crate) fn new() -> (Self, Orders) {
        let (orders, queue) = mpsc::channel(QUEUE);
        (Self(orders), Orders(queue))
    }

    /// Has a collection carried out. It is finished even if nobody waits for it.
    pub(crate) async fn collect(&self, options: Options) -> Result<Report, Error> {
        let (answer, answered) = oneshot::channel();
        let order = Order { options, answer };
        self.0.send(order).await.map_err(|_| Error::Stopping)?;
        answered.await.map_err(|_| Error::Stopping)?
    }
}

impl Orders {
    /// Carries out collections until the shutdown.
    pub(crate) async fn serve(
        mut self,
        mut collection: Collection,
        every: Duration,
        shutdown: Shutdown,
    ) {
        let mut next = Instant::now() + every / FIRST_AFTER;
        loop {
            tokio::select! {
                () = shutdown.triggered() => return,
                () = tokio::time::sleep_until(next) => {
                    log(&collection.run_on_time().await);
                    next = Instant::now() + every;
                }
                Some(order) = self.0.recv() => {
                    let report = collection.run(order.options).await;
                    log(&report);
                    // Whoever asked may have gone; the work is done all the same.
                    drop(order.answer.send(report));
                }
            }
        }
    }
}

fn log(report: &Result<Report, Error>) {
    match report {
        Ok(report) if report.dry_run || report.is_empty() => {}
        Ok(report) => tracing::info!(
            tags = report.tags.count,
            manifests = report.manifests.count,
            links = report.links.count,
            blobs = report.blobs.count,
            strays = report.strays.count,
            uploads = report.uploads.count,
            freed_bytes = report.freed_bytes(),
            "collected what nobody needs"
        ),
        Err(Error::Stopping) => {}
        Err(error) => tracing::error!(
            error = error as &dyn std::error::Error,
            "cannot collect what nobody needs"
        ),
    }
}
