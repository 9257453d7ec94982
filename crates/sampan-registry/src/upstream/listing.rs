//! Lists of an upstream; what is here, where it cannot be asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sampan_oci::{Descriptor, Digest};
use sampan_store::registry::ReferrerRow;
use tokio::time::Instant;

use super::mirror::Mirror;
use crate::client::ClientError;
use crate::error::Error;
use crate::registry::Page;

/// How long a list of tags is believed: clients that read it page by page shall not have it fetched for each.
const LIST_LIFE: Duration = Duration::from_secs(30);
/// How many lists of tags are remembered.
const LISTS: usize = 8;

/// The lists of tags that were fetched last.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<String, List>>);

/// When it was fetched, and its tags in order.
type List = (Instant, Arc<[String]>);

impl Lists {
    fn get(&self, repository: &str) -> Option<Arc<[String]>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, tags) = lists.get(repository)?;
        (at.elapsed() < LIST_LIFE).then(|| Arc::clone(tags))
    }

    fn keep(&self, repository: &str, tags: &Arc<[String]>) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, (at, _)| at.elapsed() < LIST_LIFE);
        if lists.len() >= LISTS {
            lists.clear();
        }
        lists.insert(repository.to_owned(), (Instant::now(), Arc::clone(tags)));
    }
}

impl Mirror<'_> {
    /// The tags of the upstream's repository in order, those behind `after`.
    pub(crate) async fn tags(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<String>, Error> {
        let name = self.repository.as_str();
        let tags = match self.source.lists.get(name) {
            Some(tags) => tags,
            None => match self.fetched_tags().await {
                Ok(tags) => tags,
                Err(error @ Error::RepositoryUnknown { .. }) => return Err(error),
                Err(error) => {
                    let known = self.registry().tags(self.repository, after, limit).await;
                    return known.map_err(|_| error);
                }
            },
        };
        let after = after.unwrap_or_default();
        let begin = tags.partition_point(|tag| tag.as_str() <= after);
        let page = tags[begin..].iter().take(limit as usize + 1).cloned();
        Ok(Page::cut(page.collect(), limit))
    }

    async fn fetched_tags(&self) -> Result<Arc<[String]>, Error> {
        let fetched = self.remote.tags().await;
        let mut tags = fetched.map_err(|error| match error {
            ClientError::NotFound { .. } => Error::RepositoryUnknown {
                name: self.repository.to_string(),
            },
            error => self.complaint(error, "tags"),
        })?;
        tags.sort_unstable();
        tags.dedup();
        let tags: Arc<[String]> = tags.into();
        self.source.lists.keep(self.repository.as_str(), &tags);
        Ok(tags)
    }

    /// What says something about `subject`, in order of the digests, those behind `after`.
    pub(crate) async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<ReferrerRow>, Error> {
        let fetched = if self.source.breaker.is_open() {
            None
        } else {
            let fetched = self.remote.referrers(subject).await;
            fetched
                .map_err(|error| self.complaint(error, "referrers"))
                .ok()
        };
        let Some(fetched) = fetched else {
            return self
                .registry()
                .referrers(self.repository, subject, artifact_type, after, limit)
                .await;
        };
        let mut rows: Vec<ReferrerRow> = fetched.iter().map(row).collect();
        rows.retain(|row| {
            let wanted =
                artifact_type.is_none_or(|wanted| row.artifact_type.as_deref() == Some(wanted));
            wanted && after.is_none_or(|after| row.digest.as_str() > after)
        });
        rows.sort_unstable_by(|one, other| one.digest.cmp(&other.digest));
        rows.dedup_by(|one, other| one.digest == other.digest);
        Ok(Page::cut(rows, limit))
    }

    fn complaint(&self, error: ClientError, list: &'static str) -> Error {
        let error = self.source.failure(error);
        self.source.breaker.failed();
        tracing::warn!(
            upstream = self.source.config.name(),
            repository = self.repository.as_str(),
            list,
            error = &error as &dyn std::error::Error,
            "an upstream cannot be asked; what is here is listed"
        );
        error
    }
}

fn row(descriptor: &Descriptor) -> ReferrerRow {
    let annotations = descriptor.annotations().as_ref();
    ReferrerRow {
        digest: descriptor.digest().to_string(),
        media_type: descriptor.media_type().to_string(),
        artifact_type: descriptor.artifact_type().as_ref().map(ToString::to_string),
        size_bytes: descriptor.size(),
        annotations: annotations.and_then(|annotations| serde_json::to_string(annotations).ok()),
    }
}
