//! Replication: what is pushed here is brought to other registries.
//!
//! A rule is told of events like a webhook, one after the other, with the same log; but what an event says is only where
//! to look. What is brought is what is here by then, and what the other registry has already is left alone. So an event
//! may be seen twice or be overtaken, and a kill at any moment means at worst that something is looked for again.
//!
//! A new rule, and one that missed events because they were too many, begins with all that it is about. Repositories of
//! an upstream are not brought anywhere: they are whole there, and not here.

mod config;
mod outcome;
mod round;

use std::path::Path;

use sampan_oci::Digest;
use sampan_store::registry::{Event, EventKind, ManifestRow};

pub use self::config::{Replication, Replications};
pub(crate) use self::outcome::Outcome;

use crate::client::{
    Client, ClientError, Remote, RemoteRepository, RemoteSetupError, Served, Settings,
};
use crate::error::Error;
use crate::registry::Registry;
use crate::wire::name::{ManifestName, RepositoryName};

/// What the names of all rules begin with among those who are told of events.
pub const SUBSCRIPTIONS: &str = "replication/";

/// Brings what one rule is about to its registry.
#[derive(Debug)]
pub(crate) struct Replicator {
    rule: Replication,
    subscription: String,
    registry: Registry,
    client: Client,
    remote: Remote,
}

/// Why something was not brought.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// It cannot be read here.
    #[error("cannot read it here")]
    Here(#[from] Error),
    /// The other registry does not take it.
    #[error(transparent)]
    There(#[from] ClientError),
}

impl From<sampan_store::Error> for Failure {
    fn from(error: sampan_store::Error) -> Self {
        Self::Here(error.into())
    }
}

impl Replicator {
    /// Carries out a rule; the other registry is reached as `settings` say.
    ///
    /// # Errors
    /// When a password or certificate cannot be read.
    pub(crate) fn new(
        rule: &Replication,
        registry: Registry,
        data: &Path,
        settings: &Settings,
    ) -> Result<Self, RemoteSetupError> {
        let mut settings = settings.clone();
        let authority = rule.certificate_authority.as_ref();
        settings
            .authorities
            .extend(authority.map(|path| data.join(path)));
        let client = Client::new(settings);
        Ok(Self {
            remote: client.remote(&rule.to, rule.credentials.as_ref(), data)?,
            subscription: rule.subscription(),
            rule: rule.clone(),
            registry,
            client,
        })
    }

    /// What it is called among those who are told of events.
    pub(crate) fn subscription(&self) -> &str {
        &self.subscription
    }

    /// Whether something may have to be done because of an event.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.rule.wants(event) && self.is_own(&event.repository)
    }

    /// Does what an event gives cause to; nothing when there is none any more.
    pub(crate) async fn follow(&self, event: &Event) -> Option<Outcome> {
        match self.done(event).await {
            Ok(outcome) => outcome,
            Err(failure) => Some(Outcome::of(&failure)),
        }
    }

    async fn done(&self, event: &Event) -> Result<Option<Outcome>, Failure> {
        let Ok(repository) = event.repository.parse::<RepositoryName>() else {
            return Ok(None);
        };
        let name = match &event.tag {
            Some(tag) => ManifestName::Tag(tag.clone()),
            None => match event.digest.parse() {
                Ok(digest) => ManifestName::Digest(digest),
                Err(_) => return Ok(None),
            },
        };
        let row = match self.registry.manifest(&repository, &name).await {
            Ok(row) => Some(row),
            Err(Error::ManifestUnknown { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        match (event.kind, row) {
            (EventKind::Pushed, Some(row)) if self.is_part(&repository, &name, &row).await? => {
                self.bring(&repository, &name, &row).await.map(Some)
            }
            (EventKind::TagDeleted | EventKind::ManifestDeleted, None) => {
                self.delete(&repository, &name).await.map(Some)
            }
            // Something else has happened since, of which there is another event.
            _ => Ok(None),
        }
    }

    /// Whether a manifest is to be brought under this name. Those without a tag are parts of an index, which bring them
    /// along, or say something about another manifest, which must be there.
    async fn is_part(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
        row: &ManifestRow,
    ) -> Result<bool, Failure> {
        if let ManifestName::Tag(tag) = name {
            return Ok(self.rule.has_tag(tag));
        }
        let Some(subject) = &row.subject else {
            return Ok(false);
        };
        let ledger = self.registry.ledger();
        let tags = ledger.tags_of(repository.as_str(), subject).await?;
        Ok(tags.iter().any(|tag| self.rule.has_tag(tag)))
    }

    /// Brings a manifest with all that it leads to, and what refers to it.
    async fn bring(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
        row: &ManifestRow,
    ) -> Result<Outcome, Failure> {
        let there = self.there(repository);
        let found = match there.target(&name.to_string()).await {
            Ok(found) => found,
            Err(ClientError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let digest: Digest = row.digest.parse().map_err(Error::from)?;
        if found == Some(digest) {
            return Ok(Outcome::present());
        }
        let served = Served {
            registry: self.registry.clone(),
            repository: repository.clone(),
        };
        let tag = match name {
            ManifestName::Tag(tag) => Some(tag.as_str()),
            ManifestName::Digest(_) => None,
        };
        let totals = self.client.bring(served, &there, &digest, tag).await?;
        Ok(Outcome::brought(&totals))
    }

    /// Deletes a tag or a manifest that is not here any more.
    async fn delete(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
    ) -> Result<Outcome, Failure> {
        match self.there(repository).delete(&name.to_string()).await {
            Ok(()) => Ok(Outcome::deleted()),
            Err(ClientError::NotFound { .. }) => Ok(Outcome::absent()),
            Err(error) => Err(error.into()),
        }
    }

    fn there(&self, repository: &RepositoryName) -> RemoteRepository {
        let name = self.rule.to.repository(repository.as_str());
        self.remote.writable(&name)
    }

    /// Whether a repository's content is here, and not at an upstream.
    fn is_own(&self, repository: &str) -> bool {
        self.registry.check_writable(repository).is_ok()
    }
}
