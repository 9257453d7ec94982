//! Who watches a transfer is told what is planned, how far each blob has come, and how it went.

use sampan_oci::Digest;
use serde::Serialize;

/// How a blob came to where it was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Its bytes were moved.
    Moved,
    /// It was there already.
    Present,
    /// The registry took it from another repository of its own.
    Mounted,
}

/// Is told how a transfer goes; called often, from any thread, and must not block.
pub trait Watch: Send + Sync {
    /// A blob of `size_bytes` shall be moved.
    fn planned(&self, blob: &Digest, size_bytes: u64);
    /// So many bytes of the blob have come through; also less than before, when it must begin again.
    fn position(&self, blob: &Digest, bytes: u64);
    /// The blob is where it was wanted.
    fn arrived(&self, blob: &Digest, how: Arrival);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn planned(&self, _: &Digest, _: u64) {}
    fn position(&self, _: &Digest, _: u64) {}
    fn arrived(&self, _: &Digest, _: Arrival) {}
}

/// What a transfer has moved, all in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Blobs whose bytes were moved.
    pub moved_blobs: u64,
    /// The sizes of these, in bytes.
    pub moved_bytes: u64,
    /// Blobs that were there already.
    pub present_blobs: u64,
    /// Blobs that the registry took from another repository.
    pub mounted_blobs: u64,
    /// Manifests and indexes that were written.
    pub manifests: u64,
}

impl Totals {
    pub(super) fn count(&mut self, how: Arrival, size_bytes: u64) {
        match how {
            Arrival::Moved => {
                self.moved_blobs += 1;
                self.moved_bytes += size_bytes;
            }
            Arrival::Present => self.present_blobs += 1,
            Arrival::Mounted => self.mounted_blobs += 1,
        }
    }
}
