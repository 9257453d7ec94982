//! A lock for each digest, held between the bytes and their row.

use std::sync::Arc;

use sampan_oci::Digest;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// So many that pushes of different blobs hardly ever meet.
const STRIPES: usize = 1024;

/// Locks by digest; cheap to clone. Two digests may share one, so nobody takes two at a time.
#[derive(Debug, Clone)]
pub(crate) struct Locks(Arc<[Arc<Mutex<()>>]>);

impl Locks {
    pub(super) fn new() -> Self {
        Self((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Waits for the lock of a digest.
    pub(crate) async fn lock(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        let bytes = match digest {
            Digest::Sha256(bytes) => &bytes[..],
            Digest::Sha512(bytes) => &bytes[..],
        };
        let stripe = usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) % STRIPES;
        Arc::clone(&self.0[stripe]).lock_owned().await
    }
}
