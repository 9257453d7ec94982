//! Taking blobs away from where they lie.

use std::time::SystemTime;

use futures_util::{StreamExt as _, TryStreamExt as _};
use sampan_oci::Digest;
use sampan_oci::store::{Collector, ContentStore, Removed, StoreError};

use super::bucket::{Bucket, Removal};
use super::{Storage, StorageError, blocking};

/// How many blobs are taken from the disk in one step. Pushes of these wait meanwhile, and one in eight of the others.
const FROM_DISK: usize = 500;
/// The same for a bucket, which needs longer.
const FROM_BUCKET: usize = 64;
/// How many objects of a step are taken away at a time.
const ABREAST: usize = 16;

/// Who takes blobs away. One collection uses one, so that names are walked once.
#[derive(Debug)]
pub(crate) enum Sweeper {
    /// From the content store.
    Disk(DiskSweeper),
    /// From a bucket.
    Object(Bucket),
}

/// Takes away what no local name leads to.
#[derive(Debug)]
pub(crate) struct DiskSweeper {
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
        match self {
            Self::Disk(disk) => Sweeper::on_disk(&disk.content),
            Self::Object(bucket, _) => Sweeper::Object(bucket.clone()),
        }
    }

    /// Somebody to take away from the content store what no local name leads to, if none of it is the registry's.
    pub(crate) fn local_sweeper(&self) -> Option<Sweeper> {
        match self {
            Self::Disk(_) => None,
            Self::Object(_, content) => Some(Sweeper::on_disk(content)),
        }
    }
}

impl Sweeper {
    fn on_disk(content: &ContentStore) -> Self {
        Self::Disk(DiskSweeper {
            collector: Some(content.collector()),
            content: content.clone(),
        })
    }

    /// How many blobs should be taken away in one step.
    pub(crate) fn step(&self) -> usize {
        match self {
            Self::Disk(_) => FROM_DISK,
            Self::Object(_) => FROM_BUCKET,
        }
    }

    /// Takes away what no local name leads to and nobody has used since. The caller holds the locks of the digests and
    /// knows that the ledger does not need them.
    pub(crate) async fn remove(
        &mut self,
        digests: Vec<Digest>,
        unused_since: SystemTime,
    ) -> Result<Swept, StorageError> {
        match self {
            Self::Disk(sweeper) => Ok(sweeper.remove(digests, unused_since).await?),
            Self::Object(bucket) => remove(bucket, digests, unused_since).await,
        }
    }

    /// The blobs to which no local name leads and that nobody has used since.
    pub(crate) async fn unnamed(
        &mut self,
        unused_since: SystemTime,
    ) -> Result<Vec<Digest>, StorageError> {
        match self {
            Self::Disk(sweeper) => Ok(sweeper
                .work(move |collector| collector.unnamed(unused_since))
                .await?),
            Self::Object(bucket) => Ok(bucket.older(unused_since).await?),
        }
    }

    /// The size of a blob, if it is there.
    pub(crate) async fn size(&self, digest: Digest) -> Result<Option<u64>, StorageError> {
        match self {
            Self::Disk(sweeper) => {
                let content = sweeper.content.clone();
                Ok(blocking(move || content.size(&digest)).await?)
            }
            Self::Object(bucket) => Ok(bucket.size(&digest).await?),
        }
    }

    /// Makes the removals survive a power cut.
    pub(crate) async fn sync(&mut self) -> Result<(), StorageError> {
        match self {
            Self::Disk(sweeper) => Ok(sweeper.work(|collector| collector.sync()).await?),
            Self::Object(_) => Ok(()),
        }
    }
}

/// Takes away objects. What is named locally lies on the disk, so only their age counts.
async fn remove(
    bucket: &Bucket,
    digests: Vec<Digest>,
    unused_since: SystemTime,
) -> Result<Swept, StorageError> {
    let outcomes: Vec<(Digest, Removal)> = futures_util::stream::iter(digests)
        .map(|digest| async move {
            let removal = bucket.remove(&digest, unused_since).await?;
            Ok::<_, StorageError>((digest, removal))
        })
        .buffered(ABREAST)
        .try_collect()
        .await?;
    let mut swept = Swept::default();
    for (digest, removal) in outcomes {
        match removal {
            Removal::TooYoung => continue,
            Removal::Absent => {}
            Removal::Removed { size_bytes } => swept.removed.push(Removed { digest, size_bytes }),
        }
        swept.absent.push(digest);
    }
    Ok(swept)
}

impl DiskSweeper {
    async fn remove(
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
