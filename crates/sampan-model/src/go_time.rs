//! Times and durations as Go's package `time` writes them: templates of Helm and of CI plugins ask for both.
//!
//! A layout is the time `Mon Jan 2 15:04:05 MST 2006`, written as others shall be.
//!
//! Source: the documentation of Go's package `time` (`Layout`, `Time.Format`, `Duration.String`).

use jiff::Zoned;

/// The months, from January.
pub const MONTHS: [&str; 12] = [
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

/// The days of the week, from Sunday.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// What calendar and clock of a zone show at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The year; negative ones are before the year 0.
    pub year: i64,
    /// From 1.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
    /// The day of the year, from 1.
    pub year_day: i64,
    /// The day of the week, from 0 for Sunday.
    pub weekday: i64,
    /// From 0 to 23.
    pub hour: i64,
    /// From 0 to 59.
    pub minute: i64,
    /// From 0 to 59.
    pub second: i64,
    /// Of the second.
    pub nanoseconds: i64,
    /// East of UTC, in seconds.
    pub offset_seconds: i64,
    /// The zone's abbreviation; empty where there is none.
    pub zone: String,
}

impl From<&Zoned> for Shown {
    fn from(time: &Zoned) -> Self {
        Self {
            year: time.year().into(),
            month: time.month().into(),
            day: time.day().into(),
            year_day: time.day_of_year().into(),
            weekday: time.weekday().to_sunday_zero_offset().into(),
            hour: time.hour().into(),
            minute: time.minute().into(),
            second: time.second().into(),
            nanoseconds: time.subsec_nanosecond().into(),
            offset_seconds: time.offset().seconds().into(),
            zone: time.strftime("%Z").to_string(),
        }
    }
}

/// An element of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `January`.
    LongMonth,
    /// `Jan`.
    Month,
    /// `1`.
    NumberMonth,
    /// `01`.
    ZeroMonth,
    /// `Monday`.
    LongWeekday,
    /// `Mon`.
    Weekday,
    /// `2`.
    Day,
    /// `_2`.
    BlankDay,
    /// `02`.
    ZeroDay,
    /// `__2`.
    BlankYearDay,
    /// `002`.
    ZeroYearDay,
    /// `15`.
    Hour,
    /// `3`.
    Hour12,
    /// `03`.
    ZeroHour12,
    /// `4`.
    Minute,
    /// `04`.
    ZeroMinute,
    /// `5`.
    Second,
    /// `05`.
    ZeroSecond,
    /// `2006`.
    LongYear,
    /// `06`.
    Year,
    /// `PM`.
    UpperHalf,
    /// `pm`.
    LowerHalf,
    /// `MST`.
    ZoneName,
    /// `-0700`, `Z07:00` and their kin.
    Offset(Offset),
    /// A separator and so many digits of a second, which may be left out when they are zero.
    Fraction {
        /// A point or a comma.
        separator: u8,
        /// How many there are in the layout.
        digits: usize,
        /// Whether they are nines in the layout: zeros at the end are left out.
        is_optional: bool,
    },
}

/// A form of an offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of the form")]
pub struct Offset {
    /// Whether no offset is written `Z`.
    pub has_zulu: bool,
    /// Whether colons are between hours, minutes and seconds.
    pub has_colons: bool,
    /// Whether minutes are written.
    pub has_minutes: bool,
    /// Whether seconds are written.
    pub has_seconds: bool,
}

/// The elements that are not told apart by what follows them, longer ones first.
const WORDS: &[(&[u8], Element)] = &[
    (b"January", Element::LongMonth),
    (b"Monday", Element::LongWeekday),
    (b"MST", Element::ZoneName),
    (b"01", Element::ZeroMonth),
    (b"02", Element::ZeroDay),
    (b"03", Element::ZeroHour12),
    (b"04", Element::ZeroMinute),
    (b"05", Element::ZeroSecond),
    (b"06", Element::Year),
    (b"002", Element::ZeroYearDay),
    (b"15", Element::Hour),
    (b"1", Element::NumberMonth),
    (b"2006", Element::LongYear),
    (b"2", Element::Day),
    (b"__2", Element::BlankYearDay),
    (b"3", Element::Hour12),
    (b"4", Element::Minute),
    (b"5", Element::Second),
    (b"PM", Element::UpperHalf),
    (b"pm", Element::LowerHalf),
];

/// The text before the first element of a layout, the element, and what follows it.
#[must_use]
pub fn next_element(layout: &[u8]) -> (&[u8], Option<Element>, &[u8]) {
    for start in 0..layout.len() {
        let rest = &layout[start..];
        // `_2006` is an underscore and a year.
        if rest.starts_with(b"_2006") {
            return (&layout[..=start], Some(Element::LongYear), &rest[5..]);
        }
        if let Some((element, length)) = element(rest) {
            return (&layout[..start], Some(element), &rest[length..]);
        }
    }
    (layout, None, &[])
}

/// The element that a layout begins with, and its length.
fn element(layout: &[u8]) -> Option<(Element, usize)> {
    let word = WORDS.iter().find(|(word, _)| layout.starts_with(word));
    if let Some((word, element)) = word {
        return Some((*element, word.len()));
    }
    let is_whole_word = !layout.get(3).is_some_and(u8::is_ascii_lowercase);
    match layout {
        [b'J', b'a', b'n', ..] if is_whole_word => Some((Element::Month, 3)),
        [b'M', b'o', b'n', ..] if is_whole_word => Some((Element::Weekday, 3)),
        [b'_', b'2', ..] => Some((Element::BlankDay, 2)),
        [b'-' | b'Z', ..] => offset(layout),
        [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] => {
            let digits = layout[1..].iter().take_while(|byte| *byte == digit).count();
            let is_end = !layout.get(1 + digits).is_some_and(u8::is_ascii_digit);
            let (separator, is_optional) = (*separator, *digit == b'9');
            is_end.then_some((
                Element::Fraction {
                    separator,
                    digits,
                    is_optional,
                },
                1 + digits,
            ))
        }
        _ => None,
    }
}

fn offset(layout: &[u8]) -> Option<(Element, usize)> {
    let (sign, rest) = layout.split_first()?;
    let (has_colons, has_minutes, has_seconds, length) = match rest {
        [b'0', b'7', b'0', b'0', b'0', b'0', ..] => (false, true, true, 7),
        [b'0', b'7', b':', b'0', b'0', b':', b'0', b'0', ..] => (true, true, true, 9),
        [b'0', b'7', b'0', b'0', ..] => (false, true, false, 5),
        [b'0', b'7', b':', b'0', b'0', ..] => (true, true, false, 6),
        [b'0', b'7', ..] => (false, false, false, 3),
        _ => return None,
    };
    let has_zulu = *sign == b'Z';
    Some((
        Element::Offset(Offset {
            has_zulu,
            has_colons,
            has_minutes,
            has_seconds,
        }),
        length,
    ))
}

/// A name at its place; none where there is no such place.
fn name<'names>(names: &[&'names str], place: i64) -> &'names str {
    let place = usize::try_from(place).ok();
    place
        .and_then(|place| names.get(place))
        .copied()
        .unwrap_or_default()
}

/// Writes a time by a layout.
#[must_use]
pub fn format(layout: &[u8], time: &Shown) -> Vec<u8> {
    let mut text = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    while !rest.is_empty() {
        let (before, element, behind) = next_element(rest);
        text.extend_from_slice(before);
        let Some(element) = element else {
            break;
        };
        text.extend(formatted(element, time).bytes());
        rest = behind;
    }
    text
}

fn formatted(element: Element, time: &Shown) -> String {
    let hour12 = (time.hour + 11) % 12 + 1;
    let is_afternoon = time.hour >= 12;
    let (month, weekday) = (name(&MONTHS, time.month - 1), name(&WEEKDAYS, time.weekday));
    match element {
        Element::LongMonth => month.to_owned(),
        Element::Month => short(month),
        Element::NumberMonth => time.month.to_string(),
        Element::ZeroMonth => format!("{:02}", time.month),
        Element::LongWeekday => weekday.to_owned(),
        Element::Weekday => short(weekday),
        Element::Day => time.day.to_string(),
        Element::BlankDay => format!("{:2}", time.day),
        Element::ZeroDay => format!("{:02}", time.day),
        Element::BlankYearDay => format!("{:3}", time.year_day),
        Element::ZeroYearDay => format!("{:03}", time.year_day),
        Element::Hour => format!("{:02}", time.hour),
        Element::Hour12 => hour12.to_string(),
        Element::ZeroHour12 => format!("{hour12:02}"),
        Element::Minute => time.minute.to_string(),
        Element::ZeroMinute => format!("{:02}", time.minute),
        Element::Second => time.second.to_string(),
        Element::ZeroSecond => format!("{:02}", time.second),
        Element::LongYear if time.year < 0 => format!("-{:04}", -time.year),
        Element::LongYear => format!("{:04}", time.year),
        Element::Year => format!("{:02}", time.year.abs() % 100),
        Element::UpperHalf => if is_afternoon { "PM" } else { "AM" }.to_owned(),
        Element::LowerHalf => if is_afternoon { "pm" } else { "am" }.to_owned(),
        Element::ZoneName => zone_name(time),
        Element::Offset(form) => offset_text(form, time.offset_seconds),
        Element::Fraction {
            separator,
            digits,
            is_optional,
        } => fraction(separator, digits, is_optional, time.nanoseconds),
    }
}

/// The first three letters of a name.
fn short(name: &str) -> String {
    name.chars().take(3).collect()
}

/// The zone's abbreviation; where there is none, its offset.
fn zone_name(time: &Shown) -> String {
    const PLAIN: Offset = Offset {
        has_zulu: false,
        has_colons: false,
        has_minutes: true,
        has_seconds: false,
    };
    if time.zone.is_empty() {
        return offset_text(PLAIN, time.offset_seconds);
    }
    time.zone.clone()
}

fn offset_text(form: Offset, offset: i64) -> String {
    if form.has_zulu && offset == 0 {
        return "Z".to_owned();
    }
    // The sign is that of the minutes: an offset of seconds only has none.
    let minutes = offset / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (minutes, colon) = (minutes.abs(), if form.has_colons { ":" } else { "" });
    let mut parts = vec![format!("{sign}{:02}", minutes / 60)];
    if form.has_minutes {
        parts.push(format!("{:02}", minutes % 60));
    }
    if form.has_seconds {
        let seconds = if sign == '-' { -offset } else { offset };
        parts.push(format!("{:02}", seconds % 60));
    }
    parts.join(colon)
}

fn fraction(separator: u8, digits: usize, is_optional: bool, nanoseconds: i64) -> String {
    if is_optional && nanoseconds == 0 {
        return String::new();
    }
    let all = format!("{nanoseconds:09}");
    let shown = &all[..digits.min(9)];
    let shown = if is_optional {
        shown.trim_end_matches('0')
    } else {
        shown
    };
    if is_optional && shown.is_empty() {
        return String::new();
    }
    format!("{}{shown}", char::from(separator))
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
