//! Packed charts: `name-version.tgz`, the same bytes for the same chart.
//!
//! The files and their order are those of Helm: `Chart.yaml` is written anew, all other files are as they were. What
//! differs from run to run with Helm, the times, is the same here.

use std::io;

use flate2::{Compression, GzBuilder};
use sampan_model::Hint;

use crate::chart::{Chart, Metadata};

/// The time of all files, in seconds since 1970: the first that archives of every kind can say (1980-01-01).
const TIME: u64 = 315_532_800;

/// Why a chart cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its name would lead elsewhere.
    #[error("chart name {0:?} is no name of a folder")]
    Name(String),
    /// The schema is no JSON.
    #[error("Invalid JSON in values.schema.json")]
    Schema(#[source] serde_json::Error),
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[source] io::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(_) => Some("change `name` in `Chart.yaml`".to_owned()),
            Self::Schema(_) => Some("mend or remove `values.schema.json`".to_owned()),
            Self::Write(_) => None,
        }
    }
}

/// The name of the file that a chart is packed into.
///
/// # Errors
/// When what the chart calls itself would lead elsewhere.
pub fn file_name(metadata: &Metadata) -> Result<String, Error> {
    check_name(&metadata.name)?;
    let name = format!("{}-{}.tgz", metadata.name, metadata.version);
    check_name(&name)?;
    Ok(name)
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        return Err(Error::Name(name.to_owned()));
    }
    Ok(())
}

/// Packs a chart with the charts in it.
///
/// # Errors
/// When the chart cannot be in an archive.
pub fn pack(chart: &Chart) -> Result<Vec<u8>, Error> {
    // The same header on every machine: neither a time nor a system is in it.
    let zipped = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::default());
    let mut archive = tar::Builder::new(zipped);
    add(&mut archive, chart, "")?;
    let zipped = archive.into_inner().map_err(Error::Write)?;
    zipped.finish().map_err(Error::Write)
}

type Archive = tar::Builder<flate2::write::GzEncoder<Vec<u8>>>;

fn add(archive: &mut Archive, chart: &Chart, folder: &str) -> Result<(), Error> {
    let name = chart.name();
    check_name(name)?;
    let base = format!("{folder}{name}");
    let mut metadata = chart.metadata.clone();
    let is_old = metadata.api_version == "v1";
    if is_old {
        // Charts of the first form have them in a file of its own.
        metadata.dependencies = None;
    }
    append(archive, &base, "Chart.yaml", &metadata.to_yaml())?;
    if let Some(lock) = chart.lock.as_ref().filter(|_| !is_old) {
        append(archive, &base, "Chart.lock", &lock.to_yaml())?;
    }
    for file in chart.raw.iter().filter(|file| file.name == "values.yaml") {
        append(archive, &base, &file.name, &file.data)?;
    }
    if let Some(schema) = &chart.schema {
        serde_json::from_slice::<serde::de::IgnoredAny>(schema).map_err(Error::Schema)?;
        append(archive, &base, "values.schema.json", schema)?;
    }
    for file in chart.templates.iter().chain(&chart.files) {
        append(archive, &base, &file.name, &file.data)?;
    }
    for inner in &chart.dependencies {
        add(archive, inner, &format!("{base}/charts/"))?;
    }
    Ok(())
}

fn append(archive: &mut Archive, base: &str, name: &str, data: &[u8]) -> Result<(), Error> {
    let mut header = tar::Header::new_gnu();
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(TIME);
    let path = format!("{base}/{name}");
    archive
        .append_data(&mut header, path, data)
        .map_err(Error::Write)
}
