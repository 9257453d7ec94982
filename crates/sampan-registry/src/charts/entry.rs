//! One version of one chart on a shelf.

use jiff::Timestamp;
use sampan_oci::Digest;
use serde_json::{Value, json};

use super::artifact;
use super::metadata::Metadata;
use super::version::Version;
use crate::error::Error;
use crate::registry::Registry;
use crate::wire::name::RepositoryName;

/// The largest configuration of a chart.
const CONFIG_LIMIT_BYTES: u64 = 1 << 20;

/// One version of one chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Where it lies.
    pub(crate) repository: RepositoryName,
    /// Its manifest.
    pub(crate) digest: Digest,
    /// The tags of the manifest.
    pub(crate) tags: Vec<String>,
    /// The packed chart.
    pub(crate) package: Digest,
    /// What lets its users verify it.
    pub(crate) provenance: Option<Digest>,
    pub(super) metadata: Metadata,
    pub(super) version: Version,
    pub(super) created: Timestamp,
}

impl Entry {
    /// Reads the chart of a manifest; nothing when it is not one that Helm could use, or gone.
    pub(super) async fn read(
        registry: &Registry,
        repository: RepositoryName,
        digest: Digest,
        created: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let Some(manifest) = artifact::read(registry, &digest).await? else {
            return Ok(None);
        };
        let Some(parts) = artifact::parts(&manifest) else {
            return Ok(None);
        };
        let Some(config) = registry.small(&parts.config, CONFIG_LIMIT_BYTES).await? else {
            return Ok(None);
        };
        let metadata = serde_json::from_slice::<Metadata>(&config).ok();
        let Some(metadata) = metadata.and_then(|metadata| metadata.validated().ok()) else {
            tracing::debug!(%repository, %digest, "a chart does not describe itself");
            return Ok(None);
        };
        Ok(Version::parse(&metadata.version).map(|version| Self {
            repository,
            digest,
            tags: Vec::new(),
            package: parts.package,
            provenance: parts.provenance,
            metadata,
            version,
            created,
        }))
    }

    /// Whether the chart lies where an upload would put it; others of the same name and version have to stand back.
    pub(super) fn is_in_place(&self) -> bool {
        let name = self.repository.as_str().rsplit('/').next();
        name == Some(self.metadata.name.as_str())
            && self.tags.contains(&self.metadata.version.replace('+', "_"))
    }

    /// The entry as JSON, for a list of the shelf `seen_from`.
    pub(crate) fn to_json(&self, seen_from: &RepositoryName) -> Value {
        let mut entry = serde_json::to_value(&self.metadata).expect("texts have a JSON form");
        entry["urls"] = json!([self.url(seen_from)]);
        entry["created"] = json!(self.created);
        // Helm knows only this algorithm here.
        if let Digest::Sha256(_) = self.package {
            entry["digest"] = json!(self.package.hex());
        }
        entry
    }

    /// Where the packed chart is, seen from the index of a shelf: on the shelf on which the repository itself stands.
    fn url(&self, seen_from: &RepositoryName) -> String {
        let (name, version) = (&self.metadata.name, &self.metadata.version);
        let file = format!("charts/{name}-{version}.tgz");
        let below = self.repository.as_str().strip_prefix(seen_from.as_str());
        let below = below
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or_default();
        match below.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{file}"),
            None => file,
        }
    }
}
