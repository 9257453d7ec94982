//! Blobs on the local disk.

use std::path::{Path, PathBuf};

use sampan_registry::Config;

/// Where the blobs of a registry lie.
pub(crate) struct Place;

#[expect(clippy::unused_self, reason = "a bucket has the same face")]
impl Place {
    pub(crate) fn new(_data: &Path) -> Self {
        Self
    }

    /// The configuration of a registry whose blobs lie here.
    pub(crate) fn configured(&self, config: &Config) -> Config {
        config.clone()
    }

    /// Where the blobs are files.
    pub(crate) fn blobs(&self, data: &Path) -> PathBuf {
        data.join("content/blobs/sha256")
    }
}
