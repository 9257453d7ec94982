//! Lists, a page at a time: repositories, tags, referrers.

use sampan_oci::Digest;
use sampan_store::registry::ReferrerRow;

use super::Registry;
use crate::error::Error;
use crate::wire::name::RepositoryName;

/// A part of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// The entries.
    pub(crate) entries: Vec<T>,
    /// Whether there are more behind them.
    pub(crate) more: bool,
}

impl<T> Page<T> {
    /// Cuts off what was only read to see whether there is more.
    pub(crate) fn cut(mut entries: Vec<T>, limit: u32) -> Self {
        let limit = limit as usize;
        let more = entries.len() > limit;
        entries.truncate(limit);
        Self { entries, more }
    }
}

impl Registry {
    /// How many entries a page has when the client wants so many.
    pub(crate) fn page_limit(&self, wanted: Option<u32>) -> u32 {
        let most = self.config.limits.page_entries.max(1);
        wanted.map_or(most, |wanted| wanted.min(most))
    }

    /// Repositories in order of their names, those behind `after`.
    pub(crate) async fn repositories(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<String>, Error> {
        let names = self.ledger.repositories(after, limit + 1, "").await?;
        Ok(Page::cut(names, limit))
    }

    /// The tags of a repository in order, those behind `after`.
    pub(crate) async fn tags(
        &self,
        repository: &RepositoryName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<String>, Error> {
        let rows = self
            .ledger
            .tags(repository.as_str(), after, limit + 1)
            .await?
            .ok_or_else(|| Error::RepositoryUnknown {
                name: repository.to_string(),
            })?;
        let names = rows.into_iter().map(|row| row.name).collect();
        Ok(Page::cut(names, limit))
    }

    /// The manifests that say something about `subject`, in order of their digests, those behind `after`.
    pub(crate) async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<ReferrerRow>, Error> {
        let page = self
            .ledger
            .referrers(
                repository.as_str(),
                &subject.to_string(),
                artifact_type,
                after,
                limit,
            )
            .await?;
        Ok(Page {
            entries: page.rows,
            more: page.more,
        })
    }
}
