//! Images: a manifest with its configuration.

use std::path::PathBuf;

use oci_spec::image::{
    Config, Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType,
};

use crate::digest::{Digest, DigestError};

/// Annotation of a descriptor that says under which name it is known.
pub const NAME_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// The largest manifest, index or configuration that is read, in bytes.
pub const DOCUMENT_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// An image for one platform, read from the content store.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Points to the manifest (never to an index).
    pub descriptor: Descriptor,
    /// The manifest: configuration and layers.
    pub manifest: ImageManifest,
    /// The configuration: what to run, and the layers' uncompressed digests.
    pub config: ImageConfiguration,
}

impl Image {
    /// The digest of the manifest.
    ///
    /// # Errors
    /// When the descriptor's digest uses an unknown algorithm.
    pub fn digest(&self) -> Result<Digest, DigestError> {
        Digest::of(&self.descriptor)
    }

    /// The digests of the uncompressed layers, lowest first.
    ///
    /// # Errors
    /// When one of them is no digest.
    pub fn diff_ids(&self) -> Result<Vec<Digest>, DigestError> {
        self.config
            .rootfs()
            .diff_ids()
            .iter()
            .map(|text| text.parse())
            .collect()
    }

    /// A part of what the image says about its containers, as in `image.setting(Config::user)`.
    #[must_use]
    pub fn setting<T: Clone>(&self, part: impl Fn(&Config) -> &Option<T>) -> Option<T> {
        let config = self.config.config().as_ref()?;
        part(config).clone()
    }

    /// The folders that every container has for itself (`VOLUME`).
    #[must_use]
    pub fn volumes(&self) -> Vec<PathBuf> {
        let volumes = self.setting(Config::volumes).unwrap_or_default();
        volumes.into_iter().map(PathBuf::from).collect()
    }

    /// The command line of a container's first process; empty when nobody names one.
    ///
    /// `command` takes the place of the image's own (`CMD`); `entrypoint` takes the place of the image's own
    /// (`ENTRYPOINT`) and leaves its command out too.
    #[must_use]
    pub fn command_line(
        &self,
        entrypoint: Option<Vec<String>>,
        command: Option<Vec<String>>,
    ) -> Vec<String> {
        let own_command = match &entrypoint {
            Some(_) => None,
            None => self.setting(Config::cmd),
        };
        let mut line = entrypoint
            .or_else(|| self.setting(Config::entrypoint))
            .unwrap_or_default();
        line.extend(command.or(own_command).unwrap_or_default());
        line
    }

    /// The sizes of the layers as stored, added up, in bytes.
    #[must_use]
    pub fn layers_size_bytes(&self) -> u64 {
        self.manifest.layers().iter().map(Descriptor::size).sum()
    }
}

/// What a descriptor's media type says about how to go on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A list of manifests.
    Index,
    /// An image or an artifact.
    Manifest,
    /// Anything else: bytes that lead nowhere.
    Leaf,
}

impl DocumentKind {
    /// The kind of what `media_type` describes; docker's own types count as their OCI twins.
    #[must_use]
    pub fn of(media_type: &MediaType) -> Self {
        match media_type {
            MediaType::ImageIndex => Self::Index,
            MediaType::ImageManifest => Self::Manifest,
            MediaType::Other(name) if name == DOCKER_LIST => Self::Index,
            MediaType::Other(name) if name == DOCKER_MANIFEST => Self::Manifest,
            _ => Self::Leaf,
        }
    }
}

/// The entry of `index` for a machine with Linux and the given architecture (in Go's words).
#[must_use]
pub fn for_platform<'index>(
    index: &'index ImageIndex,
    architecture: &str,
) -> Option<&'index Descriptor> {
    index.manifests().iter().find(|entry| {
        entry.platform().as_ref().is_some_and(|platform| {
            platform.os().to_string() == "linux"
                && platform.architecture().to_string() == architecture
        })
    })
}

/// The architecture of this machine in Go's words, as images name it.
#[must_use]
pub fn machine_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// The chain ids of a stack of layers, lowest first: each names a layer together with all below.
///
/// Source: OCI image specification, "Layer `ChainID`".
#[must_use]
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let next = match chain.last() {
            None => *diff_id,
            Some(parent) => {
                let text = format!("{parent} {diff_id}");
                Digest::of_bytes(text.as_bytes())
            }
        };
        chain.push(next);
    }
    chain
}
