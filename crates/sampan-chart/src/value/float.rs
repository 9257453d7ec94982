//! Floating-point numbers as Go writes them (`strconv.FormatFloat` for 64 bits).

use std::fmt::Write as _;

/// No number has more digits than this that are not zero, before or behind its point.
const EXACT_DIGITS: usize = 1100;

/// The decimal digits of a number: `0.d₁d₂d₃… × 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

/// The text of a number for one of Go's formats `b e E f g G x X`; without a precision, as many digits as are needed
/// to read the same number back.
#[must_use]
pub fn format(value: f64, verb: u8, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-Inf" } else { "+Inf" }.to_owned();
    }
    let mut text = String::new();
    if value.is_sign_negative() {
        text.push('-');
    }
    let value = value.abs();
    match verb {
        b'b' => write_binary(&mut text, value),
        b'x' | b'X' => write_hexadecimal(&mut text, value, precision, verb == b'X'),
        b'e' | b'E' => {
            let decimal = scientific(value, precision);
            let precision = precision.unwrap_or(decimal.digits.len().saturating_sub(1));
            write_exponent(&mut text, &decimal, precision, verb);
        }
        b'f' => write_plain(&mut text, value, precision),
        _ => {
            let digits = precision.map(|precision| precision.max(1));
            let decimal = scientific(value, digits.map(|digits| digits - 1));
            write_general(&mut text, decimal, digits, verb);
        }
    }
    text
}

/// The text of a number as `print` and `%v` write it.
#[must_use]
pub fn print(value: f64) -> String {
    format(value, b'g', None)
}

/// The text of a `float32`, as `print` writes it.
#[must_use]
pub fn print_single(value: f32) -> String {
    if !value.is_finite() {
        return print(value.into());
    }
    let mut text = String::new();
    if value.is_sign_negative() {
        text.push('-');
    }
    let decimal = decimal(&format!("{:e}", value.abs()));
    write_general(&mut text, decimal, None, b'g');
    text
}

/// The digits of a number: the shortest, or so many behind the first one. Zero has none.
fn scientific(value: f64, precision: Option<usize>) -> Decimal {
    let text = match precision {
        Some(precision) => {
            let exact = precision.min(EXACT_DIGITS);
            format!("{value:.exact$e}")
        }
        None => shortest(value),
    };
    decimal(&text)
}

/// The fewest digits that read back as the same number, and of those the nearest. Where two are equally near, Go takes
/// the even one as rounding does, and the standard library the upper one.
fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let digits = text.find('e').unwrap_or(text.len());
    let places = digits.saturating_sub(2);
    let rounded = format!("{value:.places$e}");
    let is_same = rounded.parse() == Ok(value);
    if is_same { rounded } else { text }
}

fn decimal(text: &str) -> Decimal {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(|digit| *digit != b'.').collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if digits == b"0" {
        return Decimal {
            digits: Vec::new(),
            point: 0,
        };
    }
    Decimal {
        digits,
        point: exponent + 1,
    }
}

/// `%f`: without an exponent, and by default with no more digits than needed.
fn write_plain(text: &mut String, value: f64, precision: Option<usize>) {
    let Some(precision) = precision else {
        let decimal = scientific(value, None);
        let digits = to_i32(decimal.digits.len());
        let fraction = usize::try_from(digits - decimal.point).unwrap_or(0);
        return write_fixed(text, &decimal, fraction);
    };
    let exact = precision.min(EXACT_DIGITS);
    let _ = write!(text, "{value:.exact$}");
    text.extend(std::iter::repeat_n('0', precision - exact));
}

/// `%g`: with an exponent when it is small or large.
fn write_general(text: &mut String, mut decimal: Decimal, wanted: Option<usize>, verb: u8) {
    while decimal.digits.last() == Some(&b'0') {
        decimal.digits.pop();
    }
    let count = decimal.digits.len();
    let point = decimal.point;
    let mut precision = wanted.unwrap_or(count);
    let mut threshold = to_i32(precision);
    if threshold > to_i32(count) && to_i32(count) >= point {
        threshold = to_i32(count);
    }
    if wanted.is_none() {
        threshold = 6;
    }
    let exponent = point - 1;
    if exponent < -4 || exponent >= threshold {
        precision = precision.min(count);
        let letter = if verb == b'G' { b'E' } else { b'e' };
        write_exponent(text, &decimal, precision.saturating_sub(1), letter);
        return;
    }
    if to_i32(precision) > point {
        precision = count;
    }
    let fraction = usize::try_from(to_i32(precision) - point).unwrap_or(0);
    write_fixed(text, &decimal, fraction);
}

/// Digits with so many of them behind the point.
fn write_fixed(text: &mut String, decimal: &Decimal, fraction: usize) {
    let digit = |position: i32| -> char {
        usize::try_from(position)
            .ok()
            .and_then(|position| decimal.digits.get(position))
            .map_or('0', |digit| char::from(*digit))
    };
    if decimal.point > 0 {
        text.extend((0..decimal.point).map(digit));
    } else {
        text.push('0');
    }
    if fraction > 0 {
        text.push('.');
        text.extend((0..to_i32(fraction)).map(|place| digit(decimal.point + place)));
    }
}

/// `d.ddde±dd`
fn write_exponent(text: &mut String, decimal: &Decimal, precision: usize, letter: u8) {
    let digit = |position: usize| decimal.digits.get(position).map_or('0', |d| char::from(*d));
    text.push(digit(0));
    if precision > 0 {
        text.push('.');
        text.extend((1..=precision).map(digit));
    }
    text.push(char::from(letter));
    let exponent = if decimal.digits.is_empty() {
        0
    } else {
        decimal.point - 1
    };
    text.push(if exponent < 0 { '-' } else { '+' });
    let _ = write!(text, "{:02}", exponent.unsigned_abs());
}

/// The bits of a number as an integer and the power of two that it is multiplied with.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | (1 << 52), exponent - 1075)
    }
}

/// `%b`: the mantissa and the power of two.
fn write_binary(text: &mut String, value: f64) {
    let (mantissa, exponent) = parts(value);
    let _ = write!(text, "{mantissa}p{exponent:+}");
}

/// `%x`: `0x1.ffp±dd`
fn write_hexadecimal(text: &mut String, value: f64, precision: Option<usize>, upper: bool) {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        exponent += 52;
    }
    // The leading digit is 1: its bit goes to place 60, and 15 hexadecimal digits follow.
    mantissa <<= 8;
    while mantissa != 0 && mantissa & (1 << 60) == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut body = String::from("0x");
    body.push(if (mantissa >> 60) & 1 == 1 { '1' } else { '0' });
    mantissa <<= 4;
    if precision.map_or(mantissa != 0, |precision| precision > 0) {
        body.push('.');
        let mut left = precision;
        while left.map_or(mantissa != 0, |left| left > 0) {
            let digit = u32::try_from(mantissa >> 60).unwrap_or(0);
            body.push(char::from_digit(digit, 16).unwrap_or('0'));
            mantissa <<= 4;
            left = left.map(|left| left - 1);
        }
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(body, "p{sign}{:02}", exponent.unsigned_abs());
    text.push_str(&if upper {
        body.to_ascii_uppercase()
    } else {
        body
    });
}

fn to_i32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
