//! A queue of keys to reconcile: each key once, at once or later, failures with growing delays.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// The delay after a first failure.
const FIRST_DELAY: Duration = Duration::from_millis(50);
/// The longest delay after failures.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// The namespace, empty for kinds that have none.
    pub(crate) namespace: String,
    /// The name.
    pub(crate) name: String,
}

impl Key {
    /// A key of these two parts.
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The namespace as the typed access wants it.
    pub(crate) fn namespace(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(&self.namespace)
    }
}

/// Keys that wait. It holds each key at most once in each form, so the number of objects bounds it.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    ready: VecDeque<Key>,
    queued: BTreeSet<Key>,
    later: BTreeMap<Key, Instant>,
    failures: BTreeMap<Key, u32>,
}

impl Queue {
    /// Wants a key reconciled soon.
    pub(crate) fn push(&mut self, key: Key) {
        if self.queued.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    /// Wants a key reconciled at a time; of two times the earlier counts.
    pub(crate) fn push_at(&mut self, key: Key, at: Instant) {
        self.later
            .entry(key)
            .and_modify(|old| *old = at.min(*old))
            .or_insert(at);
    }

    /// Takes the next key that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Key> {
        let due: Vec<Key> = self
            .later
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            self.later.remove(&key);
            self.push(key);
        }
        let key = self.ready.pop_front()?;
        self.queued.remove(&key);
        Some(key)
    }

    /// When the next key becomes due, if none is due already.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.later.values().min().copied()
    }

    /// A key was reconciled: its failures are forgotten.
    pub(crate) fn succeeded(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// A key could not be reconciled: it comes again, each time later.
    pub(crate) fn failed(&mut self, key: Key, now: Instant) {
        let count = self.failures.entry(key.clone()).or_default();
        let delay = FIRST_DELAY
            .saturating_mul(2_u32.saturating_pow(*count))
            .min(LONGEST_DELAY);
        *count = count.saturating_add(1);
        self.push_at(key, now + delay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("default", name)
    }

    #[test]
    fn each_key_waits_once_and_in_order() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for name in ["a", "b", "a"] {
            queue.push(key(name));
        }
        assert_eq!(queue.pop(now), Some(key("a")));
        queue.push(key("a"));
        assert_eq!(queue.pop(now), Some(key("b")));
        assert_eq!(queue.pop(now), Some(key("a")));
        assert_eq!(queue.pop(now), None);
    }

    #[test]
    fn failures_come_back_later_each_time() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.failed(key("a"), now);
        assert_eq!(queue.pop(now), None);
        assert_eq!(queue.next_due(), Some(now + FIRST_DELAY));
        assert_eq!(queue.pop(now + FIRST_DELAY), Some(key("a")));
        queue.failed(key("a"), now);
        assert_eq!(queue.next_due(), Some(now + 2 * FIRST_DELAY));
        queue.push_at(key("a"), now);
        assert_eq!(queue.next_due(), Some(now));
        for _ in 0..40 {
            queue.failed(key("b"), now);
        }
        queue.pop(now);
        assert!(queue.next_due() <= Some(now + LONGEST_DELAY));
    }
}
