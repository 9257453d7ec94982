//! What somebody sees of a shelf.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use sampan_oci::Digest;
use serde_json::{Map, Value, json};

use super::entry::Entry;
use super::error::ChartError;
use super::yaml;
use crate::wire::name::RepositoryName;

/// Where the chart repository lies; clients that push find its API by that.
const CONTEXT_PATH: &str = "/charts";

/// Charts by name, the newest version first.
#[derive(Debug)]
pub(crate) struct Listing {
    shelf: RepositoryName,
    charts: BTreeMap<String, Vec<Arc<Entry>>>,
    /// When something on the shelf last changed.
    pub(crate) changed_at: Timestamp,
    index: OnceLock<Index>,
}

/// The text of an `index.yaml`.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The text.
    pub(crate) text: Bytes,
    /// Its digest.
    pub(crate) digest: Digest,
}

/// A file of a chart.
#[derive(Debug)]
pub(crate) struct Found<'listing> {
    /// The chart.
    pub(crate) entry: &'listing Entry,
    /// What the file is.
    pub(crate) digest: Digest,
    /// Whether it is the provenance of the chart.
    pub(crate) is_provenance: bool,
}

impl Listing {
    /// A list of these; of several with the same name and version, one.
    pub(super) fn new(
        shelf: RepositoryName,
        entries: impl Iterator<Item = Arc<Entry>>,
        changed_at: Timestamp,
    ) -> Self {
        let mut unique: BTreeMap<(String, String), Arc<Entry>> = BTreeMap::new();
        for entry in entries {
            let key = (entry.metadata.name.clone(), entry.metadata.version.clone());
            let rank = |entry: &Entry| {
                let depth = entry.repository.as_str().split('/').count();
                (entry.is_in_place(), Reverse(depth), entry.created)
            };
            let known = unique.get(&key);
            if known.is_none_or(|known| rank(known) < rank(&entry)) {
                unique.insert(key, entry);
            }
        }
        let mut charts: BTreeMap<String, Vec<Arc<Entry>>> = BTreeMap::new();
        for ((name, _), entry) in unique {
            charts.entry(name).or_default().push(entry);
        }
        for versions in charts.values_mut() {
            versions.sort_by(|one, other| {
                let order = other.version.cmp(&one.version);
                order.then(other.created.cmp(&one.created))
            });
        }
        Self {
            shelf,
            charts,
            changed_at,
            index: OnceLock::new(),
        }
    }

    /// The text of the `index.yaml`, which is made once.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let index = json!({
                "apiVersion": "v1",
                "entries": self.page(0, usize::MAX),
                "generated": self.changed_at,
                "serverInfo": { "contextPath": CONTEXT_PATH },
            });
            let text = Bytes::from(yaml::document(&index));
            let digest = Digest::of_bytes(&text);
            Index { text, digest }
        })
    }

    /// Charts in the order of their names, as JSON.
    pub(crate) fn page(&self, offset: usize, limit: usize) -> Value {
        let charts = self.charts.iter().skip(offset).take(limit);
        let charts = charts.map(|(name, versions)| (name.clone(), self.json(versions)));
        Value::Object(charts.collect::<Map<_, _>>())
    }

    /// All versions of a chart, as JSON.
    pub(crate) fn versions(&self, name: &str) -> Result<Value, ChartError> {
        let versions = self.charts.get(name).ok_or(ChartError::Unknown)?;
        Ok(self.json(versions))
    }

    /// A version of a chart; `latest` is the newest release.
    pub(crate) fn find(&self, name: &str, version: &str) -> Result<&Entry, ChartError> {
        let versions = self.charts.get(name).ok_or(ChartError::Unknown)?;
        let is_wanted = |entry: &&Arc<Entry>| match version {
            "latest" => !entry.version.is_prerelease(),
            exact => entry.metadata.version == exact,
        };
        let found = versions.iter().find(is_wanted);
        found
            .map(Arc::as_ref)
            .ok_or_else(|| ChartError::VersionUnknown {
                name: name.to_owned(),
                version: version.to_owned(),
            })
    }

    /// A version of a chart as JSON.
    pub(crate) fn version(&self, name: &str, version: &str) -> Result<Value, ChartError> {
        Ok(self.find(name, version)?.to_json(&self.shelf))
    }

    /// What a file name stands for. There may be `-` in names and in versions.
    pub(crate) fn file(&self, file: &str) -> Result<Found<'_>, ChartError> {
        let (file, is_provenance) = match file.strip_suffix(".prov") {
            Some(file) => (file, true),
            None => (file, false),
        };
        let stem = file.strip_suffix(".tgz").ok_or(ChartError::FileUnknown)?;
        let splits = stem
            .match_indices('-')
            .map(|(at, _)| (&stem[..at], &stem[at + 1..]));
        let entry = splits
            .filter(|(_, version)| *version != "latest")
            .find_map(|(name, version)| self.find(name, version).ok())
            .ok_or(ChartError::FileUnknown)?;
        let digest = if is_provenance {
            entry.provenance
        } else {
            Some(entry.package)
        };
        Ok(Found {
            entry,
            digest: digest.ok_or(ChartError::FileUnknown)?,
            is_provenance,
        })
    }

    fn json(&self, versions: &[Arc<Entry>]) -> Value {
        versions
            .iter()
            .map(|entry| entry.to_json(&self.shelf))
            .collect()
    }
}
