//! The integer types of Go that have names and print as words: durations, months, days of the week.

use super::{Integer, IntegerType};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// The text of an integer whose type has a `String` method.
#[must_use]
pub fn print(integer: Integer) -> Option<String> {
    match integer.of {
        IntegerType::Duration => Some(duration(i64::try_from(integer.value).unwrap_or(0))),
        IntegerType::Month => Some(name(&MONTHS, integer.value - 1, "Month", integer.value)),
        IntegerType::Weekday => Some(name(&WEEKDAYS, integer.value, "Weekday", integer.value)),
        _ => None,
    }
}

fn name(names: &[&str], position: i128, kind: &str, value: i128) -> String {
    usize::try_from(position)
        .ok()
        .and_then(|position| names.get(position))
        .map_or_else(|| format!("%!{kind}({value})"), |name| (*name).to_owned())
}

/// Nanoseconds as Go writes a duration, such as `1h15m30.918s`.
#[must_use]
pub fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let whole = nanoseconds.unsigned_abs();
    if whole == 0 {
        return "0s".to_owned();
    }
    if whole < 1_000_000_000 {
        let (unit, digits) = match whole {
            ..1_000 => ("ns", 0),
            1_000..1_000_000 => ("µs", 3),
            _ => ("ms", 6),
        };
        return format!("{sign}{}{unit}", decimal(whole, digits));
    }
    let minutes = whole / 60_000_000_000;
    let seconds = decimal(whole % 60_000_000_000, 9);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// A number with the last digits behind the point, without trailing zeros.
fn decimal(value: u64, digits: usize) -> String {
    let scale = 10_u64.pow(u32::try_from(digits).unwrap_or(0));
    let (whole, fraction) = (value / scale, value % scale);
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}
