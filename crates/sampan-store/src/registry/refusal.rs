//! Why the ledger refuses a write.

/// A write that the ledger refuses; nothing has been changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The repository does not hold the blob.
    #[error("`{repository}` does not hold the blob `{digest}`")]
    BlobUnknown {
        /// The repository.
        repository: String,
        /// The blob.
        digest: String,
    },
    /// The repository does not have the manifest.
    #[error("`{repository}` does not have the manifest `{digest}`")]
    ManifestUnknown {
        /// The repository.
        repository: String,
        /// The manifest.
        digest: String,
    },
    /// The repository does not have the tag.
    #[error("`{repository}` does not have the tag `{tag}`")]
    TagUnknown {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// The repository lacks blobs or manifests that the manifest needs.
    #[error("the repository lacks {} of what the manifest needs, first `{}`", .0.len(), .0.first().map_or("", String::as_str))]
    MissingChildren(Vec<String>),
    /// The tag may not move or go.
    #[error("the tag `{tag}` is immutable")]
    TagImmutable {
        /// The tag.
        tag: String,
    },
    /// The project would hold more than it may.
    #[error("the project `{project}` may hold {limit_bytes} bytes, it would hold {wanted_bytes}")]
    QuotaExceeded {
        /// The project.
        project: String,
        /// What it may hold.
        limit_bytes: u64,
        /// What it would hold.
        wanted_bytes: u64,
    },
    /// Manifests of the repository need the blob.
    #[error("{references} manifests of `{repository}` need the blob `{digest}`")]
    Referenced {
        /// The repository.
        repository: String,
        /// The blob.
        digest: String,
        /// How many manifests.
        references: u32,
    },
}
