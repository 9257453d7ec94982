//! Numbers out of values of any type, as spf13/cast and Go's strconv make them.

use crate::value::{Integer, IntegerType, Value};

/// Go's conversion to `int`, zero where there is none. Texts may be octal, hexadecimal or binary by their prefix.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Bool(value) => i64::from(*value),
        // A duration is no `int64` to a type switch.
        Value::Integer(Integer {
            of: IntegerType::Duration,
            ..
        }) => 0,
        Value::Integer(integer) => wrap(integer.value),
        Value::Float(value) => truncate(*value),
        Value::Text(text) => parse_integer(trim_zero_decimal(text), 0).unwrap_or(0),
        _ => 0,
    }
}

/// The same with the library of Helm 4, which cuts the fractions of texts off.
pub(super) fn to_int_cut(value: &Value) -> i64 {
    match value {
        Value::Text(text) => parse_integer(without_fraction(text), 0).unwrap_or(0),
        other => to_int(other),
    }
}

/// The integer part of a plain decimal number; other texts as they are.
fn without_fraction(text: &[u8]) -> &[u8] {
    let Some(point) = text.iter().position(|byte| *byte == b'.') else {
        return text;
    };
    let (whole, fraction) = (&text[..point], &text[point + 1..]);
    let digits = whole
        .strip_prefix(b"-")
        .or_else(|| whole.strip_prefix(b"+"))
        .unwrap_or(whole);
    let is_decimal = digits.iter().chain(fraction).all(u8::is_ascii_digit);
    match (is_decimal, digits.is_empty()) {
        (true, true) => b"0",
        (true, false) => whole,
        (false, _) => text,
    }
}

/// Go's conversion to `float64`, zero where there is none.
#[expect(clippy::cast_precision_loss, reason = "Go rounds as well")]
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Integer(Integer {
            of: IntegerType::Duration,
            ..
        }) => 0.0,
        Value::Integer(integer) => integer.value as f64,
        Value::Float(value) => *value,
        Value::Text(text) => parse_float(text).unwrap_or(0.0),
        _ => 0.0,
    }
}

/// What does not fit 64 bits loses its upper ones.
#[expect(
    clippy::cast_possible_truncation,
    reason = "Go's conversion between integer types"
)]
fn wrap(value: i128) -> i64 {
    value as i64
}

/// The integer part; what does not fit is the smallest integer, as processors have it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit is handled"
)]
pub(super) fn truncate(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// `10.0` counts as the integer 10, `10.5` as no integer.
fn trim_zero_decimal(text: &[u8]) -> &[u8] {
    let trimmed = text.iter().rposition(|byte| *byte != b'0');
    match trimmed {
        Some(point) if text.get(point) == Some(&b'.') && point + 1 < text.len() => &text[..point],
        _ => text,
    }
}

/// Go's `strconv.ParseInt` to 64 bits: by the prefix when the base is 0, which also allows underscores. None for what
/// is no number or does not fit.
pub(super) fn parse_integer(text: &[u8], base: u32) -> Option<i64> {
    let value = parse_digits(text, base)?;
    i64::try_from(value).ok()
}

/// Go's `strconv.Atoi` with its error dropped: what does not fit is the nearest number that does.
pub(super) fn parse_saturating(text: &[u8]) -> i64 {
    let limit = if text.first() == Some(&b'-') {
        i64::MIN
    } else {
        i64::MAX
    };
    parse_digits(text, 10).map_or(0, |value| i64::try_from(value).unwrap_or(limit))
}

/// The number that signed digits mean, any beyond 64 bits for what is larger.
fn parse_digits(text: &[u8], base: u32) -> Option<i128> {
    const ENOUGH: i128 = 1 << 100;
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let (radix, digits) = match (base, digits) {
        (0, [b'0', b'x' | b'X', rest @ ..]) => (16, rest),
        (0, [b'0', b'o' | b'O', rest @ ..]) => (8, rest),
        (0, [b'0', b'b' | b'B', rest @ ..]) => (2, rest),
        (0, [b'0', rest @ ..]) if !rest.is_empty() => (8, rest),
        (0, rest) => (10, rest),
        (base, rest) => (base, rest),
    };
    if digits.is_empty()
        || (digits.contains(&b'_') && !(base == 0 && are_underscores_allowed(text)))
    {
        return None;
    }
    let mut value: i128 = 0;
    for byte in digits.iter().filter(|byte| **byte != b'_') {
        let digit = char::from(*byte).to_digit(radix)?;
        if value < ENOUGH {
            value = value * i128::from(radix) + i128::from(digit);
        }
    }
    Some(if negative { -value } else { value })
}

/// Whether each underscore stands between digits, or between the base prefix and a digit.
fn are_underscores_allowed(text: &[u8]) -> bool {
    let digits = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    let (is_hexadecimal, mut last_is_digit, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (true, true, rest),
        [b'0', b'b' | b'B' | b'o' | b'O', rest @ ..] => (false, true, rest),
        rest => (false, false, rest),
    };
    let mut last_is_underscore = false;
    for byte in digits {
        let is_digit = byte.is_ascii_digit() || (is_hexadecimal && byte.is_ascii_hexdigit());
        let is_underscore = *byte == b'_';
        if (is_underscore && !last_is_digit) || (!is_underscore && !is_digit && last_is_underscore)
        {
            return false;
        }
        last_is_digit = is_digit;
        last_is_underscore = is_underscore;
    }
    !last_is_underscore
}

/// Go's `strconv.ParseFloat` to 64 bits. None for what is no number or too large for one.
pub(super) fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with(|first: char| first.is_ascii_alphabetic()) {
        let is_signed = unsigned.len() != text.len();
        let is_infinite = ["inf", "infinity"]
            .iter()
            .any(|name| unsigned.eq_ignore_ascii_case(name));
        let is_nan = !is_signed && unsigned.eq_ignore_ascii_case("nan");
        return if is_infinite || is_nan {
            text.parse().ok()
        } else {
            None
        };
    }
    if text.contains('_') && !are_underscores_allowed(text.as_bytes()) {
        return None;
    }
    let digits = text.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let value = match unsigned
        .strip_prefix("0x")
        .or_else(|| unsigned.strip_prefix("0X"))
    {
        Some(hexadecimal) => parse_hexadecimal(hexadecimal).map(|value| {
            if digits.starts_with('-') {
                -value
            } else {
                value
            }
        }),
        None => digits.parse().ok(),
    };
    value.filter(|value: &f64| value.is_finite())
}

/// `1.8p-3`: hexadecimal digits times a power of two, which must be there.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(value * f64::from(exponent.checked_sub(shift)?).exp2())
}
