//! So many successes or failures in a row make a verdict. Pure.

/// Counts outcomes.
#[derive(Debug)]
pub(super) struct Thresholds {
    verdict: bool,
    reported: bool,
    was_up: bool,
    success: i32,
    failure: i32,
    run: i32,
    last: Option<bool>,
}

impl Thresholds {
    /// Thresholds around a verdict that holds at first.
    pub(super) fn new(verdict: bool, success: i32, failure: i32) -> Self {
        Self {
            verdict,
            reported: false,
            was_up: verdict,
            success: success.max(1),
            failure: failure.max(1),
            run: 0,
            last: None,
        }
    }

    /// Counts one outcome; returns the verdict when it is new.
    pub(super) fn observe(&mut self, success: bool) -> Option<bool> {
        self.run = if self.last == Some(success) {
            self.run.saturating_add(1)
        } else {
            1
        };
        self.last = Some(success);
        let needed = if success { self.success } else { self.failure };
        if self.run < needed || (self.reported && self.verdict == success) {
            return None;
        }
        let new = self.verdict != success || !self.reported;
        self.verdict = success;
        self.reported = true;
        self.was_up |= success;
        new.then_some(success)
    }

    /// Whether it has ever been good.
    pub(super) fn was_up(&self) -> bool {
        self.was_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(mut thresholds: Thresholds, outcomes: &str) -> Vec<Option<bool>> {
        outcomes
            .chars()
            .map(|outcome| thresholds.observe(outcome == '+'))
            .collect()
    }

    #[test]
    fn a_verdict_needs_its_number_of_outcomes_in_a_row() {
        let (up, down) = (Some(true), Some(false));
        assert_eq!(
            verdicts(Thresholds::new(false, 2, 3), "+++-+---+"),
            [None, up, None, None, None, None, None, down, None]
        );
        assert_eq!(
            verdicts(Thresholds::new(true, 1, 3), "--+---"),
            [None, None, up, None, None, down]
        );
    }

    #[test]
    fn the_first_verdict_is_told_even_when_it_was_expected() {
        assert_eq!(
            verdicts(Thresholds::new(true, 1, 1), "++"),
            [Some(true), None]
        );
    }
}
