//! When a cron job is due: five fields or a macro, in a time zone.
//!
//! The fields are those of the standard cron format (minute, hour, day of month, month, day of week) with lists, ranges
//! and steps. As everywhere, a day counts when either day field names it, unless one of them is a star: then both must.

mod field;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

use field::{DAY_OF_MONTH, DAY_OF_WEEK, Field, HOUR, MINUTE, MONTH};

/// How far ahead a next moment is looked for; a schedule such as 30 February has none.
const HORIZON_YEARS: i16 = 5;

/// Why a schedule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScheduleError {
    /// It does not have five fields.
    #[error("expected exactly 5 fields, found {found}: [{text}]")]
    Fields {
        /// How many it has.
        found: usize,
        /// The schedule.
        text: String,
    },
    /// A macro that does not exist.
    #[error("unrecognized descriptor: {0}")]
    Macro(String),
    /// The duration of `@every` cannot be read.
    #[error("failed to parse duration {0}")]
    Duration(String),
    /// A part of a field is no number.
    #[error("failed to parse int from {0}")]
    Number(String),
    /// A part of a field has too many hyphens or slashes.
    #[error("too many {sign} in {text}")]
    TooMany {
        /// `hyphens` or `slashes`.
        sign: &'static str,
        /// The part.
        text: String,
    },
    /// A number that the field cannot have.
    #[error("{what} ({number}) {side} {limit}: {text}")]
    Bounds {
        /// Which end of a range.
        what: &'static str,
        /// The number.
        number: u8,
        /// Below the minimum, above the maximum or beyond its other end.
        side: &'static str,
        /// What it is compared with.
        limit: String,
        /// The part.
        text: String,
    },
    /// A step of zero.
    #[error("step of range should be a positive number: {0}")]
    Step(String),
}

/// When something is due.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Schedule {
    /// At certain minutes.
    Calendar(Box<Calendar>),
    /// Again and again after a time, in seconds.
    Every(i64),
}

/// The minutes at which something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Calendar {
    minute: Field,
    hour: Field,
    day_of_month: Field,
    month: Field,
    day_of_week: Field,
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// [`ScheduleError`], which says what is wrong in the words of Kubernetes.
    pub(crate) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fields = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text if text.starts_with('@') => return every(text),
            text => text,
        };
        let parts: Vec<&str> = fields.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = parts[..] else {
            return Err(ScheduleError::Fields {
                found: parts.len(),
                text: text.to_owned(),
            });
        };
        Ok(Self::Calendar(Box::new(Calendar {
            minute: Field::parse(minute, &MINUTE)?,
            hour: Field::parse(hour, &HOUR)?,
            day_of_month: Field::parse(day_of_month, &DAY_OF_MONTH)?,
            month: Field::parse(month, &MONTH)?,
            day_of_week: Field::parse(day_of_week, &DAY_OF_WEEK)?,
        })))
    }

    /// The first moment after another one, `None` when there is none within years.
    pub(crate) fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(seconds) => {
                let whole = Timestamp::from_second(after.as_second()).ok()?;
                whole.checked_add(SignedDuration::from_secs(*seconds)).ok()
            }
            Self::Calendar(calendar) => calendar.next(after, zone),
        }
    }

    /// The last moment after `since` that is not after `now`.
    pub(crate) fn last(
        &self,
        since: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        if let Self::Every(seconds) = self {
            let times = (now.as_second() - since.as_second()).max(0) / seconds;
            let last = Timestamp::from_second(since.as_second() + times * seconds).ok()?;
            return (times > 0).then_some(last);
        }
        // Backwards in windows that double: the first that holds a moment holds the last one.
        let mut end = now;
        let mut width = SignedDuration::from_mins(2);
        while end > since {
            let start = end.checked_sub(width).unwrap_or(Timestamp::MIN).max(since);
            let mut found = None;
            let mut from = start;
            while let Some(at) = self.next(from, zone).filter(|at| *at <= end) {
                found = Some(at);
                from = at;
            }
            if found.is_some() {
                return found;
            }
            end = start;
            width = width.saturating_mul(2);
        }
        None
    }
}

/// `@every 1h30m`.
fn every(text: &str) -> Result<Schedule, ScheduleError> {
    let Some(duration) = text.strip_prefix("@every ") else {
        return Err(ScheduleError::Macro(text.to_owned()));
    };
    let seconds = duration
        .parse::<SignedDuration>()
        .map_err(|_| ScheduleError::Duration(text.to_owned()))?
        .as_secs();
    Ok(Schedule::Every(seconds.max(1)))
}

impl Calendar {
    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = after.as_second().div_euclid(60) + 1;
        let mut at = Timestamp::from_second(minute * 60)
            .ok()?
            .to_zoned(zone.clone());
        let horizon = at.year().checked_add(HORIZON_YEARS)?;
        // Each step goes to the beginning of the next month, day, hour or minute, in the time that passes: hours that
        // clocks leap over never come, and those that come twice count twice.
        while at.year() <= horizon {
            at = if !self.month.has(at.month()) {
                at.first_of_month()
                    .ok()?
                    .checked_add(1.month())
                    .ok()?
                    .start_of_day()
                    .ok()?
            } else if !self.has_day(&at) {
                at.tomorrow().ok()?.start_of_day().ok()?
            } else if !self.hour.has(at.hour()) {
                at.checked_add(i64::from(60 - at.minute()).minutes()).ok()?
            } else if !self.minute.has(at.minute()) {
                at.checked_add(1.minute()).ok()?
            } else {
                return Some(at.timestamp());
            };
        }
        None
    }

    fn has_day(&self, at: &Zoned) -> bool {
        let of_month = self.day_of_month.has(at.day());
        let of_week = self.day_of_week.has(at.weekday().to_sunday_zero_offset());
        if self.day_of_month.is_star() || self.day_of_week.is_star() {
            of_month && of_week
        } else {
            of_month || of_week
        }
    }
}

#[cfg(test)]
mod tests;
