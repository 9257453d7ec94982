//! What can go wrong with a request, in the words of the specification.

use std::sync::Arc;

use sampan_oci::Digest;
use sampan_oci::digest::DigestError;
use sampan_oci::store::StoreError;
use sampan_store::registry::Refusal;

use crate::auth::Denied;
use crate::charts::ChartError;
use crate::storage::{BucketError, StorageError};
use crate::upstream::UpstreamError;
use crate::wire::document::DocumentError;
use crate::wire::name::ManifestNameError;
use crate::wire::path::PathError;

/// Why a request is not answered as hoped. The status and code of each stand in `http/failure.rs`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path names nothing.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The resource does not know the method.
    #[error("`{method}` is not supported here")]
    Method {
        /// The method of the request.
        method: String,
        /// Those that are.
        allowed: &'static str,
    },
    /// A name of a manifest that nothing can have.
    #[error("the manifest cannot have that name")]
    ManifestName(#[from] ManifestNameError),
    /// A text that should be a digest.
    #[error("the digest cannot be read")]
    Digest(#[from] DigestError),
    /// A parameter or header that cannot be read.
    #[error("`{value}` does not fit `{name}`")]
    Parameter {
        /// Which.
        name: &'static str,
        /// What it says.
        value: String,
    },
    /// The repository has never been pushed to.
    #[error("there is no repository `{name}`")]
    RepositoryUnknown {
        /// The repository.
        name: String,
    },
    /// The repository does not have the blob.
    #[error("the repository has no blob `{digest}`")]
    BlobUnknown {
        /// The blob.
        digest: String,
    },
    /// The repository does not have the manifest.
    #[error("the repository has no manifest `{name}`")]
    ManifestUnknown {
        /// Its tag or digest.
        name: String,
    },
    /// The manifest is not one.
    #[error("the manifest is not accepted")]
    Manifest(#[from] DocumentError),
    /// The push asks for more tags than are given at once.
    #[error("more than {limit} tags are asked for at once")]
    TooManyTags {
        /// How many are given.
        limit: usize,
    },
    /// The manifest has more bytes than are taken.
    #[error("the manifest is larger than {limit_bytes} bytes")]
    ManifestTooLarge {
        /// How many are taken.
        limit_bytes: u64,
    },
    /// There is no such upload.
    #[error("there is no upload `{id}` in the repository")]
    UploadUnknown {
        /// What the path says.
        id: String,
    },
    /// Another request is writing to the upload.
    #[error("another request is writing to the upload")]
    UploadBusy,
    /// The chunk does not continue where the upload stands.
    #[error("the chunk begins at {first}, but the upload stands at {length_bytes}")]
    ChunkOrder {
        /// Where the chunk begins.
        first: u64,
        /// Where the upload stands.
        length_bytes: u64,
        /// The path of the upload.
        location: String,
    },
    /// The place of a chunk cannot be read.
    #[error("`{header}` is not the place of a chunk")]
    ContentRange {
        /// The header.
        header: String,
    },
    /// The blob does not have the bytes that are wanted.
    #[error("the blob has {size_bytes} bytes, none of which are in `{range}`")]
    RangeNotSatisfiable {
        /// The header.
        range: String,
        /// What there is.
        size_bytes: u64,
    },
    /// The bytes are more or fewer than was said.
    #[error("{expected_bytes} bytes were announced, {actual_bytes} came")]
    Length {
        /// What was said.
        expected_bytes: u64,
        /// What came.
        actual_bytes: u64,
    },
    /// The blob is larger than this registry takes.
    #[error("the blob is larger than {limit_bytes} bytes")]
    BlobTooLarge {
        /// What it takes.
        limit_bytes: u64,
    },
    /// The bytes have another digest than was said.
    #[error("the content has the digest `{actual}`, not `{expected}`")]
    DigestMismatch {
        /// What was said.
        expected: Box<Digest>,
        /// What it is.
        actual: Box<Digest>,
    },
    /// The client stopped sending.
    #[error("the request's body ended early")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The client sends too slowly.
    #[error("no byte of the request's body came for {seconds} seconds")]
    BodyTimeout {
        /// How long was waited.
        seconds: u64,
    },
    /// A request about charts.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The caller is not known, or may not do that.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// An upstream does not give what is wanted, or is not to be written to.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// What happened to several requests that waited for the same thing.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// What has come of a blob cannot be read.
    #[error("cannot read what has come of a blob")]
    ReadAlong(#[source] std::io::Error),
    /// More large manifests come than can be held.
    #[error("too many large manifests are being pushed; try again")]
    Crowded,
    /// The server is being stopped.
    #[error("the registry is being stopped")]
    Stopping,
    /// A step of a push has ended without an outcome.
    #[error("the push was given up")]
    Abandoned,
    /// Nobody knows what rules of retention must leave alone.
    #[error("cannot find out what releases rely on")]
    Pins(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The content store failed.
    #[error("the content store failed")]
    Storage(#[from] StoreError),
    /// The bucket in which the blobs lie failed, for now or for good.
    #[error("the bucket of the registry does not do what it should; try again later")]
    Bucket(#[source] BucketError),
    /// The ledger says no.
    #[error(transparent)]
    Refused(Refusal),
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(#[source] sampan_store::Error),
}

impl Error {
    /// What happened, whoever else it happened to.
    #[must_use]
    pub fn own(&self) -> &Self {
        match self {
            Self::Shared(error) => error.own(),
            error => error,
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Content(error) => Self::Storage(error),
            StorageError::Bucket(error) => Self::Bucket(error),
        }
    }
}

impl From<sampan_store::Error> for Error {
    fn from(error: sampan_store::Error) -> Self {
        match error {
            sampan_store::Error::Refused(refusal) => Self::Refused(refusal),
            other => Self::Ledger(other),
        }
    }
}
