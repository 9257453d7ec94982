//! Durations as Go's `time.ParseDuration` reads them: `1h30m`, `-1.5h`, `300ms`.

/// A text that is no duration.
#[derive(Debug, thiserror::Error)]
pub(super) enum DurationError {
    #[error("time: invalid duration {0}")]
    Form(String),
    #[error("time: missing unit in duration {0}")]
    NoUnit(String),
    #[error("time: unknown unit {1} in duration {0}")]
    Unit(String, String),
}

const LIMIT: u64 = 1 << 63;

/// The nanoseconds of a duration.
pub(super) fn parse(text: &[u8]) -> Result<i64, DurationError> {
    let wrong = || DurationError::Form(quote(text));
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, behind) = part(rest, text)?;
        rest = behind;
        // The sum may wrap around, as Go's does.
        total = total.wrapping_add(nanoseconds);
        if total > LIMIT {
            return Err(wrong());
        }
    }
    match (is_negative, i64::try_from(total)) {
        (true, Ok(total)) => Ok(-total),
        (true, Err(_)) => Ok(i64::MIN),
        (false, total) => total.map_err(|_| wrong()),
    }
}

/// A number with its unit, and what follows.
fn part<'a>(text: &'a [u8], whole: &[u8]) -> Result<(u64, &'a [u8]), DurationError> {
    let wrong = || DurationError::Form(quote(whole));
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (integer, rest) = text.split_at(digits);
    let mut value: u64 = 0;
    for digit in integer {
        let next = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit - b'0')));
        value = next.filter(|value| *value <= LIMIT).ok_or_else(wrong)?;
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count())
        }
        rest => (&rest[..0], rest),
    };
    if integer.is_empty() && fraction.is_empty() {
        return Err(wrong());
    }
    let end = rest.iter().position(is_of_number).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let unit = match name {
        b"" => return Err(DurationError::NoUnit(quote(whole))),
        b"ns" => 1,
        // The sign for micro comes as a Greek letter, too.
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        name => return Err(DurationError::Unit(quote(whole), quote(name))),
    };
    let nanoseconds = value
        .checked_mul(unit)
        .filter(|value| *value <= LIMIT)
        .ok_or_else(wrong)?;
    let nanoseconds = nanoseconds.checked_add(fraction_of(fraction, unit));
    Ok((
        nanoseconds
            .filter(|value| *value <= LIMIT)
            .ok_or_else(wrong)?,
        rest,
    ))
}

/// A decimal fraction of a unit, in the floats that Go computes with.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the result is below an hour"
)]
fn fraction_of(digits: &[u8], unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits {
        if value > (LIMIT - 1) / 10 {
            break;
        }
        value = value * 10 + u64::from(digit - b'0');
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// Text in quotes as the package `time` writes it: what is no printable ASCII as bytes.
pub(super) fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=0x7f => quoted.push(char::from(*byte)),
            byte => quoted.extend(format!("\\x{byte:02x}").chars()),
        }
    }
    quoted.push('"');
    quoted
}
