//! What rules of the registry must leave alone: all that a release of this installation leads to.

use std::collections::HashSet;

use sampan_oci::{ContentStore, Digest};
use sampan_registry::collect::{Pinned, Pins};

/// Pins the content of all releases.
#[derive(Debug)]
pub(crate) struct ReleasePins {
    content: ContentStore,
}

impl ReleasePins {
    pub(crate) fn new(content: ContentStore) -> Self {
        Self { content }
    }
}

impl Pins for ReleasePins {
    fn manifests(&self) -> Pinned<'_> {
        let content = self.content.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || {
                let mut pinned = HashSet::new();
                for release in sampan_bundle::release::list(&content)? {
                    for part in content.reachable(&release.descriptor)? {
                        pinned.insert(Digest::of(&part)?);
                    }
                }
                Ok(pinned)
            })
            .await?
        })
    }
}
