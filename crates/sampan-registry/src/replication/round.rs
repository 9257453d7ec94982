//! All that a rule is about, once.

use sampan_store::registry::TagRow;

use super::{Failure, Outcome, Replicator};
use crate::error::Error;
use crate::wire::name::{ManifestName, RepositoryName};

/// How many names are read at once.
const PAGE: u32 = 500;

/// What has been done so far.
#[derive(Debug, Default)]
struct Progress {
    tags: u64,
    brought: u64,
    /// The first thing that could not be brought, and why.
    failed: Option<(String, Outcome)>,
}

impl Replicator {
    /// Brings every tag that the rule is about and that the other registry does not have as it is here. What cannot be
    /// brought keeps nothing else back.
    pub(crate) async fn go_round(&self) -> Outcome {
        let mut progress = Progress::default();
        if let Err(failure) = self.repositories(&mut progress).await {
            return Outcome::of(&failure);
        }
        match progress.failed {
            None => Outcome::round(progress.tags, progress.brought),
            Some((name, outcome)) => Outcome {
                text: format!("{name}: {}", outcome.text),
                ..outcome
            },
        }
    }

    async fn repositories(&self, progress: &mut Progress) -> Result<(), Failure> {
        let mut after: Option<String> = None;
        loop {
            let ledger = self.registry.ledger();
            let names = ledger.repositories(after.as_deref(), PAGE, "").await?;
            let Some(last) = names.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for name in names {
                let wanted = self.rule.has_repository(&name) && self.is_own(&name);
                if wanted && let Ok(name) = name.parse::<RepositoryName>() {
                    self.tags(&name, progress).await?;
                }
            }
        }
    }

    async fn tags(
        &self,
        repository: &RepositoryName,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut after: Option<String> = None;
        loop {
            let ledger = self.registry.ledger();
            let rows = ledger
                .tags(repository.as_str(), after.as_deref(), PAGE)
                .await?
                .unwrap_or_default();
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = Some(last.name.clone());
            for row in rows.iter().filter(|row| self.rule.has_tag(&row.name)) {
                self.tag(repository, row, progress).await?;
            }
        }
    }

    async fn tag(
        &self,
        repository: &RepositoryName,
        tag: &TagRow,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let name = ManifestName::Tag(tag.name.clone());
        let row = match self.registry.manifest(repository, &name).await {
            Ok(row) => row,
            // It has gone meanwhile.
            Err(Error::ManifestUnknown { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        progress.tags += 1;
        match self.bring(repository, &name, &row).await {
            Ok(outcome) if outcome.is_present() => {}
            Ok(_) => progress.brought += 1,
            Err(failure) => {
                let outcome = Outcome::of(&failure);
                if outcome.is_general {
                    return Err(failure);
                }
                tracing::warn!(
                    repository = repository.as_str(),
                    tag = tag.name,
                    outcome = outcome.text,
                    "a tag could not be brought"
                );
                let shown = format!("{repository}:{}", tag.name);
                progress.failed.get_or_insert((shown, outcome));
            }
        }
        Ok(())
    }
}
