//! What is pushed: random bytes that no push before had, and their digest.

use std::io::{Error, Result};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// A blob of its own content.
pub(crate) struct Blob {
    pub(crate) bytes: Vec<u8>,
    /// `sha256:…`
    pub(crate) digest: String,
}

/// Makes `count` blobs of `size_bytes` each, on as many threads as clients will push them.
pub(crate) fn make(count: usize, size_bytes: usize, threads: usize) -> Result<Vec<Blob>> {
    std::thread::scope(|scope| {
        let share = count.div_ceil(threads);
        let making: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mine = share.min(count.saturating_sub(thread * share));
                    (0..mine)
                        .map(|_| Blob::random(size_bytes))
                        .collect::<Result<Vec<Blob>>>()
                })
            })
            .collect();
        let mut blobs = Vec::with_capacity(count);
        for thread in making {
            blobs.extend(thread.join().expect("making a blob does not panic")?);
        }
        Ok(blobs)
    })
}

impl Blob {
    pub(crate) fn random(size_bytes: usize) -> Result<Self> {
        let mut seed = [0; 8];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| Error::other("no random numbers"))?;
        let mut state = u64::from_le_bytes(seed);
        let mut bytes = vec![0; size_bytes];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&next(&mut state).to_le_bytes()[..chunk.len()]);
        }
        let digest = format!("sha256:{}", hex::encode(digest(&SHA256, &bytes)));
        Ok(Self { bytes, digest })
    }
}

/// `SplitMix64` (Steele, Lea and Flood): nobody can compress it, and it costs nothing.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
