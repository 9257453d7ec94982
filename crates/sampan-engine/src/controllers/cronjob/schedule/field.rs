//! One field of a schedule: `*`, `5`, `1-5`, `*/15`, `mon,wed`.

use super::ScheduleError;

/// What a field may hold.
pub(super) struct Bounds {
    least: u8,
    most: u8,
    /// Names of its values, from `first_name` on.
    names: &'static [&'static str],
    first_name: u8,
}

const fn numbers(least: u8, most: u8) -> Bounds {
    Bounds {
        least,
        most,
        names: &[],
        first_name: 0,
    }
}

pub(super) const MINUTE: Bounds = numbers(0, 59);
pub(super) const HOUR: Bounds = numbers(0, 23);
pub(super) const DAY_OF_MONTH: Bounds = numbers(1, 31);
pub(super) const MONTH: Bounds = Bounds {
    least: 1,
    most: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
    first_name: 1,
};
pub(super) const DAY_OF_WEEK: Bounds = Bounds {
    least: 0,
    most: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    first_name: 0,
};

/// The values of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// A bit for each value.
    values: u64,
    /// Whether it was left open.
    star: bool,
}

impl Field {
    /// Reads a field: parts with commas between them.
    pub(super) fn parse(text: &str, bounds: &Bounds) -> Result<Self, ScheduleError> {
        let mut field = Self {
            values: 0,
            star: false,
        };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (values, star) = range(part, bounds)?;
            field.values |= values;
            field.star |= star;
        }
        if field.values == 0 {
            return Err(ScheduleError::Number(text.to_owned()));
        }
        Ok(field)
    }

    /// Whether a value is one of the field's; negative values never are.
    pub(super) fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.values.checked_shr(value).unwrap_or(0) & 1 == 1)
    }

    /// Whether the field was left open.
    pub(super) fn is_star(self) -> bool {
        self.star
    }
}

/// The values of one part, and whether it is a star without a step.
fn range(part: &str, bounds: &Bounds) -> Result<(u64, bool), ScheduleError> {
    let too_many = |sign| ScheduleError::TooMany {
        sign,
        text: part.to_owned(),
    };
    let (span, step) = match part.split_once('/') {
        None => (part, None),
        Some((_, step)) if step.contains('/') => return Err(too_many("slashes")),
        Some((span, step)) => (span, Some(number(step)?)),
    };
    let (first, last) = match span.split_once('-') {
        _ if matches!(span, "*" | "?") => (bounds.least, bounds.most),
        Some((_, last)) if last.contains('-') => return Err(too_many("hyphens")),
        Some((first, last)) => (value(first, bounds)?, value(last, bounds)?),
        None if step.is_some() => (value(span, bounds)?, bounds.most),
        None => (value(span, bounds)?, value(span, bounds)?),
    };
    let outside = |what, number, side, limit: String| ScheduleError::Bounds {
        what,
        number,
        side,
        limit,
        text: part.to_owned(),
    };
    if first < bounds.least {
        let limit = format!("minimum ({})", bounds.least);
        return Err(outside("beginning of range", first, "below", limit));
    }
    if last > bounds.most {
        let limit = format!("maximum ({})", bounds.most);
        return Err(outside("end of range", last, "above", limit));
    }
    if first > last {
        let limit = format!("end of range ({last})");
        return Err(outside("beginning of range", first, "beyond", limit));
    }
    let step_width = step.unwrap_or(1);
    if step_width == 0 {
        return Err(ScheduleError::Step(part.to_owned()));
    }
    let values = (first..=last).step_by(step_width.into());
    let star = matches!(span, "*" | "?") && step_width == 1;
    Ok((values.fold(0, |bits, value| bits | 1 << value), star))
}

/// A number, or a name.
fn value(text: &str, bounds: &Bounds) -> Result<u8, ScheduleError> {
    let lower = text.to_lowercase();
    let named = bounds.names.iter().position(|name| **name == lower);
    match named.and_then(|position| u8::try_from(position).ok()) {
        Some(position) => Ok(bounds.first_name + position),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u8, ScheduleError> {
    let unreadable = || ScheduleError::Number(text.to_owned());
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unreadable());
    }
    text.parse().map_err(|_| unreadable())
}
