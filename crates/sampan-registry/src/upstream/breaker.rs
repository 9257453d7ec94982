//! Whether an upstream that could not be asked is left alone for a moment.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an upstream that could not be asked is not asked about what is here anyway.
const PAUSE: Duration = Duration::from_secs(15);

/// Remembers that an upstream could not be asked, so that not everybody waits for it in turn.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Option<Instant>>);

impl Breaker {
    /// The upstream has answered.
    pub(super) fn answered(&self) {
        self.set(None);
    }

    /// The upstream has not answered.
    pub(super) fn failed(&self) {
        self.set(Some(Instant::now()));
    }

    /// Whether it is better left alone.
    pub(super) fn is_open(&self) -> bool {
        let failed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|at| at.elapsed() < PAUSE)
    }

    fn set(&self, failed: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }
}
