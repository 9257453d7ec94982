//! From the content store into a registry.

use std::collections::HashMap;

use sampan_oci::{ContentStore, Digest, Reference};

use super::document::{Document, digest_of};
use super::error::ClientError;
use super::origin::Origin;
use super::platform::Platforms;
use super::transfer::{Mounts, Target, Transfer, is_document};
use super::watch::Watch;
use super::{Client, Transferred, put_under};

/// How many repositories are named to a registry for one blob.
const MOUNT_LIMIT: usize = 2;

impl Client {
    /// Brings what `local` names in the store to where `remote` says.
    ///
    /// # Errors
    /// When there is no such name here, the registry cannot be reached or refuses, or the store fails. What has arrived by then
    /// is not sent again.
    pub async fn push(
        &self,
        store: &ContentStore,
        local: &Reference,
        remote: &Reference,
        platforms: &Platforms,
        watch: &dyn Watch,
    ) -> Result<Transferred, ClientError> {
        let document = local_document(store, local, platforms).await?;
        let descriptor = document.descriptor();
        let name = put_under(remote, &document.digest)?;
        let origin = Origin::Store(store.clone());
        let target = Target::Registry(self.target(remote)?);
        let mut transfer = Transfer::new(origin, target, self.settings().jobs, watch);
        transfer.chunk_bytes = self.settings().chunk_bytes;
        transfer.mounts = Mounts {
            by_digest: known_places(store, remote)?,
            always: Vec::new(),
        };
        transfer.run(document, Some(&name)).await?;
        Ok(Transferred {
            descriptor,
            totals: transfer.totals(),
        })
    }
}

/// What a name of the store stands for, or its part for the wanted platform.
pub(super) async fn local_document(
    store: &ContentStore,
    name: &Reference,
    platforms: &Platforms,
) -> Result<Document, ClientError> {
    let descriptor = store.resolve(name)?.ok_or_else(|| ClientError::NotHere {
        name: name.familiar(),
    })?;
    let origin = Origin::Store(store.clone());
    let document = origin.document(descriptor.digest().as_ref()).await?;
    platforms.select(&origin, document, &name.familiar()).await
}

/// For each blob, the other repositories of the same registry that should have it, by the names in the store.
pub(super) fn known_places(
    store: &ContentStore,
    remote: &Reference,
) -> Result<HashMap<Digest, Vec<String>>, ClientError> {
    let mut places: HashMap<Digest, Vec<String>> = HashMap::new();
    for (name, descriptor) in store.references()? {
        if name.registry() != remote.registry() || name.same_repository(remote) {
            continue;
        }
        // A damaged neighbour is no reason not to push; it only helps less.
        for part in store.reachable(&descriptor).unwrap_or_default() {
            let known = places.entry(digest_of(&part)?).or_default();
            let repository = name.repository().to_owned();
            if !is_document(&part) && known.len() < MOUNT_LIMIT && !known.contains(&repository) {
                known.push(repository);
            }
        }
    }
    Ok(places)
}
