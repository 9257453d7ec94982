//! Taking blobs away that nobody holds.

use std::time::SystemTime;

use sampan_oci::Digest;
use sampan_oci::store::Removed;
use sampan_store::registry::Ledger;
use sampan_supervise::clock;

use super::Registry;
use crate::config::Config;
use crate::error::Error;
use crate::storage::Sweeper;

impl Registry {
    /// The ledger, for who keeps the house.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The configuration.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Somebody to take blobs away.
    pub(crate) fn sweeper(&self) -> Sweeper {
        self.storage.sweeper()
    }

    /// Somebody to take away what lies on the disk without a local name, if the blobs of the registry lie elsewhere.
    pub(crate) fn local_sweeper(&self) -> Option<Sweeper> {
        self.storage.local_sweeper()
    }

    /// Gives up what a killed server has begun to send to a bucket.
    pub(crate) async fn give_up_abandoned(&self) -> Result<(), Error> {
        let given_up = self.storage.give_up_abandoned().await?;
        if given_up > 0 {
            tracing::info!(
                uploads = given_up,
                "gave up abandoned uploads to the bucket"
            );
        }
        Ok(())
    }

    /// Takes away those of the blobs that nobody holds, to which no local name leads, and which nobody has used since;
    /// says which.
    ///
    /// Pushes of these blobs wait meanwhile; those that are being pushed are left to the next collection, so that nobody
    /// else waits for a slow push, too. The files go before the rows: a kill in between leaves rows without a
    /// holder, which show nothing and go with the next collection.
    pub(crate) async fn take_away(
        &self,
        sweeper: &mut Sweeper,
        digests: &[Digest],
        unused_since: SystemTime,
    ) -> Result<Vec<Removed>, Error> {
        let (_locks, free) = self.locks.try_lock_all(digests);
        self.remove_unheld(sweeper, &free, unused_since).await
    }

    /// Takes away a file that was made for a push which the ledger has refused. The caller holds the lock of the digest.
    pub(super) async fn take_back(&self, digest: &Digest) {
        let made_before = clock::now().into();
        let mut sweeper = self.sweeper();
        let removed = self
            .remove_unheld(&mut sweeper, &[*digest], made_before)
            .await;
        if let Err(error) = removed {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "what was refused stays until strays are collected");
        }
    }

    /// The caller holds the locks of the digests.
    async fn remove_unheld(
        &self,
        sweeper: &mut Sweeper,
        digests: &[Digest],
        unused_since: SystemTime,
    ) -> Result<Vec<Removed>, Error> {
        let texts: Vec<String> = digests.iter().map(ToString::to_string).collect();
        let unheld = self.ledger.unheld(&texts).await?;
        let unheld = unheld.iter().map(|digest| digest.parse());
        let unheld = unheld.collect::<Result<Vec<Digest>, _>>()?;
        let swept = sweeper.remove(unheld, unused_since).await?;
        if !swept.absent.is_empty() {
            let absent: Vec<String> = swept.absent.iter().map(ToString::to_string).collect();
            self.ledger.forget(&absent).await?;
        }
        Ok(swept.removed)
    }
}
