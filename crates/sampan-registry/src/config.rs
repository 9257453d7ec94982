//! How the registry behaves: `DIR/registry.yaml`.

pub mod duration;
mod housekeeping;
mod range;
mod storage;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sampan_model::Hint;
use sampan_model::yaml::{self, Content, Location, Node, YamlError};
use serde::Deserialize;

pub use self::housekeeping::{Housekeeping, ImmutableTags, Quotas, Retention};
pub use self::storage::{S3, Storage};
use crate::events::Webhooks;
use crate::replication::Replications;
use crate::upstream::Upstreams;

/// The name of the file in the data folder.
pub const FILE: &str = "registry.yaml";

/// The first name that an earlier entry of a list has as well.
pub(crate) fn repeated<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut known = HashSet::new();
    names.find(|name| !known.insert(*name))
}

/// Everything that the user can choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Whether callers without a name may pull. Those on this machine always may, as long as there are no accounts.
    pub anonymous_pull: bool,
    /// Which parts of a manifest may be missing when it is pushed.
    pub sparse: Sparse,
    /// Where blobs lie.
    pub storage: Storage,
    /// How much is taken and kept.
    pub limits: Limits,
    /// Who is told of pushes and deletes.
    pub webhooks: Webhooks,
    /// Registries that shall have what is pushed here.
    pub replication: Replications,
    /// Registries whose repositories are served from here.
    pub upstreams: Upstreams,
    /// When what nobody needs is taken away.
    pub housekeeping: Housekeeping,
    /// Which tags and manifests are removed.
    pub retention: Vec<Retention>,
    /// Tags that may neither move nor go.
    pub immutable_tags: Vec<ImmutableTags>,
    /// How many bytes projects may hold.
    pub quotas: Quotas,
}

/// Which parts of a manifest may be missing when it is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sparse {
    /// Entries of indexes: an index for ten platforms can then be pushed with the one that is used.
    pub indexes: bool,
    /// Configuration and layers of images. Such an image cannot be pulled wholly.
    pub images: bool,
}

impl Default for Sparse {
    fn default() -> Self {
        Self {
            indexes: true,
            images: false,
        }
    }
}

/// How much is taken and kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// The largest manifest, in bytes.
    #[serde(deserialize_with = "range::within::<_, _, 1, 0x0400_0000>")]
    pub manifest_bytes: u64,
    /// The largest blob, in bytes; none when it is absent.
    pub blob_bytes: Option<u64>,
    /// The largest upload of a packed chart, in bytes.
    #[serde(deserialize_with = "range::within::<_, _, 1, 0x4000_0000>")]
    pub chart_bytes: u64,
    /// The smallest chunk that clients are asked to send, in bytes; 0 asks for nothing.
    pub minimum_chunk_bytes: u64,
    /// The most entries in one page of a list.
    #[serde(deserialize_with = "range::within::<_, _, 1, 100_000>")]
    pub page_entries: u32,
    /// Memory for the large buffers of all transfers together, in bytes.
    pub buffer_bytes: usize,
    /// Connections at the same time.
    #[serde(deserialize_with = "range::within::<_, _, 1, 1_000_000>")]
    pub connections: usize,
    /// How long a client may be silent within a request.
    #[serde(deserialize_with = "duration::at_least::<_, 100>")]
    pub silence: Duration,
    /// How long an upload is kept that nothing comes for.
    #[serde(deserialize_with = "duration::required")]
    pub upload_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            blob_bytes: None,
            chart_bytes: 20 << 20,
            minimum_chunk_bytes: 0,
            page_entries: 1000,
            buffer_bytes: 32 << 20,
            connections: 1024,
            silence: Duration::from_mins(1),
            upload_age: Duration::from_hours(7 * 24),
        }
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It has more than one document.
    #[error("{location}: there is a second document")]
    Documents {
        /// Where it begins.
        location: Location,
    },
    /// It has something that does not belong there.
    #[error("{location}: {message}")]
    Value {
        /// Where.
        location: Location,
        /// What is wrong, in one line.
        message: String,
    },
}

impl Hint for ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::Documents { .. } => Some("keep one document in the file".to_owned()),
            Self::Read { .. } | Self::Value { .. } => None,
        }
    }
}

impl Config {
    /// The choices in the data folder; the defaults where there is no file.
    ///
    /// # Errors
    /// When the file cannot be read or has something unknown.
    pub fn load(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path.display().to_string(), &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// When it has something unknown; the error says in which line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let mut documents = yaml::documents(file, text)?.into_iter();
        let Some(document) = documents.next() else {
            return Ok(Self::default());
        };
        if let Some(second) = documents.next() {
            return Err(ConfigError::Documents {
                location: second.location,
            });
        }
        let read = serde_path_to_error::deserialize(document.to_json());
        let mut config: Self = read.map_err(|error| ConfigError::Value {
            location: place(&document, error.path()),
            message: error.inner().to_string(),
        })?;
        config.retention.extend(config.upstreams.retention());
        Ok(config)
    }
}

/// Where the value of a path stands, or the last part of the path that is there.
fn place(document: &Node, path: &serde_path_to_error::Path) -> Location {
    use serde_path_to_error::Segment;

    let mut location = &document.location;
    let mut node = Some(document);
    for segment in path {
        let next = match (node.map(|node| &node.content), segment) {
            (Some(Content::Mapping(entries)), Segment::Map { key }) => entries
                .iter()
                .find(|(name, _)| name.name == *key)
                .map(|(name, node)| (&name.location, node)),
            (Some(Content::Sequence(items)), Segment::Seq { index }) => {
                items.get(*index).map(|node| (&node.location, node))
            }
            _ => None,
        };
        let Some((found, inner)) = next else { break };
        location = found;
        node = Some(inner);
    }
    location.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_its_default() {
        assert_eq!(Config::parse("f", "").unwrap(), Config::default());
        let text = "anonymousPull: true\nlimits: {manifestBytes: 5000000, uploadAge: 2h}\n";
        let config = Config::parse("f", text).unwrap();
        assert!(config.anonymous_pull);
        assert!(config.sparse.indexes);
        assert_eq!(config.limits.manifest_bytes, 5_000_000);
        assert_eq!(config.limits.upload_age, Duration::from_hours(2));
        assert_eq!(config.limits.page_entries, 1000);
    }

    #[test]
    fn errors_name_file_and_line() {
        let error = |text| {
            Config::parse("registry.yaml", text)
                .unwrap_err()
                .to_string()
        };
        let unknown = error("anonymousPull: true\nlimits:\n  manifestByte: 1\n");
        assert!(
            unknown.starts_with("registry.yaml:3:3: unknown field `manifestByte`"),
            "{unknown}"
        );
        let nested = error("webhooks:\n  - name: a\n    url: ftp://a\n");
        assert!(
            nested.starts_with("registry.yaml:3:5: an address"),
            "{nested}"
        );
        let wrong = error("sparse:\n  images: perhaps\n");
        assert!(
            wrong.starts_with("registry.yaml:2:3: invalid type"),
            "{wrong}"
        );
        assert!(error("a: 1\n---\nb: 2\n").contains("second document"));
    }

    #[test]
    fn values_that_nothing_can_work_with_are_errors() {
        for (text, expected) in [
            (
                "limits:\n  connections: 0\n",
                "f:2:3: `0` is not from 1 to 1000000",
            ),
            (
                "limits: {connections: 2305843009213693952}",
                "is not from 1 to 1000000",
            ),
            (
                "limits: {pageEntries: 4294967295}",
                "is not from 1 to 100000",
            ),
            ("limits: {pageEntries: 0}", "`0` is not from 1 to 100000"),
            ("limits: {manifestBytes: 0}", "`0` is not from 1 to"),
            ("limits: {silence: 0s}", "0ns is less than 100ms"),
            ("housekeeping: {collectEvery: 0s}", "0ns is less than 10ms"),
        ] {
            let error = Config::parse("f", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
