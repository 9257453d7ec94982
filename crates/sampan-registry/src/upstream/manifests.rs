//! The manifests of an upstream: fetched once, their tags looked after again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sampan_oci::Digest;
use sampan_store::registry::ManifestRow;
use sampan_supervise::clock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::figures::{Kind, Outcome};
use super::mirror::Mirror;
use super::{Shared, Source, UpstreamError};
use crate::client::{ClientError, RemoteDocument, RemoteRepository};
use crate::error::Error;
use crate::registry::NewManifest;
use crate::wire::name::{ManifestName, RepositoryName};

/// Who pushes, in events and in the history of tags.
const ACTOR: &str = "upstream";
/// How long somebody waits for news of a tag that is here.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many tags are known to be fresh.
const FRESH_LIMIT: usize = 10_000;

/// The outcome of a fetch, once there is one.
pub(super) type Fetched = Option<Result<ManifestRow, Arc<Error>>>;

/// When tags were looked after. A server that starts knows of none.
#[derive(Debug, Default)]
pub(super) struct Freshness(Mutex<HashMap<String, Instant>>);

impl Freshness {
    fn is_fresh(&self, key: &str, within: Duration) -> bool {
        let looked = self.lock().get(key).copied();
        looked.is_some_and(|at| at.elapsed() < within)
    }

    fn renew(&self, key: String, within: Duration) {
        let mut known = self.lock();
        if known.len() >= FRESH_LIMIT {
            known.retain(|_, at| at.elapsed() < within);
        }
        if known.len() >= FRESH_LIMIT {
            known.clear();
        }
        known.insert(key, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is fetched.
#[derive(Debug)]
struct Fetch {
    shared: Arc<Shared>,
    source: Arc<Source>,
    repository: RepositoryName,
    remote: RemoteRepository,
    name: ManifestName,
}

impl Mirror<'_> {
    /// What is known of a manifest, which is here then.
    pub(crate) async fn manifest(&self, name: &ManifestName) -> Result<ManifestRow, Error> {
        let figures = &self.source.figures;
        match self.registry().manifest(self.repository, name).await {
            Ok(row) if self.is_good(name) => {
                figures.count(Kind::Manifest, Outcome::Hit);
                return Ok(row);
            }
            Ok(_) | Err(Error::ManifestUnknown { .. }) => {}
            Err(error) => return Err(error),
        }
        let key = format!("{} {name}", self.repository);
        let (mut flight, joined) = self.shared.manifests.join(key, |state| {
            let fetch = Fetch {
                shared: Arc::clone(self.shared),
                source: Arc::clone(self.source),
                repository: self.repository.clone(),
                remote: self.remote.clone(),
                name: name.clone(),
            };
            fetch.run(state)
        });
        if joined {
            figures.count(Kind::Manifest, Outcome::Joined);
        }
        let landed = flight.wait_for(Option::is_some).await;
        let outcome = landed.map_err(|_| Error::Stopping)?.clone();
        match outcome {
            Some(Ok(row)) => Ok(row),
            Some(Err(error)) => Err(Error::Shared(error)),
            None => Err(Error::Stopping),
        }
    }

    /// Whether what is here need not be looked after.
    fn is_good(&self, name: &ManifestName) -> bool {
        let ManifestName::Tag(tag) = name else {
            return true;
        };
        let within = self.source.config.revalidate_after;
        self.registry().rules(self.repository).is_immutable(tag)
            || self
                .source
                .freshness
                .is_fresh(&tag_key(self.repository, tag), within)
    }
}

impl Fetch {
    async fn run(self, state: watch::Sender<Fetched>) -> (watch::Sender<Fetched>, Fetched) {
        let fetched = self.fetch().await;
        let outcome = match &fetched {
            Ok((_, outcome)) => *outcome,
            Err(_) => Outcome::Failed,
        };
        self.source.figures.count(Kind::Manifest, outcome);
        let last = fetched.map(|(row, _)| row).map_err(Arc::new);
        (state, Some(last))
    }

    async fn fetch(&self) -> Result<(ManifestRow, Outcome), Error> {
        let known = self.shared.registry.manifest(&self.repository, &self.name);
        let known = match known.await {
            Ok(row) => Some(row),
            Err(Error::ManifestUnknown { .. }) => None,
            Err(error) => return Err(error),
        };
        match (&self.name, known) {
            // Another fetch has ended just before this one began.
            (ManifestName::Digest(_), Some(row)) => Ok((row, Outcome::Hit)),
            (ManifestName::Tag(tag), Some(row)) => self.look_after(tag, row).await,
            (_, None) => {
                let row = self.get(&self.name.to_string()).await?;
                Ok((row, Outcome::Miss))
            }
        }
    }

    /// Finds out where a tag points that is here already.
    async fn look_after(
        &self,
        tag: &str,
        row: ManifestRow,
    ) -> Result<(ManifestRow, Outcome), Error> {
        let key = tag_key(&self.repository, tag);
        let within = self.source.config.revalidate_after;
        if self.source.freshness.is_fresh(&key, within) {
            return Ok((row, Outcome::Hit));
        }
        if self.source.breaker.is_open() {
            return self.stale(tag, row).await;
        }
        let renewed = tokio::time::timeout(PATIENCE, self.renewed(tag, &row)).await;
        match renewed {
            Ok(Ok(Some(renewed))) => Ok((renewed, Outcome::Miss)),
            Ok(Ok(None)) => {
                self.believe(tag);
                self.used(tag, &row).await?;
                Ok((row, Outcome::Hit))
            }
            Ok(Err(error @ Error::ManifestUnknown { .. })) => Err(error),
            Ok(Err(error)) => {
                self.complain(tag, Some(&error));
                self.stale(tag, row).await
            }
            Err(_) => {
                self.complain(tag, None);
                self.stale(tag, row).await
            }
        }
    }

    fn complain(&self, tag: &str, error: Option<&Error>) {
        self.source.breaker.failed();
        tracing::warn!(
            upstream = self.source.config.name(),
            repository = self.repository.as_str(),
            tag,
            error = error.map(|error| error as &dyn std::error::Error),
            "an upstream cannot be asked; what is here is given out"
        );
    }

    async fn stale(&self, tag: &str, row: ManifestRow) -> Result<(ManifestRow, Outcome), Error> {
        self.used(tag, &row).await?;
        Ok((row, Outcome::Stale))
    }

    /// What the tag points to now; nothing when it is what it was.
    async fn renewed(&self, tag: &str, row: &ManifestRow) -> Result<Option<ManifestRow>, Error> {
        let target = self.remote.target(tag).await;
        match target.map_err(|error| self.failure(error))? {
            Some(digest) if digest.to_string() == row.digest => Ok(None),
            Some(digest) => self.follow(&digest).await.map(Some),
            // The registry does not say where tags point.
            None => self.get(tag).await.map(Some),
        }
    }

    /// Moves the tag to a manifest, which may be here.
    async fn follow(&self, digest: &Digest) -> Result<ManifestRow, Error> {
        let registry = &self.shared.registry;
        let name = ManifestName::Digest(*digest);
        let row = match registry.manifest(&self.repository, &name).await {
            Ok(row) => row,
            Err(Error::ManifestUnknown { .. }) => return self.get(&digest.to_string()).await,
            Err(error) => return Err(error),
        };
        match registry.small(digest, row.size_bytes).await? {
            Some(bytes) => {
                let document = RemoteDocument {
                    digest: *digest,
                    media_type: row.media_type,
                    bytes: bytes.into(),
                };
                self.put(document).await
            }
            None => self.get(&digest.to_string()).await,
        }
    }

    async fn get(&self, reference: &str) -> Result<ManifestRow, Error> {
        let document = self.remote.document(reference).await;
        self.put(document.map_err(|error| self.failure(error))?)
            .await
    }

    /// Takes a manifest as if it were pushed, but for what it names, which comes when somebody wants it.
    async fn put(&self, document: RemoteDocument) -> Result<ManifestRow, Error> {
        let registry = &self.shared.registry;
        let name = ManifestName::Digest(document.digest);
        let tag = match &self.name {
            ManifestName::Tag(tag) => Some(tag.clone()),
            ManifestName::Digest(_) => None,
        };
        let new = NewManifest {
            repository: self.repository.clone(),
            name: name.clone(),
            tags: tag.iter().cloned().collect(),
            content_type: Some(document.media_type),
            bytes: document.bytes,
            replaces: true,
            is_whole: false,
            actor: ACTOR.to_owned(),
        };
        let pushed = registry.push_manifest(new).await;
        pushed.map_err(|error| match error {
            Error::Manifest(source) => UpstreamError::Document {
                upstream: self.source.config.name().to_owned(),
                name: self.name.to_string(),
                source,
            }
            .into(),
            error => error,
        })?;
        if let Some(tag) = tag {
            self.believe(&tag);
        }
        registry.manifest(&self.repository, &name).await
    }

    /// The upstream has said where the tag points.
    fn believe(&self, tag: &str) {
        self.source.breaker.answered();
        let within = self.source.config.revalidate_after;
        self.source
            .freshness
            .renew(tag_key(&self.repository, tag), within);
    }

    /// Notes that somebody pulls the tag, for rules of retention.
    async fn used(&self, tag: &str, row: &ManifestRow) -> Result<(), Error> {
        let ledger = self.shared.registry.ledger();
        let (repository, now) = (self.repository.as_str(), clock::now());
        ledger.touch_tag(repository, tag, &row.digest, now).await?;
        Ok(())
    }

    fn failure(&self, error: ClientError) -> Error {
        match error {
            ClientError::NotFound { .. } => Error::ManifestUnknown {
                name: self.name.to_string(),
            },
            error => self.source.failure(error),
        }
    }
}

fn tag_key(repository: &RepositoryName, tag: &str) -> String {
    format!("{repository}:{tag}")
}
