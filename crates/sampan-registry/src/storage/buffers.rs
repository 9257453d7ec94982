//! Memory for bytes on their way: large buffers while there is room for them, small ones when there is not.
//!
//! Nobody ever waits for memory. A server full of slow clients would otherwise stand still, as each holds what the others
//! wait for; with small buffers it goes on, at a lower speed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const LARGE_BYTES: usize = 256 << 10;
const SMALL_BYTES: usize = 16 << 10;
/// How many large buffers are kept for the next reader.
const IDLE_LIMIT: usize = 8;

/// How many bytes may be held in large units at a time; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limit_bytes: usize,
    used_bytes: AtomicUsize,
}

/// Bytes taken from a budget, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self(Arc::new(Account {
            limit_bytes,
            used_bytes: AtomicUsize::new(0),
        }))
    }

    /// Takes bytes if they are left.
    pub(crate) fn take(&self, bytes: usize) -> Option<Share> {
        self.reserve(bytes).then(|| Share {
            budget: self.clone(),
            bytes,
        })
    }

    fn reserve(&self, bytes: usize) -> bool {
        let fits = |used: usize| Some(used + bytes).filter(|used| *used <= self.0.limit_bytes);
        let used = &self.0.used_bytes;
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_ok()
    }

    /// How many bytes are taken.
    pub(crate) fn used_bytes(&self) -> usize {
        self.0.used_bytes.load(Ordering::Relaxed)
    }
}

impl Share {
    /// Takes more bytes if they are left; says whether they were.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let grown = self.budget.reserve(bytes);
        if grown {
            self.bytes += bytes;
        }
        grown
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget
            .0
            .used_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Buffers for reading, used again and again; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Buffers {
    budget: Budget,
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A buffer with bytes at its front.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    filled: usize,
    /// A large buffer goes back to the others.
    home: Option<(Buffers, Share)>,
}

impl Buffers {
    /// Buffers within `budget`.
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            idle: Arc::default(),
        }
    }

    /// A buffer for `wanted` bytes or fewer.
    pub(crate) fn get(&self, wanted: u64) -> Buffer {
        let share = (wanted > SMALL_BYTES as u64)
            .then(|| self.budget.take(LARGE_BYTES))
            .flatten();
        let Some(share) = share else {
            let length =
                usize::try_from(wanted).map_or(SMALL_BYTES, |wanted| wanted.min(SMALL_BYTES));
            return Buffer {
                memory: vec![0; length],
                filled: 0,
                home: None,
            };
        };
        let idle = self.lock().pop();
        Buffer {
            memory: idle.unwrap_or_else(|| vec![0; LARGE_BYTES]),
            filled: 0,
            home: Some((self.clone(), share)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// The part to read into, at most `limit` bytes.
    pub(crate) fn space(&mut self, limit: u64) -> &mut [u8] {
        let length =
            usize::try_from(limit).map_or(self.memory.len(), |limit| limit.min(self.memory.len()));
        &mut self.memory[..length]
    }

    /// Says how many bytes were read into it.
    pub(crate) fn filled(mut self, bytes: usize) -> Self {
        self.filled = bytes.min(self.memory.len());
        self
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some((buffers, _share)) = self.home.take() {
            let mut idle = buffers.lock();
            if idle.len() < IDLE_LIMIT {
                idle.push(std::mem::take(&mut self.memory));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_room_buffers_are_small_and_room_comes_back() {
        let budget = Budget::new(LARGE_BYTES);
        let buffers = Buffers::new(budget.clone());
        let mut first = buffers.get(1 << 20);
        assert_eq!(first.space(u64::MAX).len(), LARGE_BYTES);
        let mut second = buffers.get(1 << 20);
        assert_eq!(second.space(u64::MAX).len(), SMALL_BYTES);
        let bytes = bytes::Bytes::from_owner(first.filled(3));
        assert_eq!(bytes.len(), 3);
        assert_eq!(budget.used_bytes(), LARGE_BYTES);
        drop(bytes);
        assert_eq!(budget.used_bytes(), 0);
        assert_eq!(buffers.get(1 << 20).space(5).len(), 5);
    }
}
