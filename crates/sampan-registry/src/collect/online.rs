//! One collection.

mod foresight;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use sampan_model::Causes;
use sampan_oci::Digest;
use sampan_supervise::{Shutdown, clock};
use tokio::time::Instant;

use super::pins::{NoPins, Pins};
use super::{Options, Report, Sum};
use crate::error::Error;
use crate::registry::Registry;
use crate::retention::Judge;
use crate::storage::Sweeper;

/// How many rows are looked at or dropped at once.
const PAGE: u32 = 500;
/// The longest rest between two pages.
const LONGEST_REST: Duration = Duration::from_millis(20);
/// How often strays are looked for within the time that they are kept. It is the one thing that looks at all files.
const STRAY_SEARCHES: u32 = 7;

/// Who collects.
pub(crate) struct Collection {
    registry: Registry,
    pins: Arc<dyn Pins>,
    shutdown: Shutdown,
    strays_searched: Option<Instant>,
}

/// The points in time that a collection decides by, so that all of its parts agree.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: Timestamp,
    grace: Duration,
    stray_after: Duration,
}

impl Collection {
    pub(crate) fn new(registry: Registry, shutdown: Shutdown) -> Self {
        Self {
            registry,
            pins: Arc::new(NoPins),
            shutdown,
            strays_searched: None,
        }
    }

    /// Rules of retention shall leave alone what these say.
    pub(crate) fn pinned_by(self, pins: Arc<dyn Pins>) -> Self {
        Self { pins, ..self }
    }

    /// Collects as the configuration says; strays are searched for now and then only.
    pub(crate) async fn run_on_time(&mut self) -> Result<Report, Error> {
        let pause = self.registry.config().housekeeping.stray_after / STRAY_SEARCHES;
        let searched = self.strays_searched;
        let due = searched.is_none_or(|searched| searched.elapsed() >= pause);
        self.collect(None, due).await
    }

    /// Collects, or tells what would go.
    pub(crate) async fn run(&mut self, options: Options) -> Result<Report, Error> {
        if options.dry_run {
            return self.foresee(options.grace).await;
        }
        self.collect(options.grace, true).await
    }

    async fn collect(
        &mut self,
        grace: Option<Duration>,
        with_strays: bool,
    ) -> Result<Report, Error> {
        let moment = self.moment(grace);
        let mut report = Report::default();
        let retained = self.retain(moment, &mut report).await;
        without_pins(retained, &mut report)?;
        self.drop_links(moment, &mut report).await?;
        let mut sweeper = self.registry.sweeper();
        self.sweep_condemned(moment, &mut sweeper, &mut report)
            .await?;
        self.registry.give_up_abandoned().await?;
        if with_strays {
            self.sweep_strays(moment, &mut sweeper, &mut report).await?;
            self.sweep_local(moment, &mut report).await?;
            self.strays_searched = Some(Instant::now());
        }
        if report.blobs.count + report.strays.count > 0 {
            sweeper.sync().await?;
        }
        let stale = self.registry.stale_uploads().await?;
        let removed = self.registry.sweep_uploads().await? as u64;
        let bytes = stale.iter().map(|upload| upload.size_bytes).sum();
        if removed > 0 {
            report.uploads.add(removed, bytes);
        }
        Ok(report)
    }

    fn moment(&self, grace: Option<Duration>) -> Moment {
        let housekeeping = &self.registry.config().housekeeping;
        Moment {
            now: clock::now(),
            grace: grace.unwrap_or(housekeeping.grace),
            stray_after: housekeeping.stray_after,
        }
    }

    /// Removes tags and manifests by the rules of retention.
    async fn retain(&self, moment: Moment, report: &mut Report) -> Result<(), Error> {
        let Some(judge) = self.judge(moment) else {
            return Ok(());
        };
        let mut after = None;
        while let Some(repository) = judge.next_repository(&mut after).await? {
            let since = Instant::now();
            for sentence in judge.sentences(&repository).await? {
                let (kind, bytes) = (sentence.kind(), sentence.freed_bytes());
                if judge.carry_out(&repository, sentence).await? {
                    report.sum(kind).add(1, bytes);
                }
            }
            self.rest(since).await?;
        }
        Ok(())
    }

    /// Who judges by the rules of retention, if there are any.
    fn judge(&self, moment: Moment) -> Option<Judge<'_>> {
        let has_rules = !self.registry.config().retention.is_empty();
        has_rules.then(|| Judge::new(&self.registry, &*self.pins, moment.now))
    }

    async fn drop_links(&self, moment: Moment, report: &mut Report) -> Result<(), Error> {
        let ledger = self.registry.ledger();
        loop {
            let since = Instant::now();
            let dropped = ledger.condemn(moment.idle_before(), PAGE).await?.links;
            report.links.add(dropped.into(), 0);
            if dropped < PAGE {
                return Ok(());
            }
            self.rest(since).await?;
        }
    }

    async fn sweep_condemned(
        &self,
        moment: Moment,
        sweeper: &mut Sweeper,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut after: Option<String> = None;
        loop {
            let page = self
                .registry
                .ledger()
                .condemned(after.as_deref(), PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.digest.clone());
            let digests = parsed(page.into_iter().map(|blob| blob.digest))?;
            self.take_away(sweeper, &digests, moment.unused_since(), &mut report.blobs)
                .await?;
        }
    }

    async fn sweep_strays(
        &self,
        moment: Moment,
        sweeper: &mut Sweeper,
        report: &mut Report,
    ) -> Result<(), Error> {
        let unused_since = moment.stray_since();
        for page in sweeper.unnamed(unused_since).await?.chunks(PAGE as usize) {
            let since = Instant::now();
            let strays = self.unknown(page).await?;
            self.take_away(sweeper, &strays, unused_since, &mut report.strays)
                .await?;
            self.rest(since).await?;
        }
        Ok(())
    }

    /// Takes away what lies on the disk without a local name, if the blobs of the registry lie elsewhere.
    async fn sweep_local(&self, moment: Moment, report: &mut Report) -> Result<(), Error> {
        let Some(mut sweeper) = self.registry.local_sweeper() else {
            return Ok(());
        };
        let unused_since = moment.stray_since();
        for page in sweeper.unnamed(unused_since).await?.chunks(sweeper.step()) {
            let since = Instant::now();
            for blob in sweeper.remove(page.to_vec(), unused_since).await?.removed {
                report.strays.add(1, blob.size_bytes);
            }
            self.rest(since).await?;
        }
        Ok(sweeper.sync().await?)
    }

    async fn take_away(
        &self,
        sweeper: &mut Sweeper,
        digests: &[Digest],
        unused_since: SystemTime,
        sum: &mut Sum,
    ) -> Result<(), Error> {
        for part in digests.chunks(sweeper.step()) {
            let since = Instant::now();
            let removed = self.registry.take_away(sweeper, part, unused_since).await?;
            for blob in removed {
                sum.add(1, blob.size_bytes);
            }
            self.rest(since).await?;
        }
        Ok(())
    }

    /// Those of the digests that the ledger does not know.
    async fn unknown(&self, digests: &[Digest]) -> Result<Vec<Digest>, Error> {
        let texts: Vec<String> = digests.iter().map(ToString::to_string).collect();
        parsed(self.registry.ledger().unknown(&texts).await?.into_iter())
    }

    /// Leaves the machine to others for half as long as the work took.
    async fn rest(&self, since: Instant) -> Result<(), Error> {
        if self.shutdown.is_triggered() {
            return Err(Error::Stopping);
        }
        tokio::time::sleep((since.elapsed() / 2).min(LONGEST_REST)).await;
        Ok(())
    }
}

impl Moment {
    /// Links that are idle since before this go.
    fn idle_before(&self) -> Timestamp {
        self.earlier(self.grace)
    }

    /// Condemned blobs go that nobody has used since this.
    fn unused_since(&self) -> SystemTime {
        self.earlier(self.grace).into()
    }

    /// Strays go that nobody has used since this.
    fn stray_since(&self) -> SystemTime {
        self.earlier(self.stray_after).into()
    }

    /// Before so long; before everything when the time is longer than time itself.
    fn earlier(&self, age: Duration) -> Timestamp {
        self.now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Goes on where only the rules of retention could not be applied: without knowing what releases rely on, they must
/// remove nothing, but what nobody holds can go all the same.
fn without_pins(retained: Result<(), Error>, report: &mut Report) -> Result<(), Error> {
    let Err(Error::Pins(cause)) = retained else {
        return retained;
    };
    let error: &dyn std::error::Error = &*cause;
    tracing::error!(error, "the rules of retention are not applied");
    report.retention_failure = Some(format!(
        "cannot find out what releases rely on: {}",
        Causes(error)
    ));
    Ok(())
}

fn parsed(digests: impl Iterator<Item = String>) -> Result<Vec<Digest>, Error> {
    digests.map(|digest| Ok(digest.parse()?)).collect()
}
