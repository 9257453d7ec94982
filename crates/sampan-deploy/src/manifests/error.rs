//! What can be wrong with manifests.

use sampan_model::Hint;
use sampan_model::app::TemplateError;
use sampan_model::yaml::{Location, YamlError};

/// Why manifests cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// No file holds a manifest.
    #[error("the app has no manifests: {}", files.join(", "))]
    None {
        /// The files that were read.
        files: Vec<String>,
    },
    /// A document is no mapping.
    #[error("{location}: a manifest must be a mapping, but is {found}")]
    NotAnObject {
        /// Where.
        location: Location,
        /// What stands there.
        found: &'static str,
    },
    /// A key that every object has is not there.
    #[error("{location}: the manifest has no `{key}`{}", near.as_ref().map_or_else(String::new, |near| format!("; is `{near}` a slip?")))]
    Missing {
        /// Where the mapping begins.
        location: Location,
        /// The key.
        key: String,
        /// A key of the mapping that resembles it.
        near: Option<String>,
    },
    /// A value that must be text is not.
    #[error("{location}: `{key}` must be text, but is {found}")]
    NotText {
        /// Where.
        location: Location,
        /// The key.
        key: String,
        /// What stands there.
        found: &'static str,
    },
    /// A `${…}` cannot be filled.
    #[error("{location}: {problem}")]
    Template {
        /// Where.
        location: Location,
        /// Why; part of the message, so it is no source.
        problem: TemplateError,
    },
    /// What was rendered has not what every object has.
    #[error("{location}: an object has no `{key}`")]
    Incomplete {
        /// What has printed it.
        location: String,
        /// The key.
        key: &'static str,
    },
    /// An image is named in a way that nothing can be found by.
    #[error("{location}: `{image}` is no image name")]
    ImageName {
        /// Where.
        location: String,
        /// The text.
        image: String,
    },
    /// An image is not part of the release.
    #[error("{location}: the release does not hold the image `{image}`")]
    ImageMissing {
        /// Where.
        location: String,
        /// The image.
        image: String,
        /// What the release holds.
        held: Vec<String>,
    },
    /// Two manifests describe the same object.
    #[error("{second}: {object} is described a second time; first at {first}")]
    Twice {
        /// The object.
        object: String,
        /// The first description.
        first: String,
        /// The second description.
        second: String,
    },
}

impl ManifestError {
    pub(super) fn template(location: &Location, problem: TemplateError) -> Self {
        Self::Template {
            location: location.clone(),
            problem,
        }
    }
}

impl Hint for ManifestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::None { .. } => Some(
                "name files with Kubernetes objects under `manifests` in sampan.yaml".to_owned(),
            ),
            Self::NotAnObject { .. } => Some("begin with `apiVersion:` and `kind:`".to_owned()),
            Self::Missing { key, .. } => Some(format!("add `{key}`")),
            Self::NotText { .. } => Some("put the value in quotes".to_owned()),
            Self::Template { problem, .. } => problem.hint(),
            Self::Incomplete { .. } => {
                Some("it needs `apiVersion`, `kind` and `metadata.name`".to_owned())
            }
            Self::ImageName { .. } => Some("write NAME:TAG or NAME@sha256:…".to_owned()),
            Self::ImageMissing { held, .. } => {
                Some(format!("the release holds {}", held.join(", ")))
            }
            Self::Twice { .. } => Some("remove one of the two or give it another name".to_owned()),
        }
    }
}
