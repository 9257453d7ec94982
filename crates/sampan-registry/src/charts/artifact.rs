//! Charts as OCI artifacts, in the form that `helm push` gives them.
//!
//! Source: Helm, "Use OCI-based registries", and HIP 6.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use sampan_oci::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::metadata::Metadata;
use crate::error::Error;
use crate::registry::Registry;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
pub(super) const PACKAGE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
pub(super) const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
/// What Helm wrote before there were charts of version 3.7.
const OLD_PACKAGE: &str = "application/tar+gzip";
/// The largest manifest of a chart.
const LIMIT_BYTES: u64 = 1 << 20;
/// What annotations of the chart itself must not change.
const OWN: [&str; 2] = [
    "org.opencontainers.image.version",
    "org.opencontainers.image.title",
];

/// The parts of a chart's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) config: Digest,
    pub(super) package: Digest,
    pub(super) provenance: Option<Digest>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

pub(super) fn descriptor(media_type: &str, digest: &Digest, size_bytes: u64) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest.to_string(),
        size: size_bytes,
    }
}

/// The manifest of a chart: its configuration (the first of `config`) and layers, which are ordered by digest.
pub(super) fn manifest(
    metadata: &Metadata,
    config: Vec<Descriptor>,
    mut layers: Vec<Descriptor>,
    now: Timestamp,
) -> Bytes {
    layers.sort_by(|one, other| one.digest.cmp(&other.digest));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.into_iter().next(),
        "layers": layers,
        "annotations": annotations(metadata, now),
    });
    manifest.to_string().into()
}

/// The manifest with a provenance layer instead of any that it has; nothing when it is not one of a chart.
pub(super) fn with_provenance(manifest: &[u8], provenance: Descriptor) -> Option<Bytes> {
    let mut manifest: Value = serde_json::from_slice(manifest).ok()?;
    let layers = manifest.get_mut("layers")?.as_array_mut()?;
    layers.retain(|layer| layer["mediaType"] != PROVENANCE);
    layers.push(serde_json::to_value(provenance).ok()?);
    let digest = |layer: &Value| layer["digest"].as_str().map(str::to_owned);
    layers.sort_by_key(digest);
    Some(manifest.to_string().into())
}

/// The manifest with this digest.
pub(super) async fn read(registry: &Registry, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
    registry.small(digest, LIMIT_BYTES).await
}

/// The parts of a manifest; nothing when it is not one of a chart.
pub(super) fn parts(manifest: &[u8]) -> Option<Parts> {
    let manifest: Manifest = serde_json::from_slice(manifest).ok()?;
    let layer = |wanted: &str| {
        let mut layers = manifest.layers.iter();
        layers
            .find(|layer| layer.media_type == wanted)?
            .digest
            .parse()
            .ok()
    };
    Some(Parts {
        config: manifest.config.digest.parse().ok()?,
        package: layer(PACKAGE).or_else(|| layer(OLD_PACKAGE))?,
        provenance: layer(PROVENANCE),
    })
}

fn annotations(metadata: &Metadata, now: Timestamp) -> BTreeMap<String, String> {
    let second = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Trunc);
    let now = now.round(second).unwrap_or(now);
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} ({email})", maintainer.name),
        })
        .collect();
    let known = [
        ("description", metadata.description.clone()),
        ("title", metadata.name.clone()),
        ("version", metadata.version.clone()),
        ("url", metadata.home.clone()),
        ("created", now.to_string()),
        (
            "source",
            metadata.sources.first().cloned().unwrap_or_default(),
        ),
        ("authors", authors.join(", ")),
    ];
    let known = known
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value));
    let own = metadata.annotations.iter();
    let own = own.filter(|(name, _)| !OWN.contains(&name.as_str()));
    known
        .chain(own.map(|(name, value)| (name.clone(), value.clone())))
        .collect()
}
