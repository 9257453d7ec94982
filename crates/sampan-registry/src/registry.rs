//! The operations on repositories, without HTTP.
//!
//! A push writes bytes first and then the row that makes them visible; both would survive a power cut before it is
//! acknowledged. The step from the one to the other happens under the lock of the digest, which the collector takes, too.

mod blobs;
mod fleeting;
mod listing;
mod manifests;
mod quota;
mod sweep;
mod uploads;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sampan_oci::store::StoreError;
use sampan_store::registry::Ledger;
use sampan_supervise::Tasks;
use tokio::sync::oneshot;

pub(crate) use self::blobs::Whole;
pub(crate) use self::listing::Page;
pub(crate) use self::manifests::NewManifest;
pub(crate) use self::uploads::{Held, Mark, Session, StaleUpload};

use self::uploads::Uploads;
use crate::config::Config;
use crate::error::Error;
use crate::locks::Locks;
use crate::storage::{Budget, Storage};
use crate::upstream::UpstreamError;

/// All repositories; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    storage: Storage,
    ledger: Ledger,
    uploads: Uploads,
    locks: Locks,
    config: Arc<Config>,
    /// Steps that must not be left half done.
    steps: Tasks,
}

impl Registry {
    /// The registry of a data folder.
    pub(crate) fn open(
        data: &Path,
        config: Arc<Config>,
        storage: Storage,
        ledger: Ledger,
        budget: Budget,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            storage,
            ledger,
            uploads: Uploads::open(data, budget)?,
            locks: Locks::new(),
            config,
            steps: Tasks::new(),
        })
    }

    /// Carries out a step that must not be left half done, even if whoever waits for it leaves: between the bytes and
    /// their row, a lock that is given back early lets others in while a thread still goes on.
    async fn whole<T: Send + 'static>(
        &self,
        step: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (outcome, waiting) = oneshot::channel();
        self.steps.spawn("push", async move {
            // Nobody to tell is a client that has left.
            drop(outcome.send(step.await));
        });
        waiting.await.map_err(|_| Error::Abandoned)?
    }

    /// Refuses pushes to repositories that are those of an upstream.
    pub(crate) fn check_writable(&self, repository: &str) -> Result<(), Error> {
        match self.config.upstreams.of(repository) {
            None => Ok(()),
            Some((upstream, _)) => Err(UpstreamError::ReadOnly {
                repository: repository.to_owned(),
                upstream: upstream.name().to_owned(),
            }
            .into()),
        }
    }

    /// Waits for the steps under way, at most `limit`.
    pub(crate) async fn settle(&self, limit: Duration) {
        if !self.steps.finish(limit).await {
            tracing::warn!("pushes are still being written");
        }
    }

    /// Makes sure that blobs can be had.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        Ok(self.storage.check().await?)
    }

    /// The uploads that nobody goes on with.
    pub(crate) async fn stale_uploads(&self) -> Result<Vec<StaleUpload>, StoreError> {
        self.uploads.stale(self.config.limits.upload_age).await
    }

    /// Removes uploads that nobody goes on with, and returns how many.
    pub(crate) async fn sweep_uploads(&self) -> Result<usize, StoreError> {
        self.uploads.sweep(self.config.limits.upload_age).await
    }
}
