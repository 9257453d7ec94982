//! Taking blobs away that nobody holds.

use std::time::SystemTime;

use sampan_oci::Digest;
use sampan_oci::store::Removed;
use sampan_store::registry::Ledger;

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

    /// Takes away those of the blobs that nobody holds, to which no local name leads, and which nobody has used since;
    /// says which.
    ///
    /// Pushes of these blobs wait meanwhile. The files go before the rows: a kill in between leaves rows without a
    /// holder, which show nothing and go with the next collection.
    pub(crate) async fn take_away(
        &self,
        sweeper: &mut Sweeper,
        digests: &[Digest],
        unused_since: SystemTime,
    ) -> Result<Vec<Removed>, Error> {
        let _locks = self.locks.lock_all(digests).await;
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
