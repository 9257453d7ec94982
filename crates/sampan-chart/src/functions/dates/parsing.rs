//! Reading of dates by Go's layouts.

use sampan_model::go_time::{Element, MONTHS, WEEKDAYS, next_element};

use super::calendar::{days_before, days_in, is_leap};
use super::durations::quote;
use super::moment::Moment;
use super::zone::Zone;

mod zones;

/// A text that does not fit its layout.
#[derive(Debug, thiserror::Error)]
pub(super) enum DateError {
    #[error("parsing time {value} as {layout}: cannot parse {rest} as {element}")]
    Element {
        value: String,
        layout: String,
        rest: String,
        element: String,
    },
    #[error("parsing time {value}{problem}")]
    Value { value: String, problem: String },
}

/// Why an element could not be read.
enum Problem {
    /// The text does not have its form.
    Form,
    /// The number is too large.
    Range(&'static str),
}

/// What has been read.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: i64,
    /// Whether the hour was said to be of the afternoon.
    is_afternoon: Option<bool>,
    is_utc: bool,
    offset: Option<i64>,
    zone_name: String,
}

/// Reads a time.
pub(super) fn parse(layout: &[u8], value: &[u8]) -> Result<Moment, DateError> {
    let mut fields = Fields::default();
    let (mut rest_layout, mut rest) = (layout, value);
    loop {
        let (before, element, behind) = next_element(rest_layout);
        let failed = |element: &[u8], rest: &[u8]| DateError::Element {
            value: quote(value),
            layout: quote(layout),
            rest: quote(rest),
            element: quote(element),
        };
        let wrong = |problem: String| DateError::Value {
            value: quote(value),
            problem,
        };
        rest = skip(rest, before).map_err(|rest| failed(before, rest))?;
        let Some(element) = element else {
            if rest.is_empty() {
                break;
            }
            return Err(wrong(format!(": extra text: {}", quote(rest))));
        };
        let name = &rest_layout[before.len()..rest_layout.len() - behind.len()];
        rest_layout = behind;
        rest = fields
            .read(element, rest, rest_layout)
            .map_err(|problem| match problem {
                Problem::Form => failed(name, rest),
                Problem::Range(what) => wrong(format!(": {what} out of range")),
            })?;
    }
    let problem = |problem: &str| DateError::Value {
        value: quote(value),
        problem: problem.to_owned(),
    };
    let date = fields.date().map_err(problem)?;
    Ok(zones::moment(&fields, date))
}

/// The value behind a text of the layout, in which any number of blanks is one.
fn skip<'a>(value: &'a [u8], prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    let (mut value, mut prefix) = (value, prefix);
    while let [first, behind @ ..] = prefix {
        if *first == b' ' {
            if value.first().is_some_and(|byte| *byte != b' ') {
                return Err(value);
            }
            prefix = prefix.trim_ascii_start_of(b' ');
            value = value.trim_ascii_start_of(b' ');
            continue;
        }
        if value.first() != Some(first) {
            return Err(value);
        }
        prefix = behind;
        value = &value[1..];
    }
    Ok(value)
}

trait TrimStart {
    fn trim_ascii_start_of(&self, byte: u8) -> &Self;
}

impl TrimStart for [u8] {
    fn trim_ascii_start_of(&self, byte: u8) -> &Self {
        let end = self
            .iter()
            .position(|other| *other != byte)
            .unwrap_or(self.len());
        &self[end..]
    }
}

/// One or two digits, or exactly two.
fn number(text: &[u8], is_fixed: bool) -> Result<(i64, &[u8]), Problem> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
            Ok((i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest))
        }
        [ones @ b'0'..=b'9', rest @ ..] if !is_fixed => Ok((i64::from(ones - b'0'), rest)),
        _ => Err(Problem::Form),
    }
}

/// A number that must lie in a range.
fn number_in<'a>(
    text: &'a [u8],
    is_fixed: bool,
    range: std::ops::RangeInclusive<i64>,
    what: &'static str,
) -> Result<(i64, &'a [u8]), Problem> {
    let (number, rest) = number(text, is_fixed)?;
    if range.contains(&number) {
        Ok((number, rest))
    } else {
        Err(Problem::Range(what))
    }
}

/// A name of several, whatever its case, by its place.
fn name_of<'a>(text: &'a [u8], names: &[&str], is_short: bool) -> Result<(i64, &'a [u8]), Problem> {
    let written = |name: &str| if is_short { 3 } else { name.len() };
    let begins = |name: &str| {
        let start = text.get(..written(name));
        start.is_some_and(|start| start.eq_ignore_ascii_case(&name.as_bytes()[..start.len()]))
    };
    let found = (0_i64..).zip(names).find(|(_, name)| begins(name));
    let (index, name) = found.ok_or(Problem::Form)?;
    Ok((index, &text[written(name)..]))
}

/// A separator and digits as nanoseconds; digits beyond those are dropped.
fn nanoseconds(text: &[u8]) -> Result<i64, Problem> {
    let [b'.' | b',', digits @ ..] = text else {
        return Err(Problem::Form);
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Problem::Form);
    }
    let padded = digits
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    Ok(padded.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// The length of a separator with the digits behind it; nothing where it has none.
fn fraction_length(text: &[u8]) -> usize {
    match text {
        [b'.' | b',', digits @ ..] => {
            let digits = digits
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if digits == 0 { 0 } else { digits + 1 }
        }
        _ => 0,
    }
}

impl Fields {
    /// Reads an element, and gives out what follows it.
    fn read<'a>(
        &mut self,
        element: Element,
        text: &'a [u8],
        layout: &[u8],
    ) -> Result<&'a [u8], Problem> {
        let rest;
        match element {
            Element::LongMonth | Element::Month | Element::NumberMonth | Element::ZeroMonth => {
                rest = self.read_month(element, text)?;
            }
            Element::LongWeekday => (_, rest) = name_of(text, &WEEKDAYS, false)?,
            Element::Weekday => (_, rest) = name_of(text, &WEEKDAYS, true)?,
            Element::Day | Element::BlankDay | Element::ZeroDay => {
                let text = if element == Element::BlankDay {
                    without_blank(text)
                } else {
                    text
                };
                let (day, behind) = number(text, element == Element::ZeroDay)?;
                self.day = Some(day);
                rest = behind;
            }
            Element::BlankYearDay | Element::ZeroYearDay => {
                rest = self.read_year_day(element, text)?;
            }
            Element::Hour => (self.hour, rest) = number_in(text, false, 0..=23, "hour")?,
            Element::Hour12 | Element::ZeroHour12 => {
                let is_fixed = element == Element::ZeroHour12;
                (self.hour, rest) = number_in(text, is_fixed, 0..=12, "hour")?;
            }
            Element::Minute | Element::ZeroMinute => {
                let is_fixed = element == Element::ZeroMinute;
                (self.minute, rest) = number_in(text, is_fixed, 0..=59, "minute")?;
            }
            Element::Second | Element::ZeroSecond => {
                rest = self.read_second(element == Element::ZeroSecond, text, layout)?;
            }
            Element::LongYear | Element::Year => rest = self.read_year(element, text)?,
            Element::UpperHalf | Element::LowerHalf => {
                rest = self.read_half(element == Element::UpperHalf, text)?;
            }
            Element::ZoneName => rest = self.read_zone_name(text)?,
            Element::Offset(form) => rest = self.read_offset(form, text)?,
            Element::Fraction {
                digits,
                is_optional,
                ..
            } => {
                let length = if is_optional {
                    fraction_length(text)
                } else {
                    digits + 1
                };
                if length > 0 {
                    self.nanoseconds = nanoseconds(text.get(..length).ok_or(Problem::Form)?)?;
                }
                rest = &text[length..];
            }
        }
        Ok(rest)
    }

    fn read_month<'a>(&mut self, element: Element, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        let (month, rest) = match element {
            Element::LongMonth | Element::Month => {
                let (index, rest) = name_of(text, &MONTHS, element == Element::Month)?;
                (index + 1, rest)
            }
            other => number_in(text, other == Element::ZeroMonth, 1..=12, "month")?,
        };
        self.month = Some(month);
        Ok(rest)
    }

    fn read_year<'a>(&mut self, element: Element, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        let digits = if element == Element::LongYear { 4 } else { 2 };
        let (year, rest) = text.split_at_checked(digits).ok_or(Problem::Form)?;
        if element == Element::LongYear && !year[0].is_ascii_digit() {
            return Err(Problem::Form);
        }
        let year = std::str::from_utf8(year).map_err(|_| Problem::Form)?;
        let year: i64 = year.parse().map_err(|_| Problem::Form)?;
        self.year = match element {
            Element::LongYear => year,
            _ if year >= 69 => year + 1900,
            _ => year + 2000,
        };
        Ok(rest)
    }

    fn read_year_day<'a>(&mut self, element: Element, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        let is_fixed = element == Element::ZeroYearDay;
        let text = if is_fixed {
            text
        } else {
            without_blank(without_blank(text))
        };
        let digits = text
            .iter()
            .take(3)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 || (is_fixed && digits != 3) {
            return Err(Problem::Form);
        }
        let (number, rest) = text.split_at(digits);
        let day = number
            .iter()
            .fold(0, |day, digit| day * 10 + i64::from(digit - b'0'));
        self.year_day = Some(day);
        Ok(rest)
    }

    /// Seconds, with a fraction that the layout does not ask for.
    fn read_second<'a>(
        &mut self,
        is_fixed: bool,
        text: &'a [u8],
        layout: &[u8],
    ) -> Result<&'a [u8], Problem> {
        let (second, rest) = number_in(text, is_fixed, 0..=59, "second")?;
        self.second = second;
        let length = fraction_length(rest);
        let next = next_element(layout).1;
        if length == 0 || matches!(next, Some(Element::Fraction { .. })) {
            return Ok(rest);
        }
        let (fraction, rest) = rest.split_at(length);
        self.nanoseconds = nanoseconds(fraction)?;
        Ok(rest)
    }

    fn read_half<'a>(&mut self, is_upper: bool, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        let (half, rest) = text.split_at_checked(2).ok_or(Problem::Form)?;
        self.is_afternoon = match half {
            b"PM" if is_upper => Some(true),
            b"AM" if is_upper => Some(false),
            b"pm" if !is_upper => Some(true),
            b"am" if !is_upper => Some(false),
            _ => return Err(Problem::Form),
        };
        Ok(rest)
    }

    /// Year, month and day, if there is such a day.
    fn date(&mut self) -> Result<(i64, i64, i64), &'static str> {
        match self.is_afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = match self.year_day {
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
            Some(year_day) => {
                let (month, day) = self.of_year_day(year_day)?;
                if self.month.is_some_and(|given| given != month) {
                    return Err(": day-of-year does not match month");
                }
                if self.day.is_some_and(|given| given != day) {
                    return Err(": day-of-year does not match day");
                }
                (month, day)
            }
        };
        if day < 1 || day > days_in(month, self.year) {
            return Err(": day out of range");
        }
        Ok((self.year, month, day))
    }

    fn of_year_day(&self, year_day: i64) -> Result<(i64, i64), &'static str> {
        const LEAP_DAY: i64 = 31 + 29;
        let is_leap = is_leap(self.year);
        if is_leap && year_day == LEAP_DAY {
            return Ok((2, 29));
        }
        let day = year_day - i64::from(is_leap && year_day > LEAP_DAY);
        if !(1..=365).contains(&day) {
            return Err(": day-of-year out of range");
        }
        let month = (1..=12)
            .rev()
            .find(|month| days_before(*month) < day)
            .unwrap_or(1);
        Ok((month, day - days_before(month)))
    }

    fn second_of_day(&self) -> i64 {
        (self.hour * 60 + self.minute) * 60 + self.second
    }

    fn moment(&self, date: (i64, i64, i64), zone: Zone) -> Moment {
        Moment::shown(date, self.second_of_day(), self.nanoseconds, zone)
    }
}

fn without_blank(text: &[u8]) -> &[u8] {
    text.strip_prefix(b" ").unwrap_or(text)
}
