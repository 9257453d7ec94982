//! One repository of an upstream, as a request sees it.

use std::sync::Arc;

use sampan_oci::Digest;
use tokio::sync::watch;

use super::download::{Download, Stage};
use super::figures::{Kind, Outcome};
use super::growing::Growing;
use super::{Shared, Source, UpstreamError};
use crate::client::{ClientError, RemoteRepository};
use crate::error::Error;
use crate::registry::Registry;
use crate::storage::Stored;
use crate::wire::name::RepositoryName;

/// Blobs up to this size are given out when they are here and verified, so that what is wrong with them can be said.
const AWAITED_BYTES: u64 = 256 << 10;

/// A repository that is served from an upstream.
#[derive(Debug)]
pub(crate) struct Mirror<'call> {
    pub(super) shared: &'call Arc<Shared>,
    pub(super) source: &'call Arc<Source>,
    pub(super) repository: &'call RepositoryName,
    pub(super) remote: RemoteRepository,
}

/// The bytes of a blob.
#[derive(Debug)]
pub(crate) enum Content {
    /// They are here.
    Stored(Stored),
    /// They are being fetched.
    Coming(Growing),
}

impl<'call> Mirror<'call> {
    pub(super) fn new(
        shared: &'call Arc<Shared>,
        source: &'call Arc<Source>,
        repository: &'call RepositoryName,
        remote: RemoteRepository,
    ) -> Self {
        Self {
            shared,
            source,
            repository,
            remote,
        }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// The size of a blob. Whoever asks need not want it, so it is not fetched.
    pub(crate) async fn blob_size(&self, digest: &Digest) -> Result<u64, Error> {
        match self.registry().blob_size(self.repository, digest).await {
            Err(Error::BlobUnknown { .. }) => {}
            known => return known,
        }
        match self.remote.blob_size(digest).await {
            Ok(Some(size_bytes)) => Ok(size_bytes),
            Ok(None) => Err(unknown(digest)),
            Err(error) => Err(self.source.blob_failure(digest, error)),
        }
    }

    /// A blob; `along` says whether it may be given out while it comes.
    pub(crate) async fn blob(&self, digest: &Digest, along: bool) -> Result<Content, Error> {
        let figures = &self.source.figures;
        match self.registry().blob(self.repository, digest).await {
            Err(Error::BlobUnknown { .. }) => {}
            Ok(stored) => {
                figures.count(Kind::Blob, Outcome::Hit);
                figures.hit(stored.size_bytes);
                return Ok(Content::Stored(stored));
            }
            Err(error) => return Err(error),
        }
        let (flight, joined) =
            self.shared
                .blobs
                .join(format!("{}@{digest}", self.repository), |stage| {
                    let download = Download {
                        shared: Arc::clone(self.shared),
                        source: Arc::clone(self.source),
                        repository: self.repository.clone(),
                        remote: self.remote.clone(),
                        digest: *digest,
                    };
                    download.run(stage)
                });
        let arrived = self.arrival(flight, digest, along).await;
        let outcome = match &arrived {
            Err(_) => Outcome::Failed,
            Ok(_) if joined => Outcome::Joined,
            Ok((_, outcome)) => *outcome,
        };
        figures.count(Kind::Blob, outcome);
        arrived.map(|(content, _)| content)
    }

    /// Waits until there is something to give out, and says where it came from.
    async fn arrival(
        &self,
        mut flight: watch::Receiver<Stage>,
        digest: &Digest,
        along: bool,
    ) -> Result<(Content, Outcome), Error> {
        loop {
            let stage = flight.borrow_and_update().clone();
            match stage {
                Stage::Done(outcome) => {
                    let stored = self.registry().blob(self.repository, digest).await?;
                    return Ok((Content::Stored(stored), outcome));
                }
                Stage::Failed(error) => return Err(Error::Shared(error)),
                Stage::Coming(growth) if along && growth.size_bytes > AWAITED_BYTES => {
                    let buffers = self.shared.buffers.clone();
                    let growing = Growing::new(growth, flight, buffers);
                    return Ok((Content::Coming(growing), Outcome::Miss));
                }
                Stage::Coming(_) | Stage::Waiting => {}
            }
            if flight.changed().await.is_err() {
                return Err(Error::Stopping);
            }
        }
    }
}

impl Source {
    /// What it means that a blob did not come.
    pub(super) fn blob_failure(&self, digest: &Digest, error: ClientError) -> Error {
        match error {
            ClientError::NotFound { .. } => unknown(digest),
            error => self.failure(error),
        }
    }

    /// What it means that the upstream does not give something that may exist.
    pub(super) fn failure(&self, error: ClientError) -> Error {
        let upstream = self.config.name().to_owned();
        let source = Box::new(error);
        UpstreamError::Client { upstream, source }.into()
    }
}

fn unknown(digest: &Digest) -> Error {
    Error::BlobUnknown {
        digest: digest.to_string(),
    }
}
