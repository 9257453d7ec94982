//! Packed charts: `<name>-<version>.tgz`.
//!
//! A package is read to its end before anything of it is believed, within the limits that Helm sets itself.

use std::io::Read;

use sampan_model::yaml::{self, YamlError};
use sampan_oci::archive::{ArchiveError, ArchiveReader, Entry, Kind};
use sampan_oci::layer::{self, LayerError};
use serde_json::Value;

use super::metadata::{Metadata, MetadataError};

/// The most bytes of all files of a chart.
const CHART_LIMIT_BYTES: u64 = 100 << 20;
/// The most bytes of one file.
const FILE_LIMIT_BYTES: u64 = 5 << 20;
/// The most files.
const FILE_LIMIT: usize = 10_000;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const BYTE_ORDER_MARK: &str = "\u{feff}";
const CHART: &str = "Chart.yaml";
/// Where charts of the first form keep their dependencies.
const REQUIREMENTS: &str = "requirements.yaml";

/// Why bytes are not a packed chart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    /// They are something else.
    #[error("the package is not a gzipped archive")]
    Gzip,
    /// They cannot be unpacked.
    #[error("the package cannot be unpacked")]
    Compression(#[source] LayerError),
    /// The archive is malformed.
    #[error("the package is not an archive")]
    Archive(#[source] ArchiveError),
    /// A file would lie outside of the chart, or is no plain file.
    #[error("the chart has an illegal file `{path}`")]
    Path {
        /// The file.
        path: String,
    },
    /// It is more than a chart may be.
    #[error("the chart is larger than {limit} {unit}")]
    Size {
        /// What it may be.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// It has no description of itself.
    #[error("Chart.yaml file is missing")]
    Missing,
    /// A file stands in it twice.
    #[error("the chart has `{path}` twice")]
    Twice {
        /// The file.
        path: &'static str,
    },
    /// A file is no text.
    #[error("`{path}` is not UTF-8")]
    Text {
        /// The file.
        path: &'static str,
    },
    /// A file is no YAML.
    #[error("cannot load the chart")]
    Yaml(#[from] YamlError),
    /// The description does not describe a chart.
    #[error("the chart is not valid")]
    Metadata(#[from] MetadataError),
}

/// Reads what a packed chart says about itself.
pub(crate) fn read(bytes: &[u8]) -> Result<Metadata, PackageError> {
    if !bytes.starts_with(GZIP_MAGIC) {
        return Err(PackageError::Gzip);
    }
    let plain = layer::decompress(bytes).map_err(PackageError::Compression)?;
    // Headers and padding count, too: there may be nothing else in a bomb.
    let mut plain = plain.take(CHART_LIMIT_BYTES);
    let files = files(&mut plain);
    if plain.limit() == 0 {
        return Err(PackageError::Size {
            limit: CHART_LIMIT_BYTES,
            unit: "bytes",
        });
    }
    let [chart, requirements] = files?;
    let mut chart = document(CHART, &chart.ok_or(PackageError::Missing)?)?;
    if let (Value::Object(fields), Some(requirements)) = (&mut chart, requirements)
        && let Value::Object(mut required) = document(REQUIREMENTS, &requirements)?
        && let Some(dependencies) = required.remove("dependencies")
    {
        fields.insert("dependencies".to_owned(), dependencies);
    }
    Ok(Metadata::of_chart(chart)?)
}

/// The files that describe the chart, after a look at all of them.
fn files(plain: &mut dyn Read) -> Result<[Option<Vec<u8>>; 2], PackageError> {
    let mut archive = ArchiveReader::new(plain);
    let (mut chart, mut requirements, mut count) = (None, None, 0);
    while let Some(entry) = archive.next_entry().map_err(PackageError::Archive)? {
        if entry.kind == Kind::Directory {
            continue;
        }
        count += 1;
        if count > FILE_LIMIT {
            let limit = FILE_LIMIT as u64;
            return Err(PackageError::Size {
                limit,
                unit: "files",
            });
        }
        if entry.size_bytes > FILE_LIMIT_BYTES {
            let limit = FILE_LIMIT_BYTES;
            return Err(PackageError::Size {
                limit,
                unit: "bytes in one file",
            });
        }
        let (wanted, path) = match inner_path(&entry)?.as_str() {
            CHART => (&mut chart, CHART),
            REQUIREMENTS => (&mut requirements, REQUIREMENTS),
            _ => continue,
        };
        let mut bytes = Vec::new();
        archive
            .read_to_end(&mut bytes)
            .map_err(|error| PackageError::Archive(ArchiveError::Io(error)))?;
        if wanted.replace(bytes).is_some() {
            return Err(PackageError::Twice { path });
        }
    }
    // Bytes behind the end are packed as well, and nobody would see them.
    archive.finish().map_err(PackageError::Archive)?;
    Ok([chart, requirements])
}

/// The path of a file within the chart, whose own folder may have any name.
fn inner_path(entry: &Entry) -> Result<String, PackageError> {
    let illegal = || PackageError::Path {
        path: entry.display_path(),
    };
    if entry.kind != Kind::File {
        return Err(illegal());
    }
    let path = std::str::from_utf8(&entry.path).map_err(|_| illegal())?;
    // As packed on Windows.
    let path = path.replace('\\', "/");
    let (folder, inner) = path.split_once('/').ok_or_else(illegal)?;
    let parts: Vec<&str> = inner.split('/').filter(|part| *part != ".").collect();
    let is_outside = parts.iter().any(|part| part.is_empty() || *part == "..");
    let is_drive = |part: &&str| part.len() == 2 && part.ends_with(':');
    if is_outside
        || parts.is_empty()
        || folder == ".."
        || folder.is_empty()
        || parts.first().is_some_and(is_drive)
    {
        return Err(illegal());
    }
    Ok(parts.join("/"))
}

fn document(path: &'static str, bytes: &[u8]) -> Result<Value, PackageError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PackageError::Text { path })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let document = yaml::documents(path, text)?.into_iter().next();
    Ok(document.map_or(Value::Null, |node| node.to_json()))
}
