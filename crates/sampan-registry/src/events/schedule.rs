//! When a failed delivery is tried again.

use std::time::Duration;

use jiff::Timestamp;
use sampan_supervise::Backoff;

/// How long to wait between attempts, and for how long to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The wait after the first failure; each further one is twice as long.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// All waits of an event together are not longer than this.
    pub patience: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_hours(1),
            patience: Duration::from_hours(24),
        }
    }
}

/// An attempt that has failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed {
    /// Which attempt it was, from 1.
    pub(super) attempt: u32,
    /// When the event happened.
    pub(super) happened_at: Timestamp,
    /// When the attempt ended.
    pub(super) now: Timestamp,
    /// Whether the event before was given up, and nothing has been taken since.
    pub(super) hopeless: bool,
}

impl Schedule {
    /// When to try again what is never given up.
    pub(super) fn again(&self, attempt: u32, now: Timestamp) -> Option<Timestamp> {
        let mut backoff = Backoff::new(self.first, self.longest);
        // By then, every wait is the longest one.
        let delays = (0..attempt.clamp(1, 64)).map(|_| backoff.next_delay());
        now.checked_add(delays.last()?).ok()
    }

    /// When to try again; never when it has been long enough.
    ///
    /// The waits count, not the time since the event: a site that was switched off for a weekend tries as often as
    /// another. But behind an event that was given up, old ones have one attempt each, or a receiver that is gone
    /// would make a queue that never ends.
    pub(super) fn next(&self, failed: Failed) -> Option<Timestamp> {
        let mut backoff = Backoff::new(self.first, self.longest);
        let (mut delay, mut waited) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..failed.attempt {
            delay = backoff.next_delay();
            waited += delay;
            if waited > self.patience {
                return None;
            }
        }
        let age = failed.now.duration_since(failed.happened_at);
        let is_old = Duration::try_from(age).is_ok_and(|age| age > self.patience);
        if failed.hopeless && is_old {
            return None;
        }
        failed.now.checked_add(delay).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(attempt: u32, now: i64, hopeless: bool) -> Failed {
        Failed {
            attempt,
            happened_at: Timestamp::UNIX_EPOCH,
            now: Timestamp::from_second(now).unwrap(),
            hopeless,
        }
    }

    #[test]
    fn waits_double_from_five_seconds_to_an_hour_for_a_day() {
        let schedule = Schedule::default();
        let mut now = 0;
        let mut waits = Vec::new();
        while let Some(next) =
            schedule.next(failed(u32::try_from(waits.len()).unwrap() + 1, now, false))
        {
            waits.push(next.as_second() - now);
            now = next.as_second();
        }
        assert_eq!(waits[..4], [5, 10, 20, 40]);
        assert_eq!(waits[9..12], [2560, 3600, 3600]);
        let day = 24 * 3600;
        assert!(now <= day && now > day - 3600, "{now}");
    }

    #[test]
    fn behind_what_was_given_up_only_the_young_are_tried_again() {
        let schedule = Schedule::default();
        let day = 24 * 3600;
        assert!(schedule.next(failed(1, day - 1, true)).is_some());
        assert!(schedule.next(failed(1, day + 1, true)).is_none());
        assert!(schedule.next(failed(1, day + 1, false)).is_some());
    }
}
