//! Numbers from texts and to texts.

/// The number that a text stands for, by the rules of JavaScript's `Number()` as the runner has them; NaN for the rest.
pub(super) fn parse(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.eq_ignore_ascii_case("Infinity") {
        return if text.starts_with('-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+');
    if text.chars().all(decimal) {
        text.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    }
}

/// Digits of 32 bits; the topmost bit is the sign, as the runner reads them.
#[expect(clippy::cast_possible_wrap, reason = "the topmost bit is the sign")]
fn radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return f64::NAN;
    }
    u32::from_str_radix(digits, radix).map_or(f64::NAN, |bits| f64::from(bits as i32))
}

/// How many digits a number is written with.
const DIGITS: usize = 15;

/// The number as text, with 15 digits at most: the format `G15` of .NET.
pub(super) fn format(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:.*e}", DIGITS - 1, number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let digits = digits.trim_end_matches('0');
    let sign = if number < 0.0 { "-" } else { "" };
    match usize::try_from(exponent) {
        Ok(exponent) if exponent < DIGITS => {
            let whole: String = digits
                .chars()
                .chain(std::iter::repeat('0'))
                .take(exponent + 1)
                .collect();
            match digits.get(exponent + 1..) {
                Some(fraction) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
                _ => format!("{sign}{whole}"),
            }
        }
        Err(_) if exponent > -5 => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let direction = if exponent < 0 { '-' } else { '+' };
            format!(
                "{sign}{first}{point}{rest}E{direction}{:02}",
                exponent.abs()
            )
        }
    }
}
