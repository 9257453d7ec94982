//! Charts on other machines: in OCI registries and behind the addresses of chart repositories.
//!
//! This crate opens no connections. It says what to ask for and judges the answers; what carries the questions is a
//! [`Remote`], which the program implements with its client for registries.

use std::fmt;

use sampan_model::Hint;

mod address;
mod dependencies;
mod error;
mod index;
mod locate;
mod lock;
mod push;
mod tags;

pub use dependencies::{Manager, Outcome, Saved, Status, statuses};
pub use error::Error;
pub use locate::{Located, Package, Request, fetch_url, locate};
pub use lock::digest as lock_digest;
pub use push::{Pushed, push};

/// The media type of a chart's configuration in a registry: its `Chart.yaml` as JSON.
pub const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// The media type of a packed chart in a registry.
pub const PACKAGE_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// What Helm wrote instead before version 3.7.
pub const OLD_PACKAGE_TYPE: &str = "application/tar+gzip";

/// The largest packed chart that is taken, in bytes; the same as Helm allows.
pub const PACKAGE_LIMIT_BYTES: usize = 100 << 20;
/// The largest list of charts that is taken, in bytes. The largest public one has a quarter of it.
pub const INDEX_LIMIT_BYTES: usize = 64 << 20;

/// Carries questions about charts to other machines.
pub trait Remote {
    /// The content of an address that begins with `http://` or `https://`, of at most `limit_bytes`.
    ///
    /// # Errors
    /// When it cannot be had.
    fn file(&self, url: &str, limit_bytes: usize) -> Result<Vec<u8>, RemoteError>;

    /// The tags of a repository such as `registry.example:5000/charts/web`.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn tags(&self, repository: &str) -> Result<Vec<String>, RemoteError>;

    /// The chart that a reference such as `registry.example:5000/charts/web:1.2.3`, or one with `@sha256:…`, names.
    ///
    /// # Errors
    /// When it cannot be had, or is more than [`PACKAGE_LIMIT_BYTES`].
    fn pull(&self, reference: &str) -> Result<Pulled, RemoteError>;

    /// Puts a chart under a reference with a tag. Gives the digest of its manifest.
    ///
    /// # Errors
    /// When it is not taken.
    fn push(&self, reference: &str, artifact: &Artifact) -> Result<String, RemoteError>;
}

/// What a registry has under the name of a chart.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// The digest of the manifest.
    pub digest: String,
    /// The packed chart, if it is one.
    pub package: Option<Vec<u8>>,
}

/// A chart in the form that registries keep.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// `Chart.yaml` as JSON.
    pub config: Vec<u8>,
    /// The packed chart.
    pub package: Vec<u8>,
    /// The annotations of the manifest.
    pub annotations: std::collections::BTreeMap<String, String>,
}

/// Why a question was not answered, in the words of who carries them.
#[derive(Debug)]
pub struct RemoteError {
    error: Box<dyn std::error::Error + Send + Sync>,
    hint: Option<String>,
    is_absent: bool,
}

impl RemoteError {
    /// Takes over an error; `is_absent` says that what was asked for is not there, and nothing else is wrong.
    pub fn new<E: Hint + Send + Sync + 'static>(error: E, is_absent: bool) -> Self {
        Self {
            hint: error.hint(),
            error: Box::new(error),
            is_absent,
        }
    }

    /// Whether what was asked for is not there, and nothing else is wrong.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.is_absent
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for RemoteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Hint for RemoteError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
