//! Progress of many blobs at once: one bar for all, and one for each that takes its time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sampan_oci::Digest;
use sampan_registry::client::{Arrival, Watch};

use super::progress::Bar;

/// Shows what a client of registries tells; gone when dropped.
#[derive(Debug)]
pub(crate) struct Transfers {
    area: indicatif::MultiProgress,
    total: Bar,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    blobs: HashMap<Digest, Blob>,
    planned_bytes: u64,
    arrived_bytes: u64,
}

#[derive(Debug)]
struct Blob {
    size_bytes: u64,
    position: u64,
    bar: Bar,
}

impl Transfers {
    pub(super) fn new(area: &indicatif::MultiProgress, label: String) -> Self {
        Self {
            area: area.clone(),
            total: Bar::bytes(area, label, 0),
            state: Mutex::default(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let moving: u64 = state.blobs.values().map(|blob| blob.position).sum();
        self.total.set_total(state.planned_bytes);
        self.total.set_position(state.arrived_bytes + moving);
    }
}

impl Watch for Transfers {
    fn planned(&self, digest: &Digest, size_bytes: u64) {
        self.change(|state| {
            state.planned_bytes += size_bytes;
            let blob = Blob {
                size_bytes,
                position: 0,
                bar: Bar::bytes(&self.area, digest.short(), size_bytes),
            };
            state.blobs.insert(*digest, blob);
        });
    }

    fn position(&self, digest: &Digest, bytes: u64) {
        self.change(|state| {
            if let Some(blob) = state.blobs.get_mut(digest) {
                blob.position = bytes;
                blob.bar.set_position(bytes);
            }
        });
    }

    fn arrived(&self, digest: &Digest, how: Arrival) {
        self.change(|state| {
            let Some(blob) = state.blobs.remove(digest) else {
                return;
            };
            if how == Arrival::Moved {
                state.arrived_bytes += blob.size_bytes;
            } else {
                state.planned_bytes -= blob.size_bytes;
            }
        });
    }
}
