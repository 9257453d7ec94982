//! How long a container that keeps ending waits before it is started again.

use std::time::Duration;

use jiff::Timestamp;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_mins(5);
/// A container that ran for this long since its last restart starts over.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

/// The restarts of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    last: Option<(Duration, Timestamp)>,
}

impl Backoff {
    /// Until when a container that ended at `finished` has to wait; the first restart is immediate.
    pub(crate) fn until(&self, finished: Timestamp) -> Option<Timestamp> {
        let (delay, since) = self.last?;
        (!is_forgotten(since, finished)).then(|| finished.checked_add(delay).unwrap_or(finished))
    }

    /// The present delay.
    pub(crate) fn delay(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |(delay, _)| delay)
    }

    /// A container that ended at `finished` is restarted at `now`: the next restart waits longer.
    pub(crate) fn restarted(&mut self, finished: Timestamp, now: Timestamp) {
        let delay = match self.last {
            Some((delay, since)) if !is_forgotten(since, finished) => (delay * 2).min(LONGEST),
            _ => FIRST,
        };
        self.last = Some((delay, now));
    }
}

fn is_forgotten(since: Timestamp, finished: Timestamp) -> bool {
    let quiet = finished.duration_since(since);
    Duration::try_from(quiet).is_ok_and(|quiet| quiet > FORGOTTEN_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn delays_double_from_ten_seconds_to_five_minutes() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.until(at(0)), None, "the first restart is immediate");
        let mut now = 0;
        let mut delays = Vec::new();
        for _ in 0..7 {
            backoff.restarted(at(now), at(now));
            now = backoff.until(at(now)).unwrap().as_second();
            delays.push(backoff.delay().as_secs());
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn a_long_run_is_forgiven() {
        let mut backoff = Backoff::default();
        backoff.restarted(at(0), at(0));
        backoff.restarted(at(10), at(10));
        assert_eq!(backoff.until(at(700)), None);
        backoff.restarted(at(700), at(700));
        assert_eq!(backoff.delay(), FIRST);
    }
}
