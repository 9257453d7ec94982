//! The bytes of a blob in a bucket, as fast as who reads takes them.

use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::{Error, GetOptions, GetRange, ObjectStore as _};
use sampan_oci::Digest;

use super::Bucket;
use crate::storage::failure::BucketError;

type Parts = BoxStream<'static, object_store::Result<Bytes>>;

/// Gives a range of an object piece by piece. One that breaks off is asked for again from there.
pub(crate) struct ObjectReader {
    bucket: Bucket,
    digest: Digest,
    rest: Range<u64>,
    parts: Parts,
    /// Where it broke off last; twice at the same place is a failure.
    broken_at: Option<u64>,
}

impl ObjectReader {
    pub(super) async fn open(
        bucket: Bucket,
        digest: Digest,
        rest: Range<u64>,
    ) -> Result<Option<Self>, BucketError> {
        let Some(parts) = parts(&bucket, &digest, rest.clone()).await? else {
            // Only a bucket that is there can be believed.
            bucket.confirm().await?;
            return Ok(None);
        };
        Ok(Some(Self {
            bucket,
            digest,
            rest,
            parts,
            broken_at: None,
        }))
    }

    pub(in crate::storage) fn remaining(&self) -> u64 {
        self.rest.end - self.rest.start
    }

    pub(in crate::storage) async fn next(&mut self) -> Result<Option<Bytes>, BucketError> {
        while !self.rest.is_empty() {
            let broken = match self.parts.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => continue,
                Some(Ok(mut bytes)) => {
                    bytes.truncate(usize::try_from(self.remaining()).unwrap_or(usize::MAX));
                    self.rest.start += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            let again = self.broken_at.replace(self.rest.start) == Some(self.rest.start);
            let lost = || BucketError::Lost {
                digest: self.digest,
                place: self.bucket.0.place.clone(),
            };
            if again {
                let key = self.bucket.key(&self.digest);
                return Err(broken.map_or_else(lost, self.bucket.failed("read", &key)));
            }
            let rest = parts(&self.bucket, &self.digest, self.rest.clone()).await?;
            self.parts = rest.ok_or_else(lost)?;
        }
        Ok(None)
    }
}

/// The bytes of a range, as they come; nothing when the object is not there.
async fn parts(
    bucket: &Bucket,
    digest: &Digest,
    range: Range<u64>,
) -> Result<Option<Parts>, BucketError> {
    // There is no way to ask for no bytes.
    if range.is_empty() {
        return Ok(Some(futures_util::stream::empty().boxed()));
    }
    let key = bucket.key(digest);
    let options = GetOptions {
        range: Some(GetRange::Bounded(range)),
        ..GetOptions::default()
    };
    match bucket.0.store.get_opts(&key, options).await {
        Ok(found) => Ok(Some(found.into_stream())),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(bucket.failed("read", &key)(error)),
    }
}
