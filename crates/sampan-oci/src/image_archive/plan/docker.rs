//! An archive as `docker save` writes it.
//!
//! `manifest.json` is what tools read today. `repositories` and the folders with `VERSION`, `json`
//! and `layer.tar` are how docker before 1.10 knew images, and still written by all.

use std::collections::{BTreeMap, HashMap, HashSet};

use oci_spec::image::{Descriptor, ImageManifest};
use serde_json::{Value, json};

use super::{Content, Part, SavedImage, altered, measure};
use crate::archive::Entry;
use crate::digest::Digest;
use crate::image::{DOCUMENT_LIMIT_BYTES, Image};
use crate::image_archive::docker::Item;
use crate::image_archive::{DOCKER_FILE, DOCKER_NAMES_FILE, ImageArchiveError};
use crate::reference::Reference;
use crate::store::{ContentStore, StoreError};

/// The time of layers that say none.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

pub(super) fn plan(
    store: &ContentStore,
    images: &[SavedImage],
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Part>, ImageArchiveError> {
    let mut planning = Planning {
        store,
        progress,
        items: Vec::new(),
        known: HashMap::new(),
        names: BTreeMap::new(),
        seen: HashSet::new(),
        documents: Vec::new(),
        layers: Vec::new(),
    };
    for image in images {
        planning.add(image)?;
    }
    let mut parts = vec![Part::json(DOCKER_FILE, &planning.items)?];
    if !planning.names.is_empty() {
        parts.push(Part::json(DOCKER_NAMES_FILE, &planning.names)?);
    }
    parts.append(&mut planning.documents);
    parts.append(&mut planning.layers);
    Ok(parts)
}

struct Planning<'call> {
    store: &'call ContentStore,
    progress: &'call mut dyn FnMut(u64),
    items: Vec<Item>,
    /// Where in `items` the image with this configuration stands.
    known: HashMap<Digest, usize>,
    /// The top layer by name and tag, for old readers.
    names: BTreeMap<String, BTreeMap<String, String>>,
    /// The paths that are planned.
    seen: HashSet<String>,
    documents: Vec<Part>,
    layers: Vec<Part>,
}

impl Planning<'_> {
    fn add(&mut self, saved: &SavedImage) -> Result<(), ImageArchiveError> {
        let image = self.store.image(&saved.descriptor)?;
        let config = Digest::of(image.manifest.config())?;
        let diff_ids = image.diff_ids()?;
        check_count(&image.manifest, diff_ids.len(), &config)?;
        for (layer, diff_id) in image.manifest.layers().iter().zip(&diff_ids) {
            self.add_layer(layer, diff_id)?;
        }
        let bytes = self.store.read(&config, DOCUMENT_LIMIT_BYTES)?;
        let config_path = format!("{}.json", config.hex());
        let top = self.add_old_folders(&image, &config, &diff_ids)?;
        for (name, tag) in saved.names.iter().filter_map(name_and_tag) {
            if let Some(top) = &top {
                let tags = self.names.entry(name).or_default();
                tags.insert(tag, top.clone());
            }
        }
        let names = saved.names.iter().map(Reference::familiar);
        if let Some(known) = self.known.get(&config) {
            let tags = self.items[*known].repo_tags.get_or_insert_default();
            tags.extend(names);
            return Ok(());
        }
        self.known.insert(config, self.items.len());
        self.documents.push(Part::bytes(&config_path, bytes));
        self.items.push(Item {
            config: config_path,
            repo_tags: Some(names.collect()),
            layers: Some(diff_ids.iter().map(layer_path).collect()),
        });
        Ok(())
    }

    fn add_layer(&mut self, layer: &Descriptor, diff_id: &Digest) -> Result<(), ImageArchiveError> {
        let path = layer_path(diff_id);
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        let blob = Digest::of(layer)?;
        let (size_bytes, actual) = measure(self.store, &blob, diff_id, self.progress)?;
        if actual != *diff_id {
            return Err(altered(path.as_bytes(), *diff_id, actual));
        }
        self.layers.push(Part {
            entry: Entry::file(&path, size_bytes),
            content: Content::Layer {
                blob,
                diff_id: *diff_id,
            },
        });
        Ok(())
    }

    /// Adds a folder for each layer, and gives the name of the top one.
    fn add_old_folders(
        &mut self,
        image: &Image,
        config: &Digest,
        diff_ids: &[Digest],
    ) -> Result<Option<String>, ImageArchiveError> {
        let mut parent: Option<String> = None;
        for (number, diff_id) in diff_ids.iter().enumerate() {
            let is_top = number + 1 == diff_ids.len();
            let identity = json!({
                "parent": parent, "layer": diff_id, "config": is_top.then_some(config),
            });
            let id = Digest::of_bytes(&canonical(&identity)?).hex();
            if self.seen.insert(id.clone()) {
                let document = old_document(image, &id, parent.as_deref(), is_top)?;
                self.documents.push(Part::directory(&id));
                self.documents
                    .push(Part::bytes(&format!("{id}/VERSION"), b"1.0".to_vec()));
                self.documents
                    .push(Part::json(&format!("{id}/json"), &document)?);
                let target = format!("../{}", layer_path(diff_id));
                self.documents
                    .push(Part::link(&format!("{id}/layer.tar"), &target));
            }
            parent = Some(id);
        }
        Ok(parent)
    }
}

/// What docker before 1.10 knew of a layer; the top one says all of the image.
fn old_document(
    image: &Image,
    id: &str,
    parent: Option<&str>,
    is_top: bool,
) -> Result<Value, ImageArchiveError> {
    let mut document = json!({"id": id, "created": NO_TIME, "container_config": {"Cmd": [""]}});
    if is_top {
        let config = serde_json::to_value(&image.config)
            .map_err(|source| StoreError::Serialize { source })?;
        for key in ["architecture", "os", "created", "author", "config"] {
            if let Some(value) = config.get(key) {
                document[key] = value.clone();
            }
        }
    }
    if let Some(parent) = parent {
        document["parent"] = json!(parent);
    }
    Ok(document)
}

fn canonical(value: &Value) -> Result<Vec<u8>, ImageArchiveError> {
    Ok(crate::json::canonical(value).map_err(|source| StoreError::Serialize { source })?)
}

fn layer_path(diff_id: &Digest) -> String {
    format!("{}.tar", diff_id.hex())
}

fn name_and_tag(name: &Reference) -> Option<(String, String)> {
    Some((name.familiar_name(), name.tag()?.to_owned()))
}

fn check_count(
    manifest: &ImageManifest,
    diff_ids: usize,
    config: &Digest,
) -> Result<(), ImageArchiveError> {
    let layers = manifest.layers().len();
    if layers == diff_ids {
        return Ok(());
    }
    Err(ImageArchiveError::LayerCount {
        image: config.to_string(),
        layers,
        diff_ids,
    })
}
