//! All charts of a repository and of those below it, as they were at some moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sampan_store::registry::{ChartRow, EventId};
use sampan_supervise::clock;

use super::entry::Entry;
use super::listing::Listing;
use crate::error::Error;
use crate::registry::Registry;
use crate::wire::name::RepositoryName;

/// What is said of a change in HTTP has no fractions of a second, and two changes must not look alike.
const TICK: SignedDuration = SignedDuration::from_secs(1);

/// The charts of a shelf.
#[derive(Debug)]
pub(super) struct Shelf {
    name: RepositoryName,
    /// The newest event of the registry when the ledger was asked. As long as there is no newer one, nothing has changed.
    seen: EventId,
    rows: Vec<ChartRow>,
    entries: Vec<Arc<Entry>>,
    /// The list for those who may see everything.
    whole: Arc<Listing>,
}

impl Shelf {
    /// The shelf as it is now, which may be what is known of it.
    pub(super) async fn current(
        registry: &Registry,
        name: &RepositoryName,
        known: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, Error> {
        let seen = *registry.ledger().newest_event().borrow();
        if let Some(known) = known.filter(|known| known.seen == seen) {
            return Ok(Arc::clone(known));
        }
        let rows = registry.ledger().charts(name.as_str()).await?;
        if let Some(known) = known.filter(|known| known.rows == rows) {
            return Ok(Arc::new(Self {
                name: name.clone(),
                seen,
                rows,
                entries: known.entries.clone(),
                whole: Arc::clone(&known.whole),
            }));
        }
        let entries = Self::read(registry, &rows, known).await?;
        let changed_at = known.map_or_else(clock::now, |known| {
            clock::now().max(known.whole.changed_at + TICK)
        });
        let whole = Listing::new(name.clone(), entries.iter().cloned(), changed_at);
        Ok(Arc::new(Self {
            name: name.clone(),
            seen,
            rows,
            entries,
            whole: Arc::new(whole),
        }))
    }

    /// What somebody sees who may see some of the repositories.
    pub(super) fn listing(&self, may_see: impl Fn(&RepositoryName) -> bool) -> Arc<Listing> {
        let is_visible = |entry: &&Arc<Entry>| may_see(&entry.repository);
        let visible: Vec<&Arc<Entry>> = self.entries.iter().filter(is_visible).collect();
        if visible.len() == self.entries.len() {
            return Arc::clone(&self.whole);
        }
        let visible = visible.into_iter().cloned();
        let listing = Listing::new(self.name.clone(), visible, self.whole.changed_at);
        Arc::new(listing)
    }

    /// Reads what is not known yet: a manifest never changes.
    async fn read(
        registry: &Registry,
        rows: &[ChartRow],
        known: Option<&Arc<Self>>,
    ) -> Result<Vec<Arc<Entry>>, Error> {
        let mut tags: BTreeMap<(&str, &str), (Timestamp, Vec<String>)> = BTreeMap::new();
        for row in rows {
            let manifest = tags
                .entry((&row.repository, &row.digest))
                .or_insert_with(|| (row.pushed_at, Vec::new()));
            manifest.1.push(row.tag.clone());
        }
        let known: HashMap<_, _> = known
            .iter()
            .flat_map(|shelf| &shelf.entries)
            .map(|entry| ((entry.repository.as_str(), entry.digest), entry))
            .collect();
        let mut entries = Vec::new();
        for ((repository, digest), (created, tags)) in tags {
            let digest = digest.parse()?;
            let read = match known.get(&(repository, digest)) {
                Some(entry) => Some(Entry::clone(entry)),
                None => match repository.parse() {
                    Ok(name) => Entry::read(registry, name, digest, created).await?,
                    Err(_) => None,
                },
            };
            entries.extend(read.map(|entry| {
                Arc::new(Entry {
                    tags,
                    created,
                    ..entry
                })
            }));
        }
        Ok(entries)
    }
}
