//! Blobs in a bucket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sampan_registry::Config;
use sampan_registry::config::S3;

use crate::service::Service;

pub(crate) const BUCKET: &str = "images";

/// Where the blobs of a registry lie.
pub(crate) struct Place {
    pub(crate) service: Service,
    /// What the registry is told; nothing is the disk.
    pub(crate) s3: Option<S3>,
}

impl Place {
    pub(crate) fn new(data: &Path) -> Self {
        let service = Service::start();
        let text = service.provide(BUCKET, data);
        let s3 = Config::parse("test", &text).unwrap().storage.s3;
        Self { service, s3 }
    }

    /// The configuration of a registry whose blobs lie here.
    pub(crate) fn configured(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.storage.s3.clone_from(&self.s3);
        config
    }

    /// Where the blobs are files.
    pub(crate) fn blobs(&self, _data: &Path) -> PathBuf {
        self.folder().join("blobs/sha256")
    }

    /// The files of all objects with the prefix.
    pub(crate) fn folder(&self) -> PathBuf {
        self.service.root().join(BUCKET).join("site")
    }

    /// How the registry is told to use the bucket.
    pub(crate) fn s3(&mut self) -> &mut S3 {
        self.s3.as_mut().unwrap()
    }

    /// Has the registry be as patient as usual.
    pub(crate) fn wait(&mut self) {
        self.s3().patience = Duration::from_secs(30);
    }

    /// Has the registry lose its patience soon.
    pub(crate) fn hurry(&mut self) {
        self.s3().patience = Duration::from_secs(1);
    }
}
