//! The charts of a release, in the form that registries keep: any tool that pulls charts can read them.
//!
//! Source: Helm, "Use OCI-based registries".

use std::collections::BTreeMap;

use oci_spec::image::{Descriptor, ImageManifest, MediaType};
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Digest};
use serde_json::json;

use super::ReleaseError;

/// The type of a chart's configuration, by which a chart is known.
const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// The type of a packed chart.
const PACKAGE_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Says by which path the app names a chart.
const TITLE_ANNOTATION: &str = "org.opencontainers.image.title";

/// The largest packed chart that is read; the same as Helm allows.
const LIMIT_BYTES: u64 = 100 << 20;

/// A chart for a release.
#[derive(Debug, Clone)]
pub struct NewChart {
    /// The path by which the app names it.
    pub path: String,
    /// Its `Chart.yaml` as JSON.
    pub config: Vec<u8>,
    /// The packed chart.
    pub package: Vec<u8>,
}

/// Puts charts into the store, each path once; gives their entries in the order of the paths.
pub(super) fn put(
    store: &ContentStore,
    charts: &[NewChart],
) -> Result<Vec<Descriptor>, ReleaseError> {
    let charts: BTreeMap<_, _> = charts.iter().map(|chart| (&chart.path, chart)).collect();
    charts
        .into_values()
        .map(|chart| entry(store, chart))
        .collect()
}

fn entry(store: &ContentStore, chart: &NewChart) -> Result<Descriptor, ReleaseError> {
    let blob = |media_type: &str, bytes: &[u8]| -> Result<_, StoreError> {
        let digest = store.put_bytes(bytes)?;
        let media_type = MediaType::from(media_type);
        Ok(Descriptor::new(media_type, bytes.len() as u64, digest))
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::ImageManifest,
        "config": blob(CONFIG_TYPE, &chart.config)?,
        "layers": [blob(PACKAGE_TYPE, &chart.package)?],
    });
    let mut entry = store.put_json(MediaType::ImageManifest, &manifest)?;
    entry.set_artifact_type(Some(MediaType::from(CONFIG_TYPE)));
    entry.set_annotations(Some(
        [(TITLE_ANNOTATION.to_owned(), chart.path.clone())].into(),
    ));
    Ok(entry)
}

type Divided<'a> = (Vec<(String, Descriptor)>, Vec<&'a Descriptor>);

/// The charts with their paths, and the other entries; none when a chart has no path.
pub(super) fn divide(entries: &[Descriptor]) -> Option<Divided<'_>> {
    let (mut charts, mut others) = (Vec::new(), Vec::new());
    for entry in entries {
        if entry.artifact_type() == &Some(MediaType::from(CONFIG_TYPE)) {
            let path = entry.annotations().as_ref()?.get(TITLE_ANNOTATION)?;
            charts.push((path.clone(), entry.clone()));
        } else {
            others.push(entry);
        }
    }
    Some((charts, others))
}

/// The packed chart that an entry leads to.
pub(super) fn package(
    store: &ContentStore,
    descriptor: &Descriptor,
) -> Result<Vec<u8>, ReleaseError> {
    let manifest: ImageManifest = store.read_json(descriptor)?;
    let layers = manifest.layers().iter();
    let mut packages = layers.filter(|layer| layer.media_type().to_string() == PACKAGE_TYPE);
    let package = packages.next().ok_or_else(|| ReleaseError::Malformed {
        digest: descriptor.digest().to_string(),
    })?;
    let digest = Digest::of(package).map_err(StoreError::from)?;
    Ok(store.read(&digest, LIMIT_BYTES)?)
}
