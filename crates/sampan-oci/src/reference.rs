//! Names of images, by the rules that docker made familiar.

use std::fmt;
use std::str::FromStr;

use sampan_model::Hint;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, DigestError};

const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_NAMESPACE: &str = "library/";
const DEFAULT_TAG: &str = "latest";
const NAME_LIMIT: usize = 255;

/// The name of an image: a registry, a repository, and a tag or a digest or both.
///
/// `debian` is short for `docker.io/library/debian:latest`. Grammar: the distribution project's
/// `reference` package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text is empty.
    #[error("an image name must not be empty")]
    Empty,
    /// The registry is neither a host name nor an address, with or without a port.
    #[error("`{text}` is not an image name: `{registry}` is not a host")]
    Registry {
        /// The whole text.
        text: String,
        /// The offending part.
        registry: String,
    },
    /// The repository has a part outside of the grammar.
    #[error("`{text}` is not an image name: `{part}` does not fit")]
    Repository {
        /// The whole text.
        text: String,
        /// The offending part.
        part: String,
    },
    /// The name without tag and digest is longer than 255 characters.
    #[error("image name `{text}` is longer than {NAME_LIMIT} characters")]
    Length {
        /// The whole text.
        text: String,
    },
    /// The tag is outside of the grammar.
    #[error("`{tag}` is not a tag of an image")]
    Tag {
        /// The offending tag.
        tag: String,
    },
    /// The part behind the `@` is no digest.
    #[error("`{text}` has a bad digest")]
    Digest {
        /// The whole text.
        text: String,
        /// Why.
        #[source]
        source: DigestError,
    },
}

impl Hint for ReferenceError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "give a name such as `debian:bookworm-slim`".to_owned(),
            Self::Registry { .. } => {
                "a registry is a host name with an optional port, such as `localhost:7080`"
                    .to_owned()
            }
            Self::Repository { part, .. } if part.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                format!("names are lower case: `{}`", part.to_ascii_lowercase())
            }
            Self::Repository { .. } => {
                "use lower-case letters and digits, with single `.`, `_` or `-` between them"
                    .to_owned()
            }
            Self::Length { .. } => "choose a shorter name".to_owned(),
            Self::Tag { .. } => {
                "a tag has up to 128 letters, digits, `_`, `.` or `-`, and begins with none of `.` and `-`"
                    .to_owned()
            }
            Self::Digest { source, .. } => return source.hint(),
        })
    }
}

impl Reference {
    /// The host (and port) of the registry; `docker.io` when none is written.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry, such as `library/debian`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag. A reference without digest always has one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest that pins the reference.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The name without tag and digest, in the familiar form.
    #[must_use]
    pub fn familiar_name(&self) -> String {
        if self.registry != DEFAULT_REGISTRY {
            return format!("{}/{}", self.registry, self.repository);
        }
        if let Some(rest) = self.repository.strip_prefix(DEFAULT_NAMESPACE)
            && !rest.contains('/')
        {
            return rest.to_owned();
        }
        match self.repository.split_once('/') {
            // Without its registry, the first part would be taken for one.
            Some((first, _)) if is_registry(first) => {
                format!("{DEFAULT_REGISTRY}/{}", self.repository)
            }
            _ => self.repository.clone(),
        }
    }

    /// The short form that people write: `debian:bookworm-slim`.
    #[must_use]
    pub fn familiar(&self) -> String {
        let mut text = self.familiar_name();
        self.push_suffix(&mut text);
        text
    }

    /// The same name with another tag and without digest.
    ///
    /// # Errors
    /// When `tag` is outside of the grammar.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        check_tag(tag)?;
        Ok(Self {
            tag: Some(tag.to_owned()),
            digest: None,
            ..self.clone()
        })
    }

    /// The name under which an image of this name is kept for one owner alone, whose `space` is the name of a host.
    #[must_use]
    pub fn within(&self, space: &str) -> Self {
        let host = self.registry.to_ascii_lowercase().replace(':', "__");
        let repository = format!("{host}/{}", self.repository);
        Self {
            registry: space.to_owned(),
            repository: if is_repository(&repository) {
                repository
            } else {
                // The address of a machine may have signs that repositories cannot have.
                format!("{}/{}", hex::encode(&*self.registry), self.repository)
            },
            ..self.clone()
        }
    }

    /// The same name pinned to a digest; the tag stays.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The same name by its digest alone; `None` when it has none.
    #[must_use]
    pub fn by_digest(&self) -> Option<Self> {
        self.digest.is_some().then(|| Self {
            tag: None,
            ..self.clone()
        })
    }

    /// Whether both name the same repository, whatever their tags and digests.
    #[must_use]
    pub fn same_repository(&self, other: &Self) -> bool {
        self.registry == other.registry && self.repository == other.repository
    }

    fn push_suffix(&self, text: &mut String) {
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(&digest.to_string());
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let (rest, digest) = split_digest(text)?;
        let (name, tag) = split_tag(rest)?;
        let (registry, repository) = split_registry(name);
        check_registry(text, &registry)?;
        check_repository(text, &repository)?;
        if registry.len() + 1 + repository.len() > NAME_LIMIT {
            return Err(ReferenceError::Length {
                text: text.to_owned(),
            });
        }
        let tag = tag.or_else(|| digest.is_none().then(|| DEFAULT_TAG.to_owned()));
        Ok(Self {
            registry,
            repository,
            tag,
            digest,
        })
    }
}

fn split_digest(text: &str) -> Result<(&str, Option<Digest>), ReferenceError> {
    let Some((rest, digest)) = text.split_once('@') else {
        return Ok((text, None));
    };
    let digest = digest.parse().map_err(|source| ReferenceError::Digest {
        text: text.to_owned(),
        source,
    })?;
    Ok((rest, Some(digest)))
}

/// A colon before the last slash belongs to the port of the registry.
fn split_tag(text: &str) -> Result<(&str, Option<String>), ReferenceError> {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => {
            check_tag(tag)?;
            Ok((name, Some(tag.to_owned())))
        }
        _ => Ok((text, None)),
    }
}

fn split_registry(name: &str) -> (String, String) {
    if let Some((first, rest)) = name.split_once('/') {
        let host = is_registry(first);
        if host && !matches!(first, "index.docker.io" | "docker.io") {
            return (first.to_owned(), rest.to_owned());
        }
        if !host {
            return (DEFAULT_REGISTRY.to_owned(), name.to_owned());
        }
        return (DEFAULT_REGISTRY.to_owned(), in_namespace(rest));
    }
    (DEFAULT_REGISTRY.to_owned(), in_namespace(name))
}

/// Whether the first part of a name is a registry and not a folder of the default one.
fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn in_namespace(name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{DEFAULT_NAMESPACE}{name}")
    }
}

fn check_registry(text: &str, registry: &str) -> Result<(), ReferenceError> {
    let (host, port) = split_port(registry);
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if port_fits && is_host(host) {
        return Ok(());
    }
    Err(ReferenceError::Registry {
        text: text.to_owned(),
        registry: registry.to_owned(),
    })
}

fn split_port(registry: &str) -> (&str, Option<&str>) {
    match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.split('.').all(|label| {
        let inner = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    })
}

/// Whether `name` is the name of a repository within a registry, such as `library/debian`.
///
/// Source: OCI distribution specification, "Pulling manifests".
#[must_use]
pub fn is_repository(name: &str) -> bool {
    name.len() <= NAME_LIMIT && name.split('/').all(is_path_component)
}

/// Whether `tag` can be the tag of an image.
#[must_use]
pub fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = tag.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(|first| word(*first))
        && bytes
            .iter()
            .all(|byte| word(*byte) || matches!(byte, b'.' | b'-'))
}

/// Whether the text of a reference says a tag, instead of meaning `latest`.
#[must_use]
pub fn says_tag(text: &str) -> bool {
    let name = text.split_once('@').map_or(text, |(name, _)| name);
    matches!(split_tag(name), Ok((_, Some(_))))
}

fn check_repository(text: &str, repository: &str) -> Result<(), ReferenceError> {
    match repository.split('/').find(|part| !is_path_component(part)) {
        Some(part) => Err(ReferenceError::Repository {
            text: text.to_owned(),
            part: part.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alphanumeric(*first)
        && alphanumeric(*last)
        && bytes.split(|byte| alphanumeric(*byte)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__")
                || separator.iter().all(|byte| *byte == b'-')
        })
}

fn check_tag(tag: &str) -> Result<(), ReferenceError> {
    if is_tag(tag) {
        Ok(())
    } else {
        Err(ReferenceError::Tag {
            tag: tag.to_owned(),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}/{}", self.registry, self.repository);
        self.push_suffix(&mut text);
        formatter.write_str(&text)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.familiar())
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
