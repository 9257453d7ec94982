//! What must hold for any bytes that are uploaded as a chart: they are read or refused, and what was read is a chart.
//!
//! The files are those of the registry, whose other parts (a database, a network) are not needed for them.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::GzEncoder;
use sampan_oci::archive::{ArchiveWriter, Entry};

#[path = "../crates/sampan-registry/src/charts/form.rs"]
mod form;
#[path = "../crates/sampan-registry/src/charts/metadata.rs"]
mod metadata;
#[path = "../crates/sampan-registry/src/charts/package.rs"]
mod package;
#[path = "../crates/sampan-registry/src/charts/provenance.rs"]
mod provenance;
#[path = "../crates/sampan-registry/src/charts/version.rs"]
mod version;

/// Reads a packed chart: the bytes themselves, packed as an archive, and as the description in one.
///
/// # Panics
/// When a chart is accepted that no file could be named after.
pub(crate) fn package(bytes: &[u8]) {
    accepted(bytes);
    accepted(&gzip(bytes));
    let mut archive = ArchiveWriter::new(Vec::new());
    let entry = Entry::file("chart/Chart.yaml", bytes.len() as u64);
    archive
        .append(&entry, &mut &*bytes)
        .expect("memory can be written");
    accepted(&gzip(&archive.finish().expect("memory can be written")));
}

/// Takes a form apart, whose boundary stands in the first line.
///
/// # Panics
/// When a part is not within the form.
pub(crate) fn form(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (Ok(content_type), body) = (std::str::from_utf8(&bytes[..end]), &bytes[end + 1..]) else {
        return;
    };
    let boundary = form::boundary(content_type).unwrap_or("b");
    let parts = form::parts(&Bytes::copy_from_slice(body), boundary).unwrap_or_default();
    let total: usize = parts
        .iter()
        .map(|part| part.content.len() + part.name.len())
        .sum();
    assert!(total <= body.len());
    for part in parts {
        drop(provenance::Provenance::read(&part.content));
    }
}

fn accepted(bytes: &[u8]) {
    let Ok(chart) = package::read(bytes) else {
        return;
    };
    assert!(version::Version::parse(&chart.version).is_some());
    assert!(!chart.name.is_empty() && !chart.name.contains('/') && chart.name != "..");
    let config = serde_json::from_slice::<metadata::Metadata>(&chart.to_config());
    assert_eq!(
        config.ok().and_then(|config| config.validated().ok()),
        Some(chart)
    );
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
