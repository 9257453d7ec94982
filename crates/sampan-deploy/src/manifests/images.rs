//! Where manifests name container images.
//!
//! A pod's containers are found by their shape, not by kind: any list under `containers`, `initContainers` or
//! `ephemeralContainers`, wherever it stands. So custom resources that embed a pod template are covered as well.

use std::fmt;

use sampan_model::app::{Template, Values};
use sampan_model::yaml::{Content, Location, Node};

use super::ManifestError;

/// An image that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// The image as the manifest calls it, with values filled in.
    pub image: String,
    /// Where it stands.
    pub location: Location,
}

/// The parts of an image's name, in the familiar form: `docker.io/library/redis` is `redis`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// The name without tag and digest.
    pub repository: String,
    /// The tag, when one is given.
    pub tag: Option<String>,
    /// The digest, when one is given.
    pub digest: Option<String>,
}

impl ImageName {
    /// Takes an image's name apart.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (repository, tag) = match name.rsplit_once(':') {
            // A colon before the last slash belongs to the registry's port.
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let repository = repository.strip_prefix("docker.io/").unwrap_or(repository);
        let repository = repository.strip_prefix("library/").unwrap_or(repository);
        let valid = !repository.is_empty()
            && repository
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c))
            && tag.is_none_or(|tag| {
                !tag.is_empty()
                    && tag
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            })
            && digest.is_none_or(|digest| digest.contains(':'));
        valid.then(|| Self {
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }
}

impl ImageName {
    /// Whether the name begins with a registry, as the grammar of references tells it from a folder.
    pub(super) fn has_registry(&self) -> bool {
        let first = self.repository.split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| first.contains(['.', ':']) || first == "localhost")
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Where images stand in a mapping: the list, and the place in each of its items.
pub(super) const PLACES: [(&str, &str); 4] = [
    ("containers", "/image"),
    ("initContainers", "/image"),
    ("ephemeralContainers", "/image"),
    ("volumes", "/image/reference"),
];

/// The path of an image within a mapping that this module recognizes: the node that holds the name.
pub(super) fn image_nodes(node: &Node) -> Vec<&Node> {
    let Content::Mapping(entries) = &node.content else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in entries {
        let Content::Sequence(items) = &value.content else {
            continue;
        };
        if LISTS.contains(&key.name.as_str()) {
            found.extend(items.iter().filter_map(|item| item.get("image")));
        } else if key.name == "volumes" {
            found.extend(
                items
                    .iter()
                    .filter_map(|item| item.get("image")?.get("reference")),
            );
        }
    }
    found
}

pub(super) fn collect(
    node: &Node,
    values: &Values,
    found: &mut Vec<ImageReference>,
) -> Result<(), ManifestError> {
    for image in image_nodes(node) {
        let Some(text) = image.as_str() else { continue };
        let text = Template::parse(text)
            .and_then(|template| template.render(values))
            .map_err(|error| ManifestError::template(&image.location, error))?;
        if ImageName::parse(&text).is_none() {
            return Err(ManifestError::ImageName {
                location: image.location.to_string(),
                image: text,
            });
        }
        if !found.iter().any(|known| known.image == text) {
            found.push(ImageReference {
                image: text,
                location: image.location.clone(),
            });
        }
    }
    match &node.content {
        Content::Sequence(items) => items
            .iter()
            .try_for_each(|item| collect(item, values, found)),
        Content::Mapping(entries) => entries
            .iter()
            .try_for_each(|(_, value)| collect(value, values, found)),
        _ => Ok(()),
    }
}
