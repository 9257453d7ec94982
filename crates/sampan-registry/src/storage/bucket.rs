//! Blobs in a bucket of S3 or of a service that speaks its protocol.
//!
//! A blob's key is that of an OCI image layout below the prefix, `blobs/sha256/<hex>`: a copy of the bucket is what other
//! tools read. An object appears whole or not at all, and only after its digest was verified, so it never has other bytes
//! than its key says. Beside the blobs lies a mark that tells whose they are.

mod connection;
mod keys;
mod mark;
mod object_reader;
mod upload;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutPayload};
use sampan_oci::Digest;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub(super) use self::connection::ConnectError;
pub(super) use self::mark::Mark;
pub(crate) use self::object_reader::ObjectReader;

use super::failure::BucketError;
use crate::config::S3;
use crate::locks::Locks;

/// How long an answer may take to who asks whether the bucket is there.
const CHECK_TIME: Duration = Duration::from_secs(5);
/// How many parts of blobs are on their way at a time, each in memory.
const PARTS_AT_ONCE: usize = 4;

/// A bucket; cheap to clone.
#[derive(Clone)]
pub(crate) struct Bucket(Arc<Inner>);

struct Inner {
    store: AmazonS3,
    prefix: Path,
    /// For messages: which bucket, and where.
    place: String,
    /// What the mark in the bucket has to say.
    owner: String,
    /// Where it is written down which uploads in parts are under way.
    records: PathBuf,
    /// Those of this process.
    uploading: Mutex<HashSet<Uuid>>,
    parts: Semaphore,
    /// Who brings a blob; others who want to wait for that. Not the locks that keep bytes and rows together.
    turns: Locks,
}

impl Bucket {
    /// The bucket that the configuration names. Nothing is asked of it yet.
    pub(super) fn connect(
        config: &S3,
        data: &FilePath,
        owner: String,
    ) -> Result<Self, ConnectError> {
        Ok(Self(Arc::new(Inner {
            store: connection::connect(config, data)?,
            prefix: Path::from(config.prefix.as_str()),
            place: connection::place(config),
            owner,
            records: data.join("registry").join("multipart"),
            uploading: Mutex::default(),
            parts: Semaphore::new(PARTS_AT_ONCE),
            turns: Locks::new(),
        })))
    }

    /// The size of a blob, if it is there.
    pub(super) async fn size(&self, digest: &Digest) -> Result<Option<u64>, BucketError> {
        Ok(self.look_at(digest).await?.map(|object| object.size))
    }

    /// Reads bytes of a blob; nothing when it is gone.
    pub(super) async fn read(
        &self,
        digest: Digest,
        range: Range<u64>,
    ) -> Result<Option<ObjectReader>, BucketError> {
        ObjectReader::open(self.clone(), digest, range).await
    }

    /// Stores bytes.
    pub(super) async fn put(&self, digest: &Digest, bytes: Bytes) -> Result<(), BucketError> {
        let key = self.key(digest);
        let put = self.0.store.put(&key, PutPayload::from_bytes(bytes)).await;
        put.map(drop).map_err(self.failed("write", &key))
    }

    /// Takes away those of the blobs that are there and older than that; says how large they were.
    pub(super) async fn remove(
        &self,
        digest: &Digest,
        written_before: SystemTime,
    ) -> Result<Removal, BucketError> {
        let Some(object) = self.look_at(digest).await? else {
            return Ok(Removal::Absent);
        };
        if SystemTime::from(object.last_modified) >= written_before {
            return Ok(Removal::TooYoung);
        }
        let key = self.key(digest);
        match self.0.store.delete(&key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(Removal::Removed {
                size_bytes: object.size,
            }),
            Err(error) => Err(self.failed("remove", &key)(error)),
        }
    }

    /// The blobs that are older than that.
    pub(super) async fn older(
        &self,
        written_before: SystemTime,
    ) -> Result<Vec<Digest>, BucketError> {
        // A bucket in which others have their blobs must never be swept.
        self.confirm().await?;
        let folder = self.0.prefix.clone().join("blobs");
        let mut objects = self.0.store.list(Some(&folder));
        let mut found = Vec::new();
        while let Some(object) = objects
            .try_next()
            .await
            .map_err(self.failed("list", &folder))?
        {
            let old = SystemTime::from(object.last_modified) < written_before;
            found.extend(digest_of(&object.location).filter(|_| old));
        }
        Ok(found)
    }

    /// Makes sure that the bucket answers, within a time that fits who asks for health.
    pub(super) async fn check(&self) -> Result<(), BucketError> {
        let silent = |_| BucketError::Silent {
            place: self.0.place.clone(),
            seconds: CHECK_TIME.as_secs(),
        };
        tokio::time::timeout(CHECK_TIME, self.confirm())
            .await
            .map_err(silent)?
    }

    async fn look_at(&self, digest: &Digest) -> Result<Option<ObjectMeta>, BucketError> {
        let key = self.key(digest);
        match self.0.store.head(&key).await {
            Ok(object) => Ok(Some(object)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("look at", &key)(error)),
        }
    }

    fn key(&self, digest: &Digest) -> Path {
        let folder = self.0.prefix.clone().join("blobs");
        folder.join(digest.algorithm().name()).join(digest.hex())
    }

    fn failed(
        &self,
        action: &'static str,
        key: &Path,
    ) -> impl FnOnce(object_store::Error) -> BucketError {
        let (key, place) = (key.to_string(), self.0.place.clone());
        move |source| BucketError::Request {
            action,
            key,
            place,
            source: Box::new(source),
        }
    }
}

/// What has become of an object that was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// It was taken away.
    Removed {
        /// How large it was.
        size_bytes: u64,
    },
    /// It was not there.
    Absent,
    /// Somebody wrote it not long ago.
    TooYoung,
}

/// The blob that a key is of; none when it is called otherwise.
fn digest_of(key: &Path) -> Option<Digest> {
    let mut parts = key.as_ref().rsplit('/');
    let (hex, algorithm) = (parts.next()?, parts.next()?);
    format!("{algorithm}:{hex}").parse().ok()
}

impl fmt::Debug for Bucket {
    /// What the library would show has the keys in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Bucket")
            .field(&self.0.place)
            .finish()
    }
}
