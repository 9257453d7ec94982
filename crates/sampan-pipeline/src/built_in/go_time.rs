//! Times and durations as Go writes them, which templates ask for.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Writes an element of a layout.
type Write = fn(&Zoned) -> String;

/// The elements of Go's layouts, longer ones before those that they begin with.
const ELEMENTS: [(&str, Write); 33] = [
    ("January", |time| time.strftime("%B").to_string()),
    ("Jan", |time| time.strftime("%b").to_string()),
    ("Monday", |time| time.strftime("%A").to_string()),
    ("Mon", |time| time.strftime("%a").to_string()),
    ("MST", zone_name),
    ("002", |time| format!("{:03}", time.day_of_year())),
    ("01", |time| format!("{:02}", time.month())),
    ("02", |time| format!("{:02}", time.day())),
    ("03", |time| format!("{:02}", half_hour(time))),
    ("04", |time| format!("{:02}", time.minute())),
    ("05", |time| format!("{:02}", time.second())),
    ("06", |time| format!("{:02}", time.year().rem_euclid(100))),
    ("15", |time| format!("{:02}", time.hour())),
    ("1", |time| time.month().to_string()),
    ("2006", |time| format!("{:04}", time.year())),
    ("2", |time| time.day().to_string()),
    ("__2", |time| format!("{:3}", time.day_of_year())),
    ("_2006", |time| format!("_{:04}", time.year())),
    ("_2", |time| format!("{:2}", time.day())),
    ("3", |time| half_hour(time).to_string()),
    ("4", |time| time.minute().to_string()),
    ("5", |time| time.second().to_string()),
    ("PM", |time| {
        if time.hour() >= 12 { "PM" } else { "AM" }.to_owned()
    }),
    ("pm", |time| {
        if time.hour() >= 12 { "pm" } else { "am" }.to_owned()
    }),
    ("-07:00:00", |time| offset(time, ":", 3)),
    ("-070000", |time| offset(time, "", 3)),
    ("-07:00", |time| offset(time, ":", 2)),
    ("-0700", |time| offset(time, "", 2)),
    ("-07", |time| offset(time, "", 1)),
    ("Z07:00:00", |time| zulu_or(time, ":", 3)),
    ("Z07:00", |time| zulu_or(time, ":", 2)),
    ("Z0700", |time| zulu_or(time, "", 2)),
    ("Z07", |time| zulu_or(time, "", 1)),
];

/// A time, in seconds since 1970, by a layout of Go. Without a zone, or with one that nobody knows, it is UTC, which is
/// what containers of plugins have.
pub(crate) fn layout(seconds: i64, layout: &str, zone: &str) -> String {
    let zone = match zone {
        "" | "UTC" | "Local" => TimeZone::UTC,
        zone => TimeZone::get(zone).unwrap_or(TimeZone::UTC),
    };
    let Ok(time) = Timestamp::from_second(seconds) else {
        return String::new();
    };
    let time = time.to_zoned(zone);
    let mut result = String::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while let Some(next) = rest.chars().next() {
        if let Some(behind) = fraction(rest) {
            result.push_str(&behind.0);
            rest = behind.1;
            continue;
        }
        let element = ELEMENTS.iter().find(|(element, _)| begins(rest, element));
        if let Some((element, write)) = element {
            result.push_str(&write(&time));
            rest = &rest[element.len()..];
        } else {
            result.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    result
}

/// Whether a layout begins with an element; short names are no part of longer words.
fn begins(layout: &str, element: &str) -> bool {
    let Some(behind) = layout.strip_prefix(element) else {
        return false;
    };
    !(matches!(element, "Jan" | "Mon") && behind.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Parts of a second, of which there are none: `.000` is written as zeros, `.999` as nothing.
fn fraction(layout: &str) -> Option<(String, &str)> {
    let separator = layout.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digit = layout[1..]
        .chars()
        .next()
        .filter(|c| matches!(c, '0' | '9'))?;
    let behind = layout[1..].trim_start_matches(digit);
    if behind.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let zeros = layout.len() - 1 - behind.len();
    let text = match digit {
        '0' => format!("{separator}{}", "0".repeat(zeros)),
        _ => String::new(),
    };
    Some((text, behind))
}

fn half_hour(time: &Zoned) -> i8 {
    (time.hour() + 11) % 12 + 1
}

/// The zone's abbreviation; jiff writes those without one as an offset, as Go does.
fn zone_name(time: &Zoned) -> String {
    time.strftime("%Z").to_string()
}

fn offset(time: &Zoned, colon: &str, parts: usize) -> String {
    let seconds = time.offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let all = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let parts: Vec<_> = all[..parts]
        .iter()
        .map(|part| format!("{part:02}"))
        .collect();
    format!("{sign}{}", parts.join(colon))
}

fn zulu_or(time: &Zoned, colon: &str, parts: usize) -> String {
    if time.offset().seconds() == 0 {
        return "Z".to_owned();
    }
    offset(time, colon, parts)
}

/// A duration of so many seconds: `1h2m3s`.
pub(crate) fn duration(seconds: i64) -> String {
    let mut text = String::new();
    if seconds < 0 {
        text.push('-');
    }
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let written = if hours > 0 {
        write!(text, "{hours}h{minutes}m{rest}s")
    } else if minutes > 0 {
        write!(text, "{minutes}m{rest}s")
    } else {
        write!(text, "{rest}s")
    };
    debug_assert!(written.is_ok(), "a string takes any text");
    text
}

#[cfg(test)]
mod tests {
    use super::{duration, layout};

    #[test]
    fn durations_are_written_as_in_go() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (3_600, "1h0m0s"),
            (31_536_000, "8760h0m0s"),
            (-2_678_400, "-744h0m0s"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn layouts_are_those_of_go() {
        for (form, zone, expected) in [
            ("2006-01-02T15:04:05Z07:00", "", "2017-11-15T23:05:09Z"),
            (
                "2006-01-02T15:04:05Z07:00",
                "Asia/Shanghai",
                "2017-11-16T07:05:09+08:00",
            ),
            (
                "Mon Jan 2 15:04:05 MST 2006",
                "Local",
                "Wed Nov 15 23:05:09 UTC 2017",
            ),
            ("Mon Jan _2 3:04PM 06", "UTC", "Wed Nov 15 11:05PM 17"),
            (
                "January Monday Month Janus",
                "UTC",
                "November Wednesday Month Janus",
            ),
            ("15h4m5.000s", "no/zone", "23h5m9.000s"),
            ("5.999 -0700 __2", "UTC", "9 +0000 319"),
            ("2006年01月02日", "Asia/Shanghai", "2017年11月16日"),
        ] {
            assert_eq!(layout(1_510_787_109, form, zone), expected, "{form}");
        }
    }
}
