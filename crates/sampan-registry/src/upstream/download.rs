//! A blob on its way from an upstream into the registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::Stream;
use sampan_oci::Digest;
use tokio::sync::watch;

use super::figures::Outcome;
use super::growing::Growth;
use super::{Shared, Source, UpstreamError};
use crate::client::{Incoming, RemoteRepository};
use crate::error::Error;
use crate::registry::{Held, Session, Whole};
use crate::storage::blocking;
use crate::wire::name::RepositoryName;

/// How many blobs are remembered of which a part has come.
const PARTIALS: usize = 64;

/// How far a blob has come.
#[derive(Debug, Clone, Default)]
pub(super) enum Stage {
    /// The upstream has not answered yet.
    #[default]
    Waiting,
    /// It is being written into a file.
    Coming(Arc<Growth>),
    /// It is verified and in the ledger; another fetch may have brought it there.
    Done(Outcome),
    /// It did not come.
    Failed(Arc<Error>),
}

/// What is fetched.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) shared: Arc<Shared>,
    pub(super) source: Arc<Source>,
    pub(super) repository: RepositoryName,
    pub(super) remote: RemoteRepository,
    pub(super) digest: Digest,
}

/// Blobs that broke off. The next pull goes on with them as long as the server runs.
#[derive(Debug, Default)]
pub(super) struct Partials(Mutex<HashMap<(RepositoryName, Digest), Partial>>);

#[derive(Debug)]
struct Partial {
    session: Arc<Session>,
    size_bytes: u64,
}

impl Partials {
    fn take(&self, download: &Download) -> Option<Partial> {
        self.lock().remove(&download.key())
    }

    /// Remembers a part, unless there are many; says whether it did.
    fn keep(&self, download: &Download, partial: Partial) -> bool {
        let mut partials = self.lock();
        let room = partials.len() < PARTIALS;
        if room {
            partials.insert(download.key(), partial);
        }
        room
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(RepositoryName, Digest), Partial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Download {
    /// Fetches the blob, and gives the last stage.
    pub(super) async fn run(self, stage: watch::Sender<Stage>) -> (watch::Sender<Stage>, Stage) {
        let last = match self.fetch(&stage).await {
            Ok(outcome) => Stage::Done(outcome),
            Err(error) => Stage::Failed(Arc::new(error)),
        };
        (stage, last)
    }

    fn key(&self) -> (RepositoryName, Digest) {
        (self.repository.clone(), self.digest)
    }

    async fn fetch(&self, stage: &watch::Sender<Stage>) -> Result<Outcome, Error> {
        let registry = &self.shared.registry;
        // Another fetch may have ended just before this one began.
        match registry.blob(&self.repository, &self.digest).await {
            Err(Error::BlobUnknown { .. }) => {}
            found => return found.map(|_| Outcome::Hit),
        }
        let slot = self.shared.slots.acquire().await;
        let _slot = slot.expect("the slots are never closed");
        let (session, held, incoming) = self.begin().await?;
        let size_bytes = incoming.size_bytes;
        let (held, file) = opened(held).await;
        let growth = Arc::new(Growth {
            file: file?,
            written: session.progress(),
            size_bytes,
        });
        stage.send_replace(Stage::Coming(growth));
        let bytes = self.bytes(incoming);
        match registry
            .append(&session, held, None, Some(&self.digest), bytes)
            .await
        {
            Ok(held) => {
                self.publish(&session, held).await?;
                Ok(Outcome::Miss)
            }
            Err(error) => {
                self.put_aside(session, size_bytes).await;
                Err(error)
            }
        }
    }

    /// Goes on where an earlier fetch broke off, or begins anew.
    async fn begin(&self) -> Result<(Arc<Session>, Held, Incoming), Error> {
        let registry = &self.shared.registry;
        let failed = |error| self.source.blob_failure(&self.digest, error);
        if let Some(partial) = self.shared.downloads.take(self) {
            // It may have been swept since.
            if let Ok(held) = partial.session.hold().await {
                let (size_bytes, offset) = (partial.size_bytes, held.length_bytes());
                match self.remote.rest(&self.digest, size_bytes, offset).await {
                    Ok(incoming) => return Ok((partial.session, held, incoming)),
                    Err(error) => {
                        drop(held);
                        self.put_aside(partial.session, size_bytes).await;
                        return Err(failed(error));
                    }
                }
            }
        }
        let incoming = self.remote.blob(&self.digest).await.map_err(failed)?;
        self.check_room(incoming.size_bytes).await?;
        let algorithm = self.digest.algorithm();
        let session = registry.start_upload(&self.repository, algorithm).await?;
        let held = session.hold().await?;
        Ok((session, held, incoming))
    }

    /// Refuses what could not be kept, before it has come: the next pull would fetch it again.
    async fn check_room(&self, size_bytes: u64) -> Result<(), Error> {
        let registry = &self.shared.registry;
        let limit_bytes = registry.config().limits.blob_bytes.unwrap_or(u64::MAX);
        if size_bytes > limit_bytes {
            return Err(Error::BlobTooLarge { limit_bytes });
        }
        registry
            .check_room(&self.repository, &self.digest, size_bytes)
            .await
    }

    /// The bytes of the blob.
    fn bytes(&self, incoming: Incoming) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        futures_util::stream::unfold(incoming, async move |mut incoming| {
            let next = incoming.chunk().await.transpose()?;
            if let Ok(bytes) = &next {
                self.source.figures.received(bytes.len());
            }
            let next = next.map_err(|error| self.source.blob_failure(&self.digest, error));
            Some((next, incoming))
        })
    }

    async fn publish(&self, session: &Arc<Session>, held: Held) -> Result<(), Error> {
        let registry = &self.shared.registry;
        let mark = held.mark();
        let whole = Whole { held, mark };
        let published = registry.finish_upload(session, whole, self.digest).await;
        if matches!(published, Err(Error::Bucket(_))) {
            // Nothing is left to be fetched, so nobody would go on with it.
            registry.cancel(session).await?;
        }
        published.map_err(|error| match error {
            Error::DigestMismatch { expected, actual } => UpstreamError::Altered {
                upstream: self.source.config.name().to_owned(),
                expected,
                actual,
            }
            .into(),
            error => error,
        })
    }

    /// Keeps what has come for the next pull.
    async fn put_aside(&self, session: Arc<Session>, size_bytes: u64) {
        let partial = Partial {
            session: Arc::clone(&session),
            size_bytes,
        };
        let is_kept = session.length_bytes() > 0 && self.shared.downloads.keep(self, partial);
        if !is_kept && let Err(error) = self.shared.registry.cancel(&session).await {
            // The sweeper of uploads finds it.
            tracing::debug!(%error, "what came of a blob cannot be removed");
        }
    }
}

/// Opens the file of an upload for those who read along.
async fn opened(mut held: Held) -> (Held, Result<Arc<std::fs::File>, Error>) {
    blocking(move || {
        let file = held.file();
        (held, file)
    })
    .await
}
