//! Opening the place where blobs lie, and moving there when it is a new one.
//!
//! `registry/bucket.json` says in which bucket the blobs of the installation are; without it they are on its disk. A
//! bucket that is configured for a registry whose blobs lie on the disk gets them first. Nothing is taken from the disk for
//! that: what no local name leads to goes with a later collection. All other moves are refused, as they would lose blobs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::Error as ObjectError;
use sampan_model::Hint;
use sampan_oci::store::{ContentStore, StoreError};
use sampan_oci::{Digest, durable};
use sampan_store::registry::Ledger;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bucket::{Bucket, ConnectError, Mark};
use super::disk::Disk;
use super::{BucketError, Budget, Buffers, Storage, StorageError, Verified, blocking};
use crate::config::{Config, S3};

/// How many rows are read at once.
const PAGE: u32 = 500;
/// How many blobs are carried at a time.
const ABREAST: usize = 4;

/// Why there is no storage.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be read or written.
    #[error("cannot prepare the registry's folder")]
    Disk(#[from] StoreError),
    /// The ledger cannot be read.
    #[error("cannot read the ledger")]
    Ledger(#[from] sampan_store::Error),
    /// There is no way to the bucket.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The bucket does not let this registry in.
    #[error("{place} refuses the keys of this registry")]
    Refused {
        /// Which bucket.
        place: String,
        /// What it said.
        #[source]
        source: Box<BucketError>,
    },
    /// There is no such bucket.
    #[error("{place} does not exist")]
    Missing {
        /// Which bucket.
        place: String,
        /// What the service said.
        #[source]
        source: Box<BucketError>,
    },
    /// The bucket fails otherwise.
    #[error("{place} cannot be used")]
    Unusable {
        /// Which bucket.
        place: String,
        /// Why not.
        #[source]
        source: Box<BucketError>,
    },
    /// Another registry has its blobs there.
    #[error("{place} has the blobs of another registry")]
    Foreign {
        /// Which bucket.
        place: String,
    },
    /// The bucket is another one than that in which the blobs lie.
    #[error("the blobs of this registry lie in {from}, not in {place}")]
    Elsewhere {
        /// Where they lie.
        from: String,
        /// What is configured.
        place: String,
    },
    /// A blob cannot be carried from the disk to the bucket.
    #[error("cannot carry `{digest}` from the disk to {place}")]
    Carry {
        /// The blob.
        digest: Digest,
        /// Which bucket.
        place: String,
        /// Why not.
        #[source]
        source: Box<StorageError>,
    },
}

impl Hint for OpenError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Disk(error) => return error.hint(),
            Self::Ledger(_) => return None,
            Self::Connect(error) => return error.hint(),
            Self::Refused { .. } => {
                "look into the file that `storage.s3.credentials` names; its keys must let objects of the bucket be listed, \
                 read, written and deleted"
            }
            Self::Missing { .. } => "make the bucket, or correct `storage.s3.bucket`",
            Self::Unusable { .. } => {
                "look at `endpoint`, `region`, `pathStyle` and `certificateAuthority` of `storage.s3`"
            }
            Self::Foreign { .. } => "choose another `storage.s3.prefix`",
            Self::Elsewhere { .. } => {
                "put back what `storage` said, or copy the bucket to the other place first, with all its objects"
            }
            Self::Carry { .. } => "start again: what was carried stays carried",
        };
        Some(hint.to_owned())
    }
}

/// What storage is opened on.
pub(crate) struct Ground<'a> {
    /// What the user chose.
    pub(crate) config: &'a Config,
    /// The data folder.
    pub(crate) data: &'a Path,
    /// The content store of the installation.
    pub(crate) content: ContentStore,
    /// What blobs there are.
    pub(crate) ledger: &'a Ledger,
    /// Memory for reading.
    pub(crate) budget: &'a Budget,
}

/// Where the blobs are, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Whereabouts {
    /// What the mark in the bucket says.
    installation: String,
    /// The bucket, for people.
    place: String,
    /// Whether all blobs are there; until then they are on the disk as well.
    settled: bool,
}

impl Whereabouts {
    /// A place where nothing is yet. Its id is its own: where the registry was before, it is a stranger from now on.
    fn new(place: String) -> Self {
        Self {
            installation: Uuid::new_v4().to_string(),
            place,
            settled: false,
        }
    }
}

impl Ground<'_> {
    /// Opens the storage that is configured. No other process may serve or collect meanwhile.
    pub(crate) async fn open(self) -> Result<Storage, OpenError> {
        let path = self.data.join("registry").join("bucket.json");
        let known = read(&path)?;
        match &self.config.storage.s3 {
            None => self.on_disk(&path, known).await,
            Some(s3) => self.in_bucket(s3, &path, known).await,
        }
    }

    async fn on_disk(self, path: &Path, known: Option<Whereabouts>) -> Result<Storage, OpenError> {
        if let Some(known) = known.filter(|known| known.settled) {
            if self.has_blobs().await? {
                return Err(OpenError::Elsewhere {
                    from: known.place,
                    place: "the content store on the disk".to_owned(),
                });
            }
            write(
                path,
                &Whereabouts {
                    settled: false,
                    ..known
                },
            )?;
        }
        Ok(Storage::Disk(self.disk()))
    }

    async fn in_bucket(
        self,
        s3: &S3,
        path: &Path,
        known: Option<Whereabouts>,
    ) -> Result<Storage, OpenError> {
        let before = known.clone();
        let mut here = known.unwrap_or_else(|| Whereabouts::new(String::new()));
        let mut bucket = Bucket::connect(s3, self.data, here.installation.clone())?;
        let place = bucket.place().to_owned();
        let moved = here.place != place;
        match bucket.mark().await {
            Ok(Mark::Ours) => {}
            Ok(Mark::Foreign) => return Err(OpenError::Foreign { place }),
            Ok(Mark::None) if here.settled && self.has_blobs().await? => {
                let from = here.place;
                return Err(OpenError::Elsewhere { from, place });
            }
            Ok(Mark::None) => {
                here = Whereabouts::new(place.clone());
                // An id that is forgotten would make the bucket another registry's.
                write(path, &here)?;
                bucket = Bucket::connect(s3, self.data, here.installation.clone())?;
                claim(&bucket).await?;
            }
            // It was there before: the site may be starting, and the readiness tells.
            Err(error) if here.settled && !moved && meaning(&error) == Meaning::Other => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the bucket does not answer yet"
                );
            }
            Err(error) => return Err(unusable(place, error)),
        }
        if !here.settled {
            self.carry(&bucket).await?;
        }
        here.settled = true;
        here.place = place;
        if before.as_ref() != Some(&here) {
            write(path, &here)?;
        }
        Ok(Storage::Object(bucket, self.content))
    }

    /// Carries all blobs of the registry from the disk to the bucket.
    async fn carry(&self, bucket: &Bucket) -> Result<(), OpenError> {
        let mut after: Option<String> = None;
        let mut carried: u64 = 0;
        loop {
            let page = self.ledger.held(after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            let digests = page.iter().filter_map(|digest| digest.parse().ok());
            carried += futures_util::stream::iter(digests)
                .map(|digest| self.carry_one(bucket, digest))
                .buffer_unordered(ABREAST)
                .try_fold(0, |sum, done| async move { Ok(sum + u64::from(done)) })
                .await?;
        }
        if carried > 0 {
            tracing::info!(blobs = carried, "the blobs have been carried to the bucket");
        }
        Ok(())
    }

    async fn carry_one(&self, bucket: &Bucket, digest: Digest) -> Result<bool, OpenError> {
        let disk = self.disk();
        let Some((stored, size_bytes)) = blocking(move || disk.open(&digest)).await? else {
            tracing::warn!(%digest, "the disk lacks a blob that the ledger knows");
            return Ok(false);
        };
        let verified = Verified {
            path: stored.path,
            file: Arc::clone(&stored.file),
            digest,
            size_bytes,
            synced: true,
        };
        let brought = bucket.bring(&verified).await;
        brought.map_err(|source| OpenError::Carry {
            digest,
            place: bucket.place().to_owned(),
            source: Box::new(source),
        })?;
        Ok(true)
    }

    async fn has_blobs(&self) -> Result<bool, OpenError> {
        Ok(!self.ledger.held(None, 1).await?.is_empty())
    }

    fn disk(&self) -> Disk {
        Disk {
            content: self.content.clone(),
            buffers: Buffers::new(self.budget.clone()),
        }
    }
}

/// Makes the bucket this registry's. Another one may try the same at this moment; the mark says who was last.
async fn claim(bucket: &Bucket) -> Result<(), OpenError> {
    let place = bucket.place().to_owned();
    let failed = |error| unusable(place.clone(), error);
    bucket.claim().await.map_err(failed)?;
    match bucket.mark().await.map_err(failed)? {
        Mark::Ours => Ok(()),
        Mark::None | Mark::Foreign => Err(OpenError::Foreign { place }),
    }
}

/// What a failure means for who starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// There is no such bucket.
    Missing,
    /// The keys are not those for it.
    Refused,
    /// Something else, which may be over soon.
    Other,
}

fn meaning(error: &BucketError) -> Meaning {
    let BucketError::Request { source, .. } = error else {
        return Meaning::Other;
    };
    match &**source {
        ObjectError::NotFound { .. } => Meaning::Missing,
        ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. } => {
            Meaning::Refused
        }
        // Failures of lists are not told apart by the library, only by the code that the service has sent.
        other => {
            let text = other.to_string();
            let says = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
            if says(&["NoSuchBucket"]) {
                Meaning::Missing
            } else if says(&[
                "AccessDenied",
                "SignatureDoesNotMatch",
                "InvalidAccessKeyId",
            ]) {
                Meaning::Refused
            } else {
                Meaning::Other
            }
        }
    }
}

fn unusable(place: String, error: BucketError) -> OpenError {
    let source = Box::new(error);
    match meaning(&source) {
        Meaning::Missing => OpenError::Missing { place, source },
        Meaning::Refused => OpenError::Refused { place, source },
        Meaning::Other => OpenError::Unusable { place, source },
    }
}

fn read(path: &Path) -> Result<Option<Whereabouts>, StoreError> {
    let failed = |source| StoreError::io("read", path, source);
    match fs::read(path) {
        Ok(bytes) => {
            let known = serde_json::from_slice(&bytes).map_err(io::Error::from);
            known.map(Some).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn write(path: &Path, here: &Whereabouts) -> Result<(), StoreError> {
    let partial: PathBuf = durable::partial_path(path);
    let written = || {
        let folder = durable::directory_of(path);
        fs::create_dir_all(folder)?;
        let mut file = fs::File::create(&partial)?;
        serde_json::to_writer(&mut file, here)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        durable::sync_directory(folder)
    };
    written().map_err(|source| StoreError::io("write", path, source))
}
