//! Taking blobs away from where they lie.

use std::time::SystemTime;

use sampan_oci::Digest;
use sampan_oci::store::{Collector, ContentStore, Removed, StoreError};

use super::{Storage, blocking};

/// Who takes blobs away. One collection uses one, so that names are walked once.
#[derive(Debug)]
pub(crate) struct Sweeper {
    content: ContentStore,
    /// Absent only while it works.
    collector: Option<Collector>,
}

/// What has become of files that were to go.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Those that were taken away.
    pub(crate) removed: Vec<Removed>,
    /// All that are not there now, also those that were gone before.
    pub(crate) absent: Vec<Digest>,
}

impl Storage {
    /// Somebody to take blobs away.
    pub(crate) fn sweeper(&self) -> Sweeper {
        let Self::Disk(disk) = self;
        Sweeper {
            collector: Some(disk.content.collector()),
            content: disk.content.clone(),
        }
    }
}

impl Sweeper {
    /// Takes away what no local name leads to and nobody has used since. The caller holds the locks of the digests and
    /// knows that the ledger does not need them.
    pub(crate) async fn remove(
        &mut self,
        digests: Vec<Digest>,
        unused_since: SystemTime,
    ) -> Result<Swept, StoreError> {
        let content = self.content.clone();
        self.work(move |collector| {
            let removed = collector.remove(&digests, unused_since)?;
            let mut absent = Vec::with_capacity(digests.len());
            for digest in digests {
                if !content.has(&digest)? {
                    absent.push(digest);
                }
            }
            Ok(Swept { removed, absent })
        })
        .await
    }

    /// The blobs to which no local name leads and that nobody has used since, with their sizes.
    pub(crate) async fn unnamed(
        &mut self,
        unused_since: SystemTime,
    ) -> Result<Vec<Digest>, StoreError> {
        self.work(move |collector| collector.unnamed(unused_since))
            .await
    }

    /// The size of a blob, if it is there.
    pub(crate) async fn size(&self, digest: Digest) -> Result<Option<u64>, StoreError> {
        let content = self.content.clone();
        blocking(move || content.size(&digest)).await
    }

    /// Makes the removals survive a power cut.
    pub(crate) async fn sync(&mut self) -> Result<(), StoreError> {
        self.work(|collector| collector.sync()).await
    }

    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Collector) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let collector = self.collector.take();
        let mut collector = collector.unwrap_or_else(|| self.content.collector());
        let (collector, done) = blocking(move || {
            let done = work(&mut collector);
            (collector, done)
        })
        .await;
        self.collector = Some(collector);
        done
    }
}
