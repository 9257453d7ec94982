//! Durations as people write them, such as `90m` or `7d`; a day has 24 hours.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

/// Reads a duration.
///
/// # Errors
/// Why the text is none, in one line.
pub fn parse(text: &str) -> Result<Duration, String> {
    let none = || format!("`{text}` is no duration such as `90m` or `7d`");
    let span: Span = text.parse().map_err(|_| none())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| none())?;
    duration.try_into().map_err(|_| none())
}

pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads a duration of so many milliseconds or more.
pub(super) fn at_least<'de, D: Deserializer<'de>, const MILLISECONDS: u64>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let (duration, least) = (required(deserializer)?, Duration::from_millis(MILLISECONDS));
    if duration >= least {
        return Ok(duration);
    }
    Err(D::Error::custom(format!(
        "{duration:?} is less than {least:?}"
    )))
}

pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    required(deserializer).map(Some)
}
