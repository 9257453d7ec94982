//! Waiting for a condition instead of sleeping.

use std::time::{Duration, Instant};

/// Tries until `attempt` gives a value; fails the test after `limit`, naming what was awaited.
#[track_caller]
pub fn eventually<T>(what: &str, limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {limit:?} in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
