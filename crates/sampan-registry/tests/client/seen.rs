//! Who watches a transfer, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use sampan_oci::Digest;
use sampan_registry::client::{Arrival, Watch};

/// What was told of one blob.
struct Blob {
    size: u64,
    position: u64,
    arrival: Option<Arrival>,
}

/// Remembers what it was told.
#[derive(Default)]
pub(crate) struct Seen {
    blobs: Mutex<BTreeMap<Digest, Blob>>,
    /// How many bytes were planned when the first of them came.
    planned_first: OnceLock<u64>,
}

impl Seen {
    pub(crate) fn planned_bytes(&self) -> u64 {
        self.blobs
            .lock()
            .unwrap()
            .values()
            .map(|blob| blob.size)
            .sum()
    }

    /// How many bytes were planned when the first of them came.
    pub(crate) fn planned_first(&self) -> u64 {
        *self.planned_first.get().unwrap()
    }

    /// Whether every blob that was planned came wholly, in this way.
    pub(crate) fn all_arrived(&self, how: Arrival) -> bool {
        let blobs = self.blobs.lock().unwrap();
        blobs
            .values()
            .all(|blob| blob.size == blob.position && blob.arrival == Some(how))
    }
}

impl Watch for Seen {
    fn planned(&self, blob: &Digest, size_bytes: u64) {
        let planned = Blob {
            size: size_bytes,
            position: 0,
            arrival: None,
        };
        self.blobs.lock().unwrap().insert(*blob, planned);
    }

    fn position(&self, blob: &Digest, bytes: u64) {
        self.planned_first.get_or_init(|| self.planned_bytes());
        self.blobs.lock().unwrap().get_mut(blob).unwrap().position = bytes;
    }

    fn arrived(&self, blob: &Digest, how: Arrival) {
        if let Some(blob) = self.blobs.lock().unwrap().get_mut(blob) {
            blob.arrival = Some(how);
        }
    }
}
