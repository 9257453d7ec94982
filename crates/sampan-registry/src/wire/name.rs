//! Names within a registry.

use std::fmt;
use std::str::FromStr;

use sampan_oci::digest::DigestError;
use sampan_oci::{Digest, reference};

/// The name of a repository, such as `library/debian`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(String);

/// A text that is no repository's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not the name of a repository")]
pub struct NameError {
    /// The text.
    pub name: String,
}

impl RepositoryName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if reference::is_repository(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NameError {
                name: name.to_owned(),
            })
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What follows `/manifests/`: a digest or a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestName {
    /// A tag.
    Tag(String),
    /// A digest.
    Digest(Digest),
}

/// Why a text names no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestNameError {
    /// It is outside of the grammar of tags.
    #[error("`{text}` is not a tag")]
    Tag {
        /// The text.
        text: String,
    },
    /// It looks like a digest but is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl FromStr for ManifestName {
    type Err = ManifestNameError;

    /// No tag has a colon, and every digest has one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(':') {
            return Ok(Self::Digest(text.parse()?));
        }
        if reference::is_tag(text) {
            return Ok(Self::Tag(text.to_owned()));
        }
        Err(ManifestNameError::Tag {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for ManifestName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => formatter.write_str(tag),
            Self::Digest(digest) => fmt::Display::fmt(digest, formatter),
        }
    }
}
