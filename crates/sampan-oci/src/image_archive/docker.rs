//! What `docker save` writes: `manifest.json`, and the files that it names.

use std::collections::HashMap;
use std::io::{self, Read as _};

use oci_spec::image::{Descriptor, ImageConfiguration, MediaType};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::contents::{Contents, altered};
use super::layout::parse;
use super::loading::LoadedImage;
use super::member::{Member, named_digest};
use super::{DOCKER_FILE, ImageArchiveError};
use crate::digest::{Digest, Hasher};
use crate::json;
use crate::layer::{self, Compression, LayerError};
use crate::store::{Staged, StoreError};

/// Stands for a name where an image has none.
const NO_NAME: &str = "<none>:<none>";

/// An image in `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item {
    pub(super) config: String,
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

/// Follows `manifest.json` to the images, and makes the manifests that they lack.
pub(super) fn read(
    contents: &mut Contents,
    manifest: &[u8],
) -> Result<(Vec<LoadedImage>, Vec<Staged>), ImageArchiveError> {
    let items: Vec<Item> = parse(DOCKER_FILE, manifest)?;
    let mut reading = Reading {
        contents,
        layers: HashMap::new(),
        blobs: Vec::new(),
    };
    let mut images: Vec<LoadedImage> = Vec::new();
    for item in items {
        let descriptor = reading.image(&item)?;
        let names = item.repo_tags.unwrap_or_default();
        let names = names.into_iter().filter(|name| name != NO_NAME);
        let known = images
            .iter_mut()
            .find(|image| image.descriptor.digest() == descriptor.digest());
        match known {
            Some(image) => image.add_names(names),
            None => images.push(LoadedImage::new(descriptor, names)),
        }
    }
    Ok((images, reading.blobs))
}

struct Reading<'call> {
    contents: &'call mut Contents,
    /// Layers that were verified, with their uncompressed digest, by path.
    layers: HashMap<String, (Digest, Descriptor)>,
    blobs: Vec<Staged>,
}

impl Reading<'_> {
    fn image(&mut self, item: &Item) -> Result<Descriptor, ImageArchiveError> {
        let member = self.member(&item.config)?;
        if let (Some(expected), Some(raw)) = (named_digest(item.config.as_bytes()), member.raw())
            && expected != raw
        {
            return Err(altered(item.config.as_bytes(), expected, raw));
        }
        let bytes = self.contents.read(&item.config, &member)?;
        let config: ImageConfiguration = parse(&item.config, &bytes)?;
        let diff_ids = config.rootfs().diff_ids();
        let paths = item.layers.as_deref().unwrap_or_default();
        if diff_ids.len() != paths.len() {
            return Err(ImageArchiveError::LayerCount {
                image: item.config.clone(),
                layers: paths.len(),
                diff_ids: diff_ids.len(),
            });
        }
        let mut layers = Vec::with_capacity(paths.len());
        for (path, diff_id) in paths.iter().zip(diff_ids) {
            layers.push(self.layer(path, diff_id.parse()?)?);
        }
        let config = self.keep(member, MediaType::ImageConfig)?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::ImageManifest,
            "config": config,
            "layers": layers,
        });
        let bytes =
            json::canonical(&manifest).map_err(|source| StoreError::Serialize { source })?;
        let staged = self.contents.staging.put_bytes(&bytes)?;
        let descriptor =
            Descriptor::new(MediaType::ImageManifest, staged.size_bytes, staged.digest);
        self.blobs.push(staged);
        Ok(descriptor)
    }

    fn layer(&mut self, path: &str, diff_id: Digest) -> Result<Descriptor, ImageArchiveError> {
        if let Some((known, descriptor)) = self.layers.get(path) {
            return if *known == diff_id {
                Ok(descriptor.clone())
            } else {
                Err(altered(path.as_bytes(), diff_id, *known))
            };
        }
        let member = self.member(path)?;
        let compression = self.compression(path, &member)?;
        if member.raw() != Some(diff_id) {
            // Not a plain layer: it came compressed.
            let actual = self.plain_digest(&member, diff_id)?;
            if actual != diff_id {
                return Err(altered(path.as_bytes(), diff_id, actual));
            }
        }
        let descriptor = self.keep(member, compression.media_type())?;
        self.layers
            .insert(path.to_owned(), (diff_id, descriptor.clone()));
        Ok(descriptor)
    }

    fn member(&self, path: &str) -> Result<Member, ImageArchiveError> {
        self.contents
            .member(path.as_bytes())?
            .ok_or_else(|| ImageArchiveError::Missing {
                path: path.to_owned(),
            })
    }

    fn compression(&self, path: &str, member: &Member) -> Result<Compression, ImageArchiveError> {
        let mut start = Vec::new();
        self.contents
            .open(member)?
            .take(16)
            .read_to_end(&mut start)
            .map_err(|source| super::folder::file_error("read", path.as_ref(), source))?;
        Ok(Compression::of(&start))
    }

    fn plain_digest(&self, member: &Member, like: Digest) -> Result<Digest, ImageArchiveError> {
        let mut plain =
            layer::decompress(self.contents.open(member)?).map_err(ImageArchiveError::Layer)?;
        let mut hasher = Hasher::new(like.algorithm());
        io::copy(&mut plain, &mut hasher)
            .map_err(|source| ImageArchiveError::Layer(LayerError::Read(source)))?;
        Ok(hasher.finish())
    }

    /// Notes that the bytes are needed.
    fn keep(
        &mut self,
        member: Member,
        media_type: MediaType,
    ) -> Result<Descriptor, ImageArchiveError> {
        let digest = match &member {
            Member::File { staged, .. } => staged.digest,
            Member::Held { digest, .. } => *digest,
            Member::Link(target) => {
                return Err(ImageArchiveError::Missing {
                    path: super::member::display(target),
                });
            }
        };
        let descriptor = Descriptor::new(media_type, member.size_bytes(), digest);
        if let Member::File { staged, .. } = member {
            self.blobs.push(staged);
        }
        Ok(descriptor)
    }
}
