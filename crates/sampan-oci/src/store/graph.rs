//! What leads to what.

use std::collections::HashSet;

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};

use super::{ContentStore, StoreError};
use crate::digest::Digest;
use crate::image::DocumentKind;

/// A release leads to an index of an image at most: three levels of documents.
const DEPTH_LIMIT: usize = 8;

pub(super) fn reachable(
    store: &ContentStore,
    descriptor: &Descriptor,
) -> Result<Vec<Descriptor>, StoreError> {
    let mut walk = Walk {
        store,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    walk.visit(descriptor, 0)?;
    Ok(walk.found)
}

pub(super) fn missing(
    store: &ContentStore,
    descriptor: &Descriptor,
) -> Result<Vec<Digest>, StoreError> {
    let reachable = match reachable(store, descriptor) {
        Ok(reachable) => reachable,
        Err(StoreError::Missing { digest }) => return Ok(vec![digest]),
        Err(error) => return Err(error),
    };
    let mut missing = Vec::new();
    for part in reachable {
        let digest = Digest::of(&part)?;
        if store.size(&digest)? != Some(part.size()) {
            missing.push(digest);
        }
    }
    Ok(missing)
}

struct Walk<'store> {
    store: &'store ContentStore,
    seen: HashSet<Digest>,
    found: Vec<Descriptor>,
}

impl Walk<'_> {
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), StoreError> {
        let digest = Digest::of(descriptor)?;
        if !self.seen.insert(digest) {
            return Ok(());
        }
        if depth > DEPTH_LIMIT {
            return Err(StoreError::Nested { digest });
        }
        match DocumentKind::of(descriptor.media_type()) {
            DocumentKind::Leaf => {}
            DocumentKind::Index => {
                let index: ImageIndex = self.store.read_json(descriptor)?;
                for child in index.manifests() {
                    self.visit(child, depth + 1)?;
                }
            }
            DocumentKind::Manifest => {
                let manifest: ImageManifest = self.store.read_json(descriptor)?;
                for child in manifest.layers() {
                    self.visit(child, depth + 1)?;
                }
                self.visit(manifest.config(), depth + 1)?;
            }
        }
        self.found.push(descriptor.clone());
        Ok(())
    }
}
