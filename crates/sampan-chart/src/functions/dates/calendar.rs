//! The calendar without zones: days since 1970 and dates, for any year.

/// The days before each month of a common year.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// The day of the year, from 1.
    pub(super) year_day: i64,
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days before a month of a common year; months from 1 to 13.
pub(super) fn days_before(month: i64) -> i64 {
    let index = usize::try_from(month - 1).unwrap_or_default();
    DAYS_BEFORE.get(index).copied().unwrap_or(365)
}

pub(super) fn days_in(month: i64, year: i64) -> i64 {
    if month == 2 && is_leap(year) {
        return 29;
    }
    days_before(month + 1) - days_before(month)
}

/// The days from 1970 to a date; months and days may be beyond their range.
pub(super) fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let this_leap_day = i64::from(month > 2 && is_leap(year));
    // The first day of 1970 is the 719,163rd of the calendar.
    before * 365 + leap_days + days_before(month) + this_leap_day + day - 719_163
}

/// The date so many days after 1970 began.
pub(super) fn date_of(days: i64) -> Date {
    // Counted from the first of March of the year 0, leap days end each cycle.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let leap_day = i64::from(month > 2 && is_leap(year));
    let year_day = days_before(month) + leap_day + day;
    Date {
        year,
        month,
        day,
        year_day,
    }
}

/// The day of the week, from 0 for Sunday.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}
