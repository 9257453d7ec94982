//! Go's layouts of dates: the time `Mon Jan 2 15:04:05 MST 2006`, written as others shall be.

use super::moment::Moment;
use crate::value::Integer;
use crate::value::{IntegerType, named};

/// An element of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    BlankDay,
    ZeroDay,
    BlankYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    Offset(Offset),
    /// A separator and so many digits of a second, which may be left out when they are zero.
    Fraction {
        separator: u8,
        digits: usize,
        is_optional: bool,
    },
}

/// A form of an offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of the form")]
pub(super) struct Offset {
    /// Whether no offset is written `Z`.
    pub(super) has_zulu: bool,
    pub(super) has_colons: bool,
    pub(super) has_minutes: bool,
    pub(super) has_seconds: bool,
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
pub(super) fn next_element(layout: &[u8]) -> (&[u8], Option<Element>, &[u8]) {
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

/// A month's name, from 1.
pub(super) fn month_name(month: i64) -> String {
    name(month, IntegerType::Month)
}

/// The name of a day of the week, from 0.
pub(super) fn weekday_name(weekday: i64) -> String {
    name(weekday, IntegerType::Weekday)
}

fn name(value: i64, of: IntegerType) -> String {
    named::print(Integer {
        value: value.into(),
        of,
    })
    .unwrap_or_default()
}

/// Writes a time by a layout.
pub(super) fn format(layout: &[u8], time: &Moment) -> Vec<u8> {
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

fn formatted(element: Element, time: &Moment) -> String {
    let (date, clock) = (time.date(), time.clock());
    let hour12 = (clock.hour + 11) % 12 + 1;
    let is_afternoon = clock.hour >= 12;
    match element {
        Element::LongMonth => month_name(date.month),
        Element::Month => month_name(date.month)[..3].to_owned(),
        Element::NumberMonth => date.month.to_string(),
        Element::ZeroMonth => format!("{:02}", date.month),
        Element::LongWeekday => weekday_name(time.weekday()),
        Element::Weekday => weekday_name(time.weekday())[..3].to_owned(),
        Element::Day => date.day.to_string(),
        Element::BlankDay => format!("{:2}", date.day),
        Element::ZeroDay => format!("{:02}", date.day),
        Element::BlankYearDay => format!("{:3}", date.year_day),
        Element::ZeroYearDay => format!("{:03}", date.year_day),
        Element::Hour => format!("{:02}", clock.hour),
        Element::Hour12 => hour12.to_string(),
        Element::ZeroHour12 => format!("{hour12:02}"),
        Element::Minute => clock.minute.to_string(),
        Element::ZeroMinute => format!("{:02}", clock.minute),
        Element::Second => clock.second.to_string(),
        Element::ZeroSecond => format!("{:02}", clock.second),
        Element::LongYear if date.year < 0 => format!("-{:04}", -date.year),
        Element::LongYear => format!("{:04}", date.year),
        Element::Year => format!("{:02}", date.year.abs() % 100),
        Element::UpperHalf => if is_afternoon { "PM" } else { "AM" }.to_owned(),
        Element::LowerHalf => if is_afternoon { "pm" } else { "am" }.to_owned(),
        Element::ZoneName => zone_name(time),
        Element::Offset(form) => offset_text(form, time.offset().0),
        Element::Fraction {
            separator,
            digits,
            is_optional,
        } => fraction(separator, digits, is_optional, time.nanoseconds()),
    }
}

/// The zone's abbreviation; where there is none, its offset.
fn zone_name(time: &Moment) -> String {
    const PLAIN: Offset = Offset {
        has_zulu: false,
        has_colons: false,
        has_minutes: true,
        has_seconds: false,
    };
    match time.offset() {
        (offset, name) if name.is_empty() => offset_text(PLAIN, offset),
        (_, name) => name,
    }
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
