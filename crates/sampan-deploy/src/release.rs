//! What a rollout needs to know of a release.

use sampan_model::app::App;
use sampan_model::{AppName, ReleaseName, Version};

/// A release as a rollout takes it.
#[derive(Debug, Clone)]
pub struct Release {
    /// The description of the app.
    pub app: App,
    /// The digest of the release's index, by which history names it.
    pub digest: String,
    /// The files of manifests and values, and what kustomizations were rendered to.
    pub manifests: Vec<ManifestFile>,
    /// The charts.
    pub charts: Vec<ChartFile>,
    /// The images that the release holds.
    pub images: Vec<ImagePin>,
}

impl Release {
    /// The release's name.
    #[must_use]
    pub fn name(&self) -> ReleaseName {
        ReleaseName {
            app: self.app.name.clone(),
            version: self.app.version.clone(),
        }
    }

    /// The app's name.
    #[must_use]
    pub fn app_name(&self) -> &AppName {
        &self.app.name
    }

    /// The release's version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.app.version
    }
}

/// A file of manifests or values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its path within the app's folder.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// A packed chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// The path by which the app names it.
    pub path: String,
    /// What it holds.
    pub package: Vec<u8>,
}

/// An image of a release and the digest that its name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePin {
    /// The image's name with its tag, such as `guestbook-web:1.0.0`.
    pub reference: String,
    /// The digest of its manifest, such as `sha256:…`.
    pub digest: String,
}
