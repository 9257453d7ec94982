//! Where content comes from: the content store, or a registry with its mirrors.

use sampan_model::Causes;
use sampan_oci::image::DOCUMENT_LIMIT_BYTES;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Descriptor, Digest};

use super::blob::{BlobReader, LocalBlob, RemoteBlob};
use super::document::Document;
use super::error::ClientError;
use super::repository::Repository;
use super::served::Served;

/// Where content comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Store(ContentStore),
    /// The mirrors in order, and the registry itself last.
    Registry(Vec<Repository>),
    /// What this very program serves.
    Served(Served),
}

impl Origin {
    /// The manifest that a tag or digest names in the registry. The store knows digests only.
    pub(super) async fn document(&self, reference: &str) -> Result<Document, ClientError> {
        match self {
            Self::Store(store) => {
                let digest: Digest = reference.parse().map_err(|_| ClientError::NotHere {
                    name: reference.to_owned(),
                })?;
                let bytes = store.read(&digest, DOCUMENT_LIMIT_BYTES)?;
                Document::new(reference, digest, None, bytes.into())
            }
            Self::Served(served) => served.document(reference).await,
            Self::Registry(places) => {
                let mut last = None;
                for place in up(places) {
                    match place.manifest(reference).await {
                        Ok(document) => return Ok(document),
                        Err(error) => last = Some(failed(place, error)),
                    }
                }
                Err(last.unwrap_or_else(|| nowhere(reference)))
            }
        }
    }

    /// The bytes of a blob from `offset` on.
    pub(super) async fn blob(
        &self,
        digest: Digest,
        size: u64,
        offset: u64,
    ) -> Result<BlobReader, ClientError> {
        match self {
            Self::Store(store) => {
                let blob = LocalBlob::open(store.clone(), digest, offset)?;
                Ok(BlobReader::Local(blob))
            }
            Self::Served(served) => {
                let reader = served.blob(&digest, offset).await?;
                Ok(BlobReader::Served(Box::new(reader)))
            }
            Self::Registry(places) => {
                let mut last = None;
                for place in up(places) {
                    match RemoteBlob::open(place.clone(), digest, size, offset).await {
                        Ok(blob) => return Ok(BlobReader::Remote(Box::new(blob))),
                        Err(error) => last = Some(failed(place, error)),
                    }
                }
                Err(last.unwrap_or_else(|| nowhere(&digest.to_string())))
            }
        }
    }

    /// The error that it gives bytes of another digest than it should.
    pub(super) fn altered(&self, expected: Digest, actual: Digest) -> ClientError {
        match self {
            Self::Store(_) | Self::Served(_) => StoreError::altered(expected, actual).into(),
            Self::Registry(places) => ClientError::Altered {
                host: places
                    .first()
                    .map_or_else(String::new, |one| one.host().to_owned()),
                expected: Box::new(expected),
                actual: Box::new(actual),
            },
        }
    }

    /// What refers to `subject` in the registry itself; the store keeps no such list.
    pub(super) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, ClientError> {
        match self {
            Self::Registry(places) => match places.last() {
                Some(registry) => registry.referrers(subject).await,
                None => Ok(Vec::new()),
            },
            Self::Served(served) => served.referrers(subject).await,
            Self::Store(_) => Ok(Vec::new()),
        }
    }

    /// Each place alone, for who must begin again elsewhere when one of them gives other bytes than it should.
    pub(super) fn places(&self) -> Vec<Self> {
        match self {
            Self::Store(_) | Self::Served(_) => vec![self.clone()],
            Self::Registry(places) => up(places)
                .map(|one| Self::Registry(vec![one.clone()]))
                .collect(),
        }
    }
}

/// The places that were not found to be down; the registry itself is always asked.
fn up(places: &[Repository]) -> impl Iterator<Item = &Repository> {
    let last = places.len().saturating_sub(1);
    let is_up =
        move |(index, place): &(usize, &Repository)| *index == last || !place.endpoint.is_down();
    places
        .iter()
        .enumerate()
        .filter(is_up)
        .map(|(_, place)| place)
}

fn failed(place: &Repository, error: ClientError) -> ClientError {
    if matches!(
        error,
        ClientError::Unreachable { .. }
            | ClientError::Untrusted { .. }
            | ClientError::Stalled { .. }
            | ClientError::Broken { .. }
    ) && place.endpoint.is_mirror
        && !place.endpoint.mark_down()
    {
        tracing::warn!(
            mirror = place.host(),
            error = Causes(&error).to_string(),
            "goes on without a mirror"
        );
    }
    tracing::debug!(host = place.host(), %error, "a place does not give what was asked for");
    error
}

fn nowhere(what: &str) -> ClientError {
    ClientError::NotHere {
        name: what.to_owned(),
    }
}
