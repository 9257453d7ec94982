//! A lock for each digest, held between the bytes and their row.

use std::collections::HashMap;
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
    pub(crate) fn new() -> Self {
        Self((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Waits for the lock of a digest.
    pub(crate) async fn lock(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0[stripe(digest)]).lock_owned().await
    }

    /// Takes the locks of several digests, as far as nobody has them; says which digests are locked.
    pub(crate) fn try_lock_all(
        &self,
        digests: &[Digest],
    ) -> (Vec<OwnedMutexGuard<()>>, Vec<Digest>) {
        let mut locks = HashMap::new();
        let locked = digests.iter().filter(|digest| {
            let stripe = stripe(digest);
            let lock = locks
                .entry(stripe)
                .or_insert_with(|| Arc::clone(&self.0[stripe]).try_lock_owned().ok());
            lock.is_some()
        });
        let locked = locked.copied().collect();
        (locks.into_values().flatten().collect(), locked)
    }
}

fn stripe(digest: &Digest) -> usize {
    let bytes = match digest {
        Digest::Sha256(bytes) => &bytes[..],
        Digest::Sha512(bytes) => &bytes[..],
    };
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) % STRIPES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_locked_is_left_out_and_nobody_waits() {
        let locks = Locks::new();
        let digests: Vec<Digest> = (0..200_u8).map(|seed| Digest::of_bytes(&[seed])).collect();
        let pushed = locks.lock(&digests[7]).await;
        let (held, locked) = locks.try_lock_all(&digests);
        assert!(!locked.contains(&digests[7]));
        assert!(locked.len() > 150 && held.len() <= locked.len());
        drop(pushed);
        assert_eq!(locks.try_lock_all(&digests[7..8]).1, digests[7..8]);
        assert_eq!(locks.try_lock_all(&digests[8..9]).1, []);
    }
}
