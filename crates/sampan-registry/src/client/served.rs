//! What this very registry serves, as a place that content comes from.

use sampan_oci::image::DOCUMENT_LIMIT_BYTES;
use sampan_oci::{Descriptor, Digest, MediaType};

use super::document::Document;
use super::error::ClientError;
use super::origin::Origin;
use super::remote::RemoteRepository;
use super::transfer::{Target, Transfer};
use super::watch::{Totals, Unwatched};
use super::{Client, copy};
use crate::error::Error;
use crate::registry::Registry;
use crate::storage::Reader;
use crate::wire::name::{ManifestName, RepositoryName};

/// How many referrers are read at once.
const PAGE: u32 = 500;

/// A repository of this registry.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) registry: Registry,
    pub(crate) repository: RepositoryName,
}

impl Served {
    pub(super) async fn document(&self, reference: &str) -> Result<Document, ClientError> {
        let name: ManifestName = reference.parse().map_err(|_| absent(reference))?;
        let row = self.registry.manifest(&self.repository, &name).await;
        let row = row.map_err(failed)?;
        let digest: Digest = row.digest.parse().map_err(|_| absent(reference))?;
        let bytes = self.registry.small(&digest, DOCUMENT_LIMIT_BYTES).await;
        let bytes = bytes.map_err(failed)?.ok_or_else(|| absent(reference))?;
        Document::new(reference, digest, Some(&row.media_type), bytes.into())
    }

    pub(super) async fn blob(&self, digest: &Digest, offset: u64) -> Result<Reader, ClientError> {
        let stored = self.registry.blob(&self.repository, digest).await;
        let stored = stored.map_err(failed)?;
        let size_bytes = stored.size_bytes;
        let reader = stored.read(offset.min(size_bytes)..size_bytes).await;
        let reader = reader.map_err(|error| failed(error.into()))?;
        reader.ok_or_else(|| absent(&digest.to_string()))
    }

    pub(super) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, ClientError> {
        let mut found: Vec<Descriptor> = Vec::new();
        loop {
            let after = found.last().map(|last| last.digest().to_string());
            let page = self
                .registry
                .referrers(&self.repository, subject, None, after.as_deref(), PAGE)
                .await
                .map_err(failed)?;
            for row in page.entries {
                let digest: Digest = row.digest.parse().map_err(|_| absent(&row.digest))?;
                let media_type = MediaType::from(row.media_type.as_str());
                found.push(Descriptor::new(media_type, row.size_bytes, digest));
            }
            if !page.more {
                return Ok(found);
            }
        }
    }
}

impl Client {
    /// Brings a manifest that is served here, with what it leads to and what refers to it, to another registry, under
    /// a tag or else under its digest.
    pub(crate) async fn bring(
        &self,
        served: Served,
        there: &RemoteRepository,
        digest: &Digest,
        tag: Option<&str>,
    ) -> Result<Totals, ClientError> {
        let target = Target::Registry(there.inner().clone());
        let origin = Origin::Served(served);
        let mut transfer = Transfer::new(origin, target, self.settings().jobs, &Unwatched);
        transfer.chunk_bytes = self.settings().chunk_bytes;
        let document = transfer.origin.document(&digest.to_string()).await?;
        copy::referrers(&transfer, &document).await?;
        transfer.run(document, tag).await?;
        Ok(transfer.totals())
    }
}

/// What this registry says of itself.
fn failed(error: Error) -> ClientError {
    match error {
        Error::BlobUnknown { digest: name } | Error::ManifestUnknown { name } => {
            ClientError::NotHere { name }
        }
        error => ClientError::Served(Box::new(error)),
    }
}

fn absent(name: &str) -> ClientError {
    ClientError::NotHere {
        name: name.to_owned(),
    }
}
