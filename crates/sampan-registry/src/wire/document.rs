//! Manifests: what a registry must know of them, and nothing more.

use std::collections::{BTreeMap, HashSet};

use sampan_oci::Digest;
use sampan_oci::digest::DigestError;
use serde::Deserialize;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// A manifest or an index, as far as it concerns a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its media type.
    pub media_type: String,
    /// Whether it is an index of other manifests.
    pub is_index: bool,
    /// What kind of artifact it is: its own word, or the type of its configuration. An index may have none.
    pub artifact_type: Option<String>,
    /// The manifest that it says something about.
    pub subject: Option<Digest>,
    /// Its annotations; only kept when there is a subject, for the list of referrers.
    pub annotations: BTreeMap<String, String>,
    /// What it leads to, each once.
    pub children: Vec<Child>,
}

/// Something that a manifest leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// What it is.
    pub kind: ChildKind,
    /// Its digest.
    pub digest: Digest,
    /// Whether it may lie elsewhere (non-distributable layers).
    pub foreign: bool,
}

/// What a descriptor of a manifest points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildKind {
    /// Bytes.
    Blob,
    /// A manifest or an index.
    Manifest,
}

/// Why a text is not a manifest that this registry takes.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not JSON of the expected form.
    #[error("the manifest is not well-formed JSON of its kind")]
    Json(#[source] serde_json::Error),
    /// Its schema version is not 2.
    #[error("the manifest has schema version {version}, but only 2 is known")]
    Schema {
        /// The version.
        version: u64,
    },
    /// The header and the document disagree.
    #[error("the manifest says that it is `{document}`, but the request says `{header}`")]
    Disagree {
        /// The field `mediaType`.
        document: String,
        /// The header `Content-Type`.
        header: String,
    },
    /// The media type is none of manifests.
    #[error("`{media_type}` is not a type of manifest that this registry knows")]
    Type {
        /// The media type.
        media_type: String,
    },
    /// It has fields of a manifest and of an index, so that readers would disagree on what it is.
    #[error("the manifest has both layers and manifests")]
    Ambiguous,
    /// An image without a configuration.
    #[error("the manifest has no `{field}`")]
    Field {
        /// What is missing.
        field: &'static str,
    },
    /// A descriptor with a digest that cannot be verified.
    #[error("a descriptor of the manifest has a bad digest")]
    Digest(#[from] DigestError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
    /// Not used, but a descriptor without a size is none.
    #[serde(rename = "size")]
    _size: u64,
}

impl Document {
    /// Reads a manifest that came with the given `Content-Type`.
    ///
    /// # Errors
    /// [`DocumentError`] when this registry does not take it.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, DocumentError> {
        let fields: Fields = serde_json::from_slice(bytes).map_err(DocumentError::Json)?;
        if fields.schema_version != 2 {
            return Err(DocumentError::Schema {
                version: fields.schema_version,
            });
        }
        if fields.manifests.is_some() && (fields.layers.is_some() || fields.config.is_some()) {
            return Err(DocumentError::Ambiguous);
        }
        let media_type = media_type(&fields, content_type)?;
        let is_index = match media_type.as_str() {
            OCI_MANIFEST | DOCKER_MANIFEST => false,
            OCI_INDEX | DOCKER_LIST => true,
            _ => return Err(DocumentError::Type { media_type }),
        };
        let children = if is_index {
            children_of_index(&fields)?
        } else {
            children_of_manifest(&fields)?
        };
        let config_type = fields.config.and_then(|config| config.media_type);
        let own_type = fields.artifact_type.filter(|name| !name.is_empty());
        let subject = fields
            .subject
            .map(|subject| subject.digest.parse())
            .transpose()?;
        let annotations = fields.annotations.filter(|_| subject.is_some());
        Ok(Self {
            media_type,
            is_index,
            artifact_type: own_type.or(config_type),
            subject,
            annotations: annotations.unwrap_or_default(),
            children: once_each(children),
        })
    }
}

/// The header and the field must agree where both are there; where none is, the fields tell.
fn media_type(fields: &Fields, header: Option<&str>) -> Result<String, DocumentError> {
    let header = header
        .map(|header| header.split(';').next().unwrap_or_default().trim())
        .map(str::to_ascii_lowercase)
        .filter(|header| !matches!(header.as_str(), "" | "application/json"));
    match (&fields.media_type, header) {
        (Some(document), Some(header)) if !document.eq_ignore_ascii_case(&header) => {
            Err(DocumentError::Disagree {
                document: document.clone(),
                header,
            })
        }
        (Some(document), _) => Ok(document.clone()),
        (None, Some(header)) => Ok(header),
        (None, None) if fields.manifests.is_some() => Ok(OCI_INDEX.to_owned()),
        (None, None) => Ok(OCI_MANIFEST.to_owned()),
    }
}

fn children_of_manifest(fields: &Fields) -> Result<Vec<Child>, DocumentError> {
    let missing = |field| DocumentError::Field { field };
    let config = fields.config.as_ref().ok_or_else(|| missing("config"))?;
    let layers = fields.layers.as_ref().ok_or_else(|| missing("layers"))?;
    let mut children = vec![child(ChildKind::Blob, config)?];
    for layer in layers {
        children.push(child(ChildKind::Blob, layer)?);
    }
    Ok(children)
}

/// Indexes may also list blobs: caches of builders do.
fn children_of_index(fields: &Fields) -> Result<Vec<Child>, DocumentError> {
    let missing = || DocumentError::Field { field: "manifests" };
    let manifests = fields.manifests.as_ref().ok_or_else(missing)?;
    manifests
        .iter()
        .map(|entry| child(kind_of(entry), entry))
        .collect()
}

fn kind_of(entry: &Descriptor) -> ChildKind {
    match entry.media_type.as_deref() {
        Some(OCI_MANIFEST | OCI_INDEX | DOCKER_MANIFEST | DOCKER_LIST) => ChildKind::Manifest,
        _ => ChildKind::Blob,
    }
}

fn child(kind: ChildKind, descriptor: &Descriptor) -> Result<Child, DocumentError> {
    let foreign = descriptor.media_type.as_deref().is_some_and(|name| {
        name.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || name.starts_with("application/vnd.docker.image.rootfs.foreign.")
    });
    Ok(Child {
        kind,
        digest: descriptor.digest.parse()?,
        foreign,
    })
}

/// Images often have the same empty layer many times. What is once not foreign must be there.
fn once_each(children: Vec<Child>) -> Vec<Child> {
    let mut seen = HashSet::new();
    let (foreign, mut unique): (Vec<_>, Vec<_>) =
        children.into_iter().partition(|child| child.foreign);
    unique.retain(|child| seen.insert(child.digest));
    unique.extend(
        foreign
            .into_iter()
            .filter(|child| seen.insert(child.digest)),
    );
    unique
}

#[cfg(test)]
mod tests;
