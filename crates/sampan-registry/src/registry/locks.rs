//! A lock for each digest, held between the bytes and their row.

use std::collections::BTreeSet;
use std::sync::Arc;

use sampan_oci::Digest;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// So many that pushes of different blobs hardly ever meet.
const STRIPES: usize = 4096;

/// Locks by digest; cheap to clone. Two digests may share one, so nobody takes a second one after the first: who needs
/// several takes them at once.
#[derive(Debug, Clone)]
pub(crate) struct Locks(Arc<[Arc<Mutex<()>>]>);

impl Locks {
    pub(super) fn new() -> Self {
        Self((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Waits for the lock of a digest.
    pub(crate) async fn lock(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        self.take(stripe(digest)).await
    }

    /// Waits for the locks of several digests. They are taken in one order, so that nobody waits in a circle.
    pub(crate) async fn lock_all(&self, digests: &[Digest]) -> Vec<OwnedMutexGuard<()>> {
        let stripes: BTreeSet<usize> = digests.iter().map(stripe).collect();
        let mut locks = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            locks.push(self.take(stripe).await);
        }
        locks
    }

    async fn take(&self, stripe: usize) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0[stripe]).lock_owned().await
    }
}

fn stripe(digest: &Digest) -> usize {
    let bytes = match digest {
        Digest::Sha256(bytes) => &bytes[..],
        Digest::Sha512(bytes) => &bytes[..],
    };
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) % STRIPES
}
