//! What a collection would take away, and why.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use sampan_oci::Digest;
use tokio::time::Instant;

use super::{Collection, Moment, PAGE, without_pins};
use crate::collect::{Entry, Kind, Report};
use crate::error::Error;
use crate::storage::Sweeper;

impl Collection {
    /// Tells what would go.
    pub(super) async fn foresee(&self, grace: Option<Duration>) -> Result<Report, Error> {
        let moment = self.moment(grace);
        let mut report = Report {
            dry_run: true,
            ..Report::default()
        };
        let retained = self.foresee_retention(moment, &mut report).await;
        without_pins(retained, &mut report)?;
        let mut sweeper = self.registry.sweeper();
        let mut condemned = self.foresee_links(moment, &mut report).await?;
        condemned.extend(self.condemned().await?);
        let free = sweeper.unnamed(moment.unused_since()).await?;
        let free: HashSet<Digest> = free.into_iter().collect();
        for (name, size_bytes) in condemned {
            if free.contains(&name.parse()?) {
                report.foretell(Entry::file(Kind::Blob, name, size_bytes));
            }
        }
        self.foresee_strays(moment, &mut sweeper, &mut report)
            .await?;
        for upload in self.registry.stale_uploads().await? {
            report.foretell(Entry {
                since: Some(upload.since),
                ..Entry::file(Kind::Upload, upload.name(), upload.size_bytes)
            });
        }
        Ok(report)
    }

    async fn foresee_retention(&self, moment: Moment, report: &mut Report) -> Result<(), Error> {
        let Some(judge) = self.judge(moment) else {
            return Ok(());
        };
        let mut after = None;
        while let Some(repository) = judge.next_repository(&mut after).await? {
            let since = Instant::now();
            for sentence in judge.sentences(&repository).await? {
                report.foretell(sentence.entry(&repository));
            }
            self.rest(since).await?;
        }
        Ok(())
    }

    /// Links that would be dropped; gives the blobs that would have no holder then. A blob may have several such links.
    async fn foresee_links(
        &self,
        moment: Moment,
        report: &mut Report,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let mut freed = BTreeMap::new();
        let mut last = None;
        loop {
            let since = Instant::now();
            let page = self
                .registry
                .ledger()
                .would_condemn(moment.idle_before(), last.as_ref(), PAGE)
                .await?;
            last = page.last().cloned();
            if last.is_none() {
                return Ok(freed);
            }
            for link in page {
                if link.frees {
                    freed.insert(link.digest.clone(), link.size_bytes);
                }
                report.foretell(Entry {
                    repository: Some(link.repository),
                    since: Some(link.idle_since),
                    ..Entry::file(Kind::Link, link.digest, link.size_bytes)
                });
            }
            self.rest(since).await?;
        }
    }

    /// The blobs that have no holder already.
    async fn condemned(&self) -> Result<BTreeMap<String, u64>, Error> {
        let mut condemned = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let ledger = self.registry.ledger();
            let page = ledger.condemned(after.as_deref(), PAGE).await?;
            after = page.last().map(|blob| blob.digest.clone());
            if after.is_none() {
                return Ok(condemned);
            }
            condemned.extend(page.into_iter().map(|blob| (blob.digest, blob.size_bytes)));
        }
    }

    async fn foresee_strays(
        &self,
        moment: Moment,
        sweeper: &mut Sweeper,
        report: &mut Report,
    ) -> Result<(), Error> {
        let unnamed = sweeper.unnamed(moment.stray_since()).await?;
        for page in unnamed.chunks(PAGE as usize) {
            let since = Instant::now();
            for digest in self.unknown(page).await? {
                if let Some(size_bytes) = sweeper.size(digest).await? {
                    report.foretell(Entry::file(Kind::Stray, digest.to_string(), size_bytes));
                }
            }
            self.rest(since).await?;
        }
        let Some(mut local) = self.registry.local_sweeper() else {
            return Ok(());
        };
        for digest in local.unnamed(moment.stray_since()).await? {
            if let Some(size_bytes) = local.size(digest).await? {
                report.foretell(Entry::file(Kind::Stray, digest.to_string(), size_bytes));
            }
        }
        Ok(())
    }
}
