//! The integer types of Go that have names and print as words: durations, months, days of the week.

use sampan_model::go_time::{MONTHS, WEEKDAYS, duration};

use super::{Integer, IntegerType};

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
