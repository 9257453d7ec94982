//! A point in time and the zone that it is shown in.

use sampan_model::go_time::Shown;

use super::calendar::{Date, date_of, days_since_1970, weekday};
use super::zone::Zone;

const DAY_SECONDS: i64 = 86_400;

/// The seconds from the year 1 to 1970.
const ZERO_UNIX: i64 = -62_135_596_800;

/// A point in time: Go's `time.Time`.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    unix: i64,
    nanoseconds: i64,
    zone: Zone,
}

/// What clocks show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Moment {
    pub(super) fn now() -> Self {
        let now = jiff::Timestamp::now();
        let nanoseconds = i64::from(now.subsec_nanosecond());
        Self {
            unix: now.as_second(),
            nanoseconds,
            zone: Zone::local(),
        }
    }

    /// The first instant of the year 1, which Go has for no time.
    pub(super) fn zero() -> Self {
        Self::from_unix(ZERO_UNIX, Zone::Utc)
    }

    pub(super) fn from_unix(unix: i64, zone: Zone) -> Self {
        Self {
            unix,
            nanoseconds: 0,
            zone,
        }
    }

    /// The instant at which clocks of a zone show a date and a time, given in seconds of the day.
    pub(super) fn shown(date: (i64, i64, i64), second: i64, nanoseconds: i64, zone: Zone) -> Self {
        let (year, month, day) = date;
        let shown = days_since_1970(year, month, day) * DAY_SECONDS + second;
        Self {
            unix: zone.instant_of(shown),
            nanoseconds,
            zone,
        }
    }

    pub(super) fn unix(&self) -> i64 {
        self.unix
    }

    pub(super) fn nanoseconds(&self) -> i64 {
        self.nanoseconds
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(super) fn in_zone(&self, zone: Zone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        (self.unix, self.nanoseconds) == (ZERO_UNIX, 0)
    }

    /// So many nanoseconds later.
    pub(super) fn plus(&self, nanoseconds: i64) -> Self {
        let total = i128::from(self.nanoseconds) + i128::from(nanoseconds);
        let seconds = i64::try_from(total.div_euclid(1_000_000_000)).unwrap_or_default();
        let nanoseconds = i64::try_from(total.rem_euclid(1_000_000_000)).unwrap_or_default();
        let unix = self.unix.wrapping_add(seconds);
        Self {
            unix,
            nanoseconds,
            zone: self.zone.clone(),
        }
    }

    /// The time from another until this one in nanoseconds, as far as a duration goes.
    pub(super) fn since(&self, other: &Self) -> i64 {
        let nanoseconds = self.total() - other.total();
        let limit = if nanoseconds < 0 { i64::MIN } else { i64::MAX };
        i64::try_from(nanoseconds).unwrap_or(limit)
    }

    /// Nanoseconds since 1970.
    pub(super) fn total(&self) -> i128 {
        i128::from(self.unix) * 1_000_000_000 + i128::from(self.nanoseconds)
    }

    /// The offset from UTC in seconds, and the zone's abbreviation.
    pub(super) fn offset(&self) -> (i64, String) {
        self.zone.at(self.unix)
    }

    fn shown_seconds(&self) -> i64 {
        self.unix.saturating_add(self.offset().0)
    }

    fn days(&self) -> i64 {
        self.shown_seconds().div_euclid(DAY_SECONDS)
    }

    /// What calendars and clocks of its zone show.
    pub(super) fn shown_parts(&self) -> Shown {
        let (date, clock) = (self.date(), self.clock());
        let (offset_seconds, zone) = self.offset();
        Shown {
            year: date.year,
            month: date.month,
            day: date.day,
            year_day: date.year_day,
            weekday: self.weekday(),
            hour: clock.hour,
            minute: clock.minute,
            second: clock.second,
            nanoseconds: self.nanoseconds,
            offset_seconds,
            zone,
        }
    }

    pub(super) fn date(&self) -> Date {
        date_of(self.days())
    }

    pub(super) fn weekday(&self) -> i64 {
        weekday(self.days())
    }

    pub(super) fn clock(&self) -> Clock {
        let second = self.shown_seconds().rem_euclid(DAY_SECONDS);
        Clock {
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }
}
