//! From a file on the disk to an object, in parts when it is large.
//!
//! Parts that have come stay in a bucket, unseen and paid for, until somebody completes or gives up their upload. So each is
//! written down in `registry/multipart` before its first part is sent; what a killed server has left there is given up by
//! the next collection.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{Error, MultipartId, PutPayload};
use sampan_oci::durable;
use sampan_oci::store::StoreError;
use serde::{Deserialize, Serialize};
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use super::Bucket;
use crate::storage::{StorageError, Verified, blocking};

/// The size of a part; the protocol wants 5 MiB at least.
const PART_BYTES: u64 = 8 << 20;
/// The most parts of an upload.
const MOST_PARTS: u64 = 10_000;
/// How many parts of one blob are sent at a time.
const ABREAST: usize = 2;

/// An upload in parts, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    key: String,
    upload: String,
}

/// An upload in parts that this process is at.
struct Sending {
    bucket: Bucket,
    id: Uuid,
}

impl Bucket {
    /// Makes verified bytes an object, unless it is there already.
    pub(in crate::storage) async fn bring(&self, verified: &Verified) -> Result<(), StorageError> {
        if self.has(verified).await? {
            return Ok(());
        }
        let _turn = self.0.turns.lock(&verified.digest).await;
        if self.has(verified).await? {
            return Ok(());
        }
        let key = self.key(&verified.digest);
        if verified.size_bytes <= PART_BYTES {
            let _room = self.room().await;
            let bytes = part(verified, 0, verified.size_bytes).await?;
            return Ok(self.put(&verified.digest, bytes).await?);
        }
        let create = self.0.store.create_multipart(&key).await;
        let upload = create.map_err(self.failed("begin to write", &key))?;
        let sending = self.write_down(&key, &upload).await?;
        match self.send_parts(verified, &key, &upload).await {
            Ok(()) => sending.end().await,
            Err(error) => {
                // If that fails as well, the next collection does it.
                if self.give_up(&key, &upload).await.is_ok() {
                    sending.end().await?;
                }
                Err(error)
            }
        }
    }

    /// Gives up the uploads in parts that are written down and that nobody is at; says how many.
    pub(in crate::storage) async fn give_up_abandoned(&self) -> Result<usize, StorageError> {
        let mut given_up = 0;
        for (id, record) in self.abandoned().await? {
            let key = Path::from(record.key);
            self.give_up(&key, &record.upload).await?;
            let path = self.record(id);
            blocking(move || remove(&path)).await?;
            given_up += 1;
        }
        Ok(given_up)
    }

    async fn has(&self, verified: &Verified) -> Result<bool, StorageError> {
        let size_bytes = self.size(&verified.digest).await?;
        Ok(size_bytes == Some(verified.size_bytes))
    }

    async fn give_up(&self, key: &Path, upload: &MultipartId) -> Result<(), StorageError> {
        match self.0.store.abort_multipart(key, upload).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("give up writing", key)(error).into()),
        }
    }

    async fn send_parts(
        &self,
        verified: &Verified,
        key: &Path,
        upload: &MultipartId,
    ) -> Result<(), StorageError> {
        let size_bytes = verified.size_bytes;
        // Some services want all parts but the last to be of one size.
        let part_bytes = PART_BYTES.max(size_bytes.div_ceil(MOST_PARTS));
        let starts = (0..size_bytes).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX));
        let parts = starts.enumerate().map(|(index, start)| async move {
            let _room = self.room().await;
            let length = part_bytes.min(size_bytes - start);
            let bytes = PutPayload::from_bytes(part(verified, start, length).await?);
            let put = self.0.store.put_part(key, upload, index, bytes).await;
            put.map_err(self.failed("write a part of", key))
                .map_err(StorageError::from)
        });
        let parts: Vec<PartId> = futures_util::stream::iter(parts)
            .buffered(ABREAST)
            .try_collect()
            .await?;
        let complete = self.0.store.complete_multipart(key, upload, parts).await;
        complete.map_err(self.failed("write", key))?;
        Ok(())
    }

    /// Waits until the bytes of one more part may be in memory.
    async fn room(&self) -> SemaphorePermit<'_> {
        let room = self.0.parts.acquire().await;
        room.expect("nobody closes the semaphore")
    }

    async fn write_down(&self, key: &Path, upload: &MultipartId) -> Result<Sending, StorageError> {
        let record = Record {
            key: key.to_string(),
            upload: upload.clone(),
        };
        let id = Uuid::new_v4();
        self.uploading().insert(id);
        let sending = Sending {
            bucket: self.clone(),
            id,
        };
        let path = self.record(id);
        blocking(move || write(&path, &record)).await?;
        Ok(sending)
    }

    async fn abandoned(&self) -> Result<Vec<(Uuid, Record)>, StoreError> {
        let bucket = self.clone();
        blocking(move || {
            let folder = &bucket.0.records;
            let failed = |source| StoreError::io("list", folder, source);
            let entries = match fs::read_dir(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(failed(error)),
            };
            let mut abandoned = Vec::new();
            for entry in entries {
                let name = entry.map_err(failed)?.file_name();
                let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
                    continue;
                };
                if !bucket.uploading().contains(&id) {
                    abandoned.extend(read(&bucket.record(id))?.map(|record| (id, record)));
                }
            }
            Ok(abandoned)
        })
        .await
    }

    fn record(&self, id: Uuid) -> PathBuf {
        self.0.records.join(id.to_string())
    }

    fn uploading(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        let uploading = self.0.uploading.lock();
        uploading.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// Nothing of the upload is left in the bucket but the object, if at all.
    async fn end(self) -> Result<(), StorageError> {
        let path = self.bucket.record(self.id);
        Ok(blocking(move || remove(&path)).await?)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.bucket.uploading().remove(&self.id);
    }
}

/// Reads a part of the file of verified bytes.
async fn part(verified: &Verified, start: u64, length: u64) -> Result<Bytes, StoreError> {
    let (file, path) = (Arc::clone(&verified.file), verified.path.clone());
    blocking(move || {
        let length = usize::try_from(length).map_err(io::Error::other);
        let bytes = length.and_then(|length| {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, start)?;
            Ok(Bytes::from(bytes))
        });
        bytes.map_err(|source| StoreError::io("read", &path, source))
    })
    .await
}

fn write(path: &FilePath, record: &Record) -> Result<(), StoreError> {
    let folder = durable::directory_of(path);
    let written = || {
        fs::create_dir_all(folder)?;
        let mut file = File::create(path)?;
        serde_json::to_writer(&mut file, record)?;
        file.sync_all()?;
        durable::sync_directory(folder)
    };
    written().map_err(|source| StoreError::io("write", path, source))
}

/// What is written down; nothing when the power was cut before it was, and so before there was any part.
fn read(path: &FilePath) -> Result<Option<Record>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::io("read", path, source)),
    }
}

fn remove(path: &FilePath) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path, source))
        }
        _ => Ok(()),
    }
}
