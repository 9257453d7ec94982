//! From a registry into the content store.

use sampan_oci::{ContentStore, Reference};

use super::blocking;
use super::error::ClientError;
use super::platform::Platforms;
use super::transfer::{Target, Transfer};
use super::watch::Watch;
use super::{Client, Transferred, asked};

impl Client {
    /// Brings what `reference` names into the store, and gives it that name there, by tag, by digest or by both.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, does not know it, has nothing for the platform, or gives other
    /// bytes than it should; or when the store fails. What was verified by then stays and is not fetched again.
    pub async fn pull(
        &self,
        store: &ContentStore,
        reference: &Reference,
        platforms: &Platforms,
        watch: &dyn Watch,
    ) -> Result<Transferred, ClientError> {
        let origin = self.origin(reference)?;
        let document = origin.document(&asked(reference)).await?;
        let document = platforms
            .select(&origin, document, &reference.familiar())
            .await?;
        let descriptor = document.descriptor();
        let target = Target::Store(store.clone());
        let transfer = Transfer::new(origin, target, self.settings().jobs, watch);
        transfer.run(document, None).await?;
        // The registry gave the document under the digest, or an index with it, and both were verified.
        let (store, name, named) = (store.clone(), reference.clone(), descriptor.clone());
        blocking::run(move || store.pin(&name, &named)).await?;
        Ok(Transferred {
            descriptor,
            totals: transfer.totals(),
        })
    }
}
