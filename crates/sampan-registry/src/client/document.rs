//! Manifests and indexes on their way: bytes with their digest, and what they lead to.

use bytes::Bytes;
use sampan_oci::image::DocumentKind;
use sampan_oci::{Descriptor, Digest, ImageIndex, ImageManifest, MediaType};
use serde::Deserialize;

use super::error::ClientError;

/// The media types of manifests that are asked for.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or an index, exactly as it was written.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) media_type: MediaType,
    pub(super) digest: Digest,
    pub(super) bytes: Bytes,
}

/// What a document leads to.
#[derive(Debug, Default)]
pub(super) struct Children {
    pub(super) documents: Vec<Descriptor>,
    pub(super) blobs: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    #[serde(default)]
    schema_version: u32,
    media_type: Option<String>,
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    annotations: Option<std::collections::HashMap<String, String>>,
}

impl Document {
    /// Takes what a registry or a store gave. What the document says of itself has precedence over `content_type`.
    pub(super) fn new(
        name: &str,
        digest: Digest,
        content_type: Option<&str>,
        bytes: Bytes,
    ) -> Result<Self, ClientError> {
        let head: Head = parse(&digest, &bytes)?;
        if head.schema_version == 1 {
            return Err(ClientError::FirstSchema {
                name: name.to_owned(),
            });
        }
        let said = head.media_type.as_deref().or(content_type);
        let media_type = match said.map(|text| MediaType::from(without_parameters(text))) {
            Some(known) if DocumentKind::of(&known) != DocumentKind::Leaf => known,
            // Documents of the OCI may leave their media type out; then their fields tell.
            _ if head.config.is_some() => MediaType::ImageManifest,
            _ => MediaType::ImageIndex,
        };
        Ok(Self {
            media_type,
            digest,
            bytes,
        })
    }

    pub(super) fn descriptor(&self) -> Descriptor {
        Descriptor::new(
            self.media_type.clone(),
            self.bytes.len() as u64,
            self.digest,
        )
    }

    pub(super) fn is_index(&self) -> bool {
        DocumentKind::of(&self.media_type) == DocumentKind::Index
    }

    pub(super) fn index(&self) -> Result<ImageIndex, ClientError> {
        parse(&self.digest, &self.bytes)
    }

    /// The configuration, where the document is an image for one kind of machine.
    pub(super) fn image_config(&self) -> Result<Option<Descriptor>, ClientError> {
        if self.is_index() {
            return Ok(None);
        }
        let manifest: ImageManifest = parse(&self.digest, &self.bytes)?;
        let config = manifest.config().clone();
        let text = config.media_type().to_string();
        let is_image = matches!(config.media_type(), MediaType::ImageConfig)
            || text == "application/vnd.docker.container.image.v1+json";
        Ok(is_image.then_some(config))
    }

    pub(super) fn children(&self) -> Result<Children, ClientError> {
        let mut children = Children::default();
        if self.is_index() {
            for entry in self.index()?.manifests() {
                let kind = DocumentKind::of(entry.media_type());
                if kind == DocumentKind::Leaf {
                    children.blobs.push(entry.clone());
                } else {
                    children.documents.push(entry.clone());
                }
            }
        } else {
            let manifest: ImageManifest = parse(&self.digest, &self.bytes)?;
            children.blobs.extend(manifest.layers().iter().cloned());
            children.blobs.push(manifest.config().clone());
        }
        Ok(children)
    }

    /// The document as an entry of the list of those that refer to its subject, with that subject's digest.
    pub(super) fn as_referrer(&self) -> Result<Option<(Digest, Descriptor)>, ClientError> {
        let head: Head = parse(&self.digest, &self.bytes)?;
        let Some(subject) = head.subject else {
            return Ok(None);
        };
        let subject = digest_of(&subject)?;
        let config = head.config.map(|config| config.media_type().to_string());
        let mut entry = self.descriptor();
        entry.set_artifact_type(
            head.artifact_type
                .or(config)
                .map(|text| text.as_str().into()),
        );
        entry.set_annotations(head.annotations);
        Ok(Some((subject, entry)))
    }
}

/// The digest of a descriptor.
pub(super) fn digest_of(descriptor: &Descriptor) -> Result<Digest, ClientError> {
    Digest::of(descriptor).map_err(|source| ClientError::Store(source.into()))
}

fn parse<'text, T: Deserialize<'text>>(
    digest: &Digest,
    bytes: &'text [u8],
) -> Result<T, ClientError> {
    serde_json::from_slice(bytes).map_err(|source| ClientError::Parse {
        digest: Box::new(*digest),
        source,
    })
}

fn without_parameters(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}
