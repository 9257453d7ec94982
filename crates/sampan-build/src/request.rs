//! What a build is asked to do.

use std::path::PathBuf;

use sampan_oci::Reference;
use sampan_oci::layer::Compression;

/// An order to build one image.
#[derive(Clone, Debug, Default)]
pub struct BuildRequest {
    /// The folder whose files COPY and ADD take.
    pub context: PathBuf,
    /// The Dockerfile; `Dockerfile` in the context when absent.
    pub dockerfile: Option<PathBuf>,
    /// The stage to build; the last one when absent.
    pub target: Option<String>,
    /// Values for ARGs, by name.
    pub args: Vec<(String, String)>,
    /// Names for the image.
    pub tags: Vec<Reference>,
    /// The space in which the names are known to one owner alone (see [`Reference::within`]): there images of FROM are
    /// looked for first, and only there the image gets its names.
    pub space: Option<String>,
    /// Labels besides those of the Dockerfile.
    pub labels: Vec<(String, String)>,
    /// Runs every step, whatever the cache holds.
    pub no_cache: bool,
    /// The network of RUN.
    pub network: BuildNetwork,
    /// How new layers are compressed.
    pub compression: Compression,
    /// The time of everything that the build makes, in seconds since 1970.
    pub epoch: i64,
    /// Proxy settings for RUN, which are no part of the image and do not touch the cache.
    pub proxies: Vec<(String, String)>,
}

/// The network that RUN gets unless it says otherwise itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuildNetwork {
    /// An own address on the installation's bridge.
    #[default]
    Bridge,
    /// The network of the machine.
    Host,
    /// None.
    None,
}
