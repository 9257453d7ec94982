//! The mark that tells whose blobs lie in a bucket.
//!
//! Whoever sweeps a bucket takes away what its ledger does not know. So two registries in one place would take away each
//! other's blobs; the mark keeps the second one out. It also tells a blob that is missing from a bucket that is not there.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutPayload};
use serde::{Deserialize, Serialize};

use super::Bucket;
use crate::storage::failure::BucketError;

const NAME: &str = "sampan-registry.json";

/// What the mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Mark {
    /// The bucket is this registry's.
    Ours,
    /// Nobody has left one.
    None,
    /// Another registry has its blobs there.
    Foreign,
}

#[derive(Serialize, Deserialize)]
struct Text {
    installation: String,
}

impl Bucket {
    /// For messages: which bucket, and where.
    pub(in crate::storage) fn place(&self) -> &str {
        &self.0.place
    }

    /// Whose the bucket is. Also makes sure that it is there, when it has no mark.
    pub(in crate::storage) async fn mark(&self) -> Result<Mark, BucketError> {
        let key = self.mark_key();
        let failed = || self.failed("read", &key);
        let bytes = match self.0.store.get(&key).await {
            Ok(found) => found.bytes().await.map_err(failed())?,
            Err(Error::NotFound { .. }) => {
                // A bucket that is not there has no mark either; some services tell only who lists it.
                let mut objects = self.0.store.list(Some(&key));
                let listed = objects.try_next().await;
                return listed
                    .map(|_| Mark::None)
                    .map_err(self.failed("list", &key));
            }
            Err(error) => return Err(failed()(error)),
        };
        let text = serde_json::from_slice::<Text>(&bytes);
        let ours = text.is_ok_and(|text| text.installation == self.0.owner);
        Ok(if ours { Mark::Ours } else { Mark::Foreign })
    }

    /// Leaves the mark.
    pub(in crate::storage) async fn claim(&self) -> Result<(), BucketError> {
        let text = Text {
            installation: self.0.owner.clone(),
        };
        let text = serde_json::to_vec(&text).expect("an id has a JSON form");
        let key = self.mark_key();
        let payload = PutPayload::from_bytes(Bytes::from(text));
        let put = self.0.store.put(&key, payload).await;
        put.map(drop).map_err(self.failed("write", &key))
    }

    /// Makes sure that the bucket is there and this registry's.
    pub(super) async fn confirm(&self) -> Result<(), BucketError> {
        if self.mark().await? == Mark::Ours {
            return Ok(());
        }
        Err(BucketError::Unmarked {
            place: self.0.place.clone(),
        })
    }

    fn mark_key(&self) -> Path {
        self.0.prefix.clone().join(NAME)
    }
}
