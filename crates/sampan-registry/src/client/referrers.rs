//! What refers to content: signatures, bills of materials, and the like.

use bytes::Bytes;
use sampan_oci::{Descriptor, Digest, ImageIndex, MediaType, json};

use super::document::Document;
use super::error::ClientError;
use super::repository::{Repository, referrers_tag};

/// Adds `entry` to the tag that lists what refers to `subject`, for registries that keep no list of their own
/// (distribution specification, "Pushing Manifests with Subject").
pub(super) async fn list(
    repository: &Repository,
    subject: &Digest,
    entry: Descriptor,
) -> Result<(), ClientError> {
    let mut entries = repository.listed_referrers(subject).await?;
    if entries.iter().any(|known| known.digest() == entry.digest()) {
        return Ok(());
    }
    entries.push(entry);
    let mut index = ImageIndex::default();
    index.set_schema_version(2);
    index.set_media_type(Some(MediaType::ImageIndex));
    index.set_manifests(entries);
    let bytes: Bytes = json::canonical(&index)
        .map_err(|source| ClientError::Store(sampan_oci::store::StoreError::Serialize { source }))?
        .into();
    let tag = referrers_tag(subject);
    let document = Document::new(&tag, Digest::of_bytes(&bytes), None, bytes)?;
    repository.put_manifest(&tag, &document).await.map(drop)
}
