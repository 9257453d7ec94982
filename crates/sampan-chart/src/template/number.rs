//! Number literals, which are of every type that can hold them, as Go's constants are.

use super::unquote::unquote_rune;
use crate::value::quote;

/// A number literal and what it is as each of Go's kinds of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Number {
    pub(super) integer: Option<i64>,
    pub(super) unsigned: Option<u64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
    /// What it is where nothing says which type is wanted.
    pub(super) ideal: Ideal,
}

/// The type that the syntax of a number literal implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ideal {
    Complex,
    Float,
    #[default]
    Integer,
    /// An integer beyond `int`.
    Overflow,
}

impl Number {
    /// A character literal such as `'a'`.
    pub(super) fn from_rune(text: &[u8]) -> Result<Self, String> {
        let (code, tail) = unquote_rune(&text[1..]).ok_or_else(|| "invalid syntax".to_owned())?;
        if tail != b"'" {
            let text = String::from_utf8_lossy(text);
            return Err(format!("malformed character constant: {text}"));
        }
        Ok(Self {
            integer: Some(i64::from(code)),
            unsigned: Some(u64::from(code)),
            float: Some(f64::from(code)),
            complex: None,
            ideal: Ideal::Integer,
        })
    }

    /// A pair such as `1+2i`.
    pub(super) fn from_complex(text: &str) -> Result<Self, String> {
        let body = text.strip_suffix('i').unwrap_or(text);
        // The sign between the parts is the last one that does not belong to an exponent.
        let split = body
            .char_indices()
            .filter(|(position, sign)| {
                let exponent = body[..*position].ends_with(['e', 'E', 'p', 'P']);
                *position > 0 && matches!(sign, '+' | '-') && !exponent
            })
            .map(|(position, _)| position)
            .next_back();
        let Some(split) = split else {
            return Err("syntax error scanning complex number".to_owned());
        };
        let (real, imaginary) = body.split_at(split);
        let parse = |part: &str| {
            parse_float(part).ok_or_else(|| {
                let part = quote::quote(part.as_bytes());
                format!("strconv.ParseFloat: parsing {part}: invalid syntax")
            })
        };
        let (real, imaginary) = (parse(real)?, parse(imaginary)?);
        Ok(Self::complex(real, imaginary))
    }

    /// Any other number.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(imaginary) = text.strip_suffix('i').and_then(parse_float) {
            return Ok(Self::complex(0.0, imaginary));
        }
        let mut number = Self {
            unsigned: parse_unsigned(text),
            integer: parse_integer(text),
            ..Self::default()
        };
        if number.integer == Some(0) {
            number.unsigned = Some(0);
        }
        if let Some(integer) = number.integer {
            number.float = Some(to_float(integer.into()));
        } else if let Some(unsigned) = number.unsigned {
            number.float = Some(to_float(unsigned.into()));
        } else if let Some(float) = parse_float(text) {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                let text = quote::quote(text.as_bytes());
                return Err(format!("integer overflow: {text}"));
            }
            number.float = Some(float);
            number.integer = exact_integer(float);
            number.unsigned = exact_unsigned(float);
        } else {
            let text = quote::quote(text.as_bytes());
            return Err(format!("illegal number syntax: {text}"));
        }
        number.ideal = ideal(text, &number);
        Ok(number)
    }

    fn complex(real: f64, imaginary: f64) -> Self {
        let plain = imaginary == 0.0;
        Self {
            integer: exact_integer(real).filter(|_| plain),
            unsigned: exact_unsigned(real).filter(|_| plain),
            float: plain.then_some(real),
            complex: Some((real, imaginary)),
            ideal: Ideal::Complex,
        }
    }
}

fn ideal(text: &str, number: &Number) -> Ideal {
    let bytes = text.as_bytes();
    let hexadecimal = bytes.len() > 2
        && bytes[0] == b'0'
        && matches!(bytes[1], b'x' | b'X')
        && !text.contains(['p', 'P']);
    if !hexadecimal && text.contains(['.', 'e', 'E', 'p', 'P']) {
        Ideal::Float
    } else if number.integer.is_some() {
        Ideal::Integer
    } else {
        Ideal::Overflow
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Go rounds large integers to floats as well"
)]
fn to_float(integer: i128) -> f64 {
    integer as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is within the bounds of the type and has no fraction"
)]
fn exact_integer(float: f64) -> Option<i64> {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
    (fits && float.fract() == 0.0).then_some(float as i64)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is within the bounds of the type and has no fraction"
)]
fn exact_unsigned(float: f64) -> Option<u64> {
    let fits = (0.0..18_446_744_073_709_551_616.0).contains(&float);
    (fits && float.fract() == 0.0).then_some(float as u64)
}

/// `strconv.ParseInt` with base 0.
pub(super) fn parse_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let magnitude = i128::from(parse_unsigned(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// `strconv.ParseUint` with base 0.
pub(super) fn parse_unsigned(text: &str) -> Option<u64> {
    if let [b'1'..=b'9', digits @ ..] = text.as_bytes()
        && digits.iter().all(u8::is_ascii_digit)
    {
        return text.parse().ok();
    }
    let lower = text.to_ascii_lowercase();
    let (base, digits) = if text.len() < 3 {
        match text.strip_prefix('0') {
            Some(rest) => (8, rest),
            None => (10, text),
        }
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix('0') {
        (8, digits)
    } else {
        (10, lower.as_str())
    };
    if text.is_empty() || !underscores_are_well_placed(&lower) {
        return None;
    }
    let mut number = 0_u64;
    for digit in digits.chars().filter(|digit| *digit != '_') {
        let digit = u64::from(digit.to_digit(base)?);
        number = number.checked_mul(base.into())?.checked_add(digit)?;
    }
    Some(number)
}

/// `strconv.ParseFloat`; none also for what is too large.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    if lower.contains('_') && !underscores_are_well_placed(&lower) {
        return None;
    }
    let plain: String = lower.chars().filter(|digit| *digit != '_').collect();
    let unsigned = plain.trim_start_matches(['+', '-']);
    let float = match unsigned.strip_prefix("0x") {
        Some(digits) if plain.len() - unsigned.len() <= 1 => {
            let value = parse_hexadecimal(digits)?;
            if plain.starts_with('-') {
                -value
            } else {
                value
            }
        }
        _ if unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            plain.parse::<f64>().ok()?
        }
        _ => return None,
    };
    float.is_finite().then_some(float)
}

/// The part of a hexadecimal float behind `0x`.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let digits_of_exponent = exponent.strip_prefix('-').unwrap_or(exponent);
    if digits_of_exponent.is_empty() || !digits_of_exponent.bytes().all(|d| d.is_ascii_digit()) {
        return None;
    }
    let mut exponent: i32 = exponent.parse().unwrap_or(if exponent.starts_with('-') {
        -100_000
    } else {
        100_000
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    exponent = exponent.saturating_sub(i32::try_from(fraction.len() * 4).ok()?);
    let mut bits = 0_u64;
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(digit.to_digit(16)?);
        if bits >> 58 == 0 {
            bits = bits << 4 | digit;
        } else {
            // What does not fit only decides how the last place is rounded.
            exponent = exponent.saturating_add(4);
            bits |= u64::from(digit != 0);
        }
    }
    let mut value = to_float(bits.into());
    // In two steps, so that neither factor leaves the range while the product is inside.
    let half = exponent.clamp(-2200, 2200) / 2;
    value *= 2_f64.powi(half);
    Some(value * 2_f64.powi(exponent.clamp(-2200, 2200) - half))
}

/// Whether underscores stand between digits only, or behind the prefix of a base; the text is in lower case.
fn underscores_are_well_placed(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let mut previous = b'^';
    let mut start = 0;
    let mut hexadecimal = false;
    if let [b'0', base @ (b'b' | b'o' | b'x'), ..] = text {
        start = 2;
        previous = b'0';
        hexadecimal = *base == b'x';
    }
    for byte in &text[start..] {
        let digit = byte.is_ascii_digit() || hexadecimal && (b'a'..=b'f').contains(byte);
        previous = match (byte, previous) {
            _ if digit => b'0',
            (b'_', b'0') => b'_',
            (b'_', _) | (_, b'_') => return false,
            _ => b'!',
        };
    }
    previous != b'_'
}
