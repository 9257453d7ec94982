//! What can go wrong with stored blobs.

use sampan_oci::Digest;
use sampan_oci::store::StoreError;

/// Why blobs cannot be kept or given.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The local disk failed.
    #[error(transparent)]
    Content(#[from] StoreError),
    /// The bucket failed, for now or for good.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// Why a bucket does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// A request failed, also when repeated.
    #[error("cannot {action} `{key}` in {place}")]
    Request {
        /// What was tried.
        action: &'static str,
        /// On what.
        key: String,
        /// Where.
        place: String,
        /// Why not.
        #[source]
        source: Box<object_store::Error>,
    },
    /// An object is gone while it is read.
    #[error("{place} has lost `{digest}`")]
    Lost {
        /// What it was.
        digest: Digest,
        /// Where.
        place: String,
    },
    /// There is not the mark that the registry has left there.
    #[error("{place} is not where this registry keeps its blobs")]
    Unmarked {
        /// Where.
        place: String,
    },
    /// No answer comes.
    #[error("{place} does not answer within {seconds} seconds")]
    Silent {
        /// Where.
        place: String,
        /// How long was waited.
        seconds: u64,
    },
}
