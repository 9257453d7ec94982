//! Which layer a step made, by what the step depends on.
//!
//! One small file a step, `DATA/cache/build/steps/HEX`. An entry is a hint, not a truth: it counts
//! only while the content store holds its layer, and one that cannot be read is as good as none.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use sampan_oci::layer::{Layer, LayerOptions};
use sampan_oci::{ContentStore, Descriptor, Digest};
use serde::{Deserialize, Serialize};

use crate::error::IoError;
use crate::fingerprint::Fingerprint;

/// The cache of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    store: ContentStore,
    options: LayerOptions,
}

/// What a step made: a layer, or nothing.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) layer: Option<Layer>,
}

/// The file of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    layer: Option<StoredLayer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredLayer {
    descriptor: Descriptor,
    diff_id: Digest,
}

impl Cache {
    /// The cache for layers that are written with `options`.
    pub(crate) fn open(
        folder: PathBuf,
        store: ContentStore,
        options: LayerOptions,
    ) -> Result<Self, IoError> {
        fs::create_dir_all(&folder).map_err(IoError::new("create", &folder))?;
        Ok(Self {
            folder,
            store,
            options,
        })
    }

    /// The file of a step. The same step gives another layer when layers are written otherwise.
    fn path(&self, key: &Digest) -> PathBuf {
        let epoch = self.options.epoch.unwrap_or_default();
        let digest = Fingerprint::new("step, 1")
            .field(key.to_string())
            .field(self.options.compression.to_string())
            .field(epoch.to_le_bytes())
            .finish();
        self.folder.join(digest.hex())
    }

    /// What the step with this key made, when that is known and still there.
    pub(crate) fn get(&self, key: &Digest) -> Option<Made> {
        let bytes = fs::read(self.path(key)).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        let Some(StoredLayer {
            descriptor,
            diff_id,
        }) = entry.layer
        else {
            return Some(Made { layer: None });
        };
        let digest = Digest::of(&descriptor).ok()?;
        let stored = self.store.keep(&digest).ok()?;
        let layer = Layer {
            descriptor,
            diff_id,
        };
        (stored == Some(layer.descriptor.size())).then_some(Made { layer: Some(layer) })
    }

    /// Remembers what the step with this key made.
    pub(crate) fn put(&self, key: &Digest, layer: Option<&Layer>) -> Result<(), IoError> {
        let path = self.path(key);
        let stored = |layer: &Layer| StoredLayer {
            descriptor: layer.descriptor.clone(),
            diff_id: layer.diff_id,
        };
        let entry = Entry {
            layer: layer.map(stored),
        };
        let write = || {
            let bytes = serde_json::to_vec(&entry)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&bytes)?;
            file.persist(&path)?;
            Ok::<_, io::Error>(())
        };
        write().map_err(IoError::new("write", &path))
    }
}
