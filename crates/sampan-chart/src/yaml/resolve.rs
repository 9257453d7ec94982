//! What plain text means by the rules of YAML 1.1, as go-yaml reads them.

use std::borrow::Cow;

use super::Fault;
use super::parser::TAG_PREFIX;
use super::timestamp;

/// What a scalar is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    /// Within the range of `int64` or `uint64`.
    Integer(i128),
    Float(f64),
    /// A date or time, which stays text.
    Timestamp,
    Text,
}

impl Meaning {
    fn tag(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Integer(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::Text => "!!str",
        }
    }
}

/// What text with a tag means; tags that YAML does not define leave it text.
pub(super) fn with_tag(tag: &[u8], text: &[u8]) -> Result<Meaning, Fault> {
    let wanted = match tag.strip_prefix(TAG_PREFIX) {
        Some(b"null") => "!!null",
        Some(b"bool") => "!!bool",
        Some(b"int") => "!!int",
        Some(b"float") => "!!float",
        Some(b"timestamp") => "!!timestamp",
        _ => return Ok(Meaning::Text),
    };
    let meaning = of(text, wanted == "!!timestamp");
    match meaning {
        Meaning::Integer(number) if wanted == "!!float" && i64::try_from(number).is_ok() => {
            Ok(Meaning::Float(to_float(number)))
        }
        _ if meaning.tag() == wanted => Ok(meaning),
        _ => {
            let (found, text) = (meaning.tag(), String::from_utf8_lossy(text));
            let problem = format!("cannot decode {found} `{text}` as a {wanted}");
            Err(Fault::meaning(problem))
        }
    }
}

/// What plain text without a tag means.
pub(super) fn plain(text: &[u8]) -> Meaning {
    of(text, true)
}

fn of(text: &[u8], may_be_timestamp: bool) -> Meaning {
    let Some(first) = text.first() else {
        return Meaning::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => special_float(text).unwrap_or_else(|| point_float(text)),
        b'+' | b'-' | b'0'..=b'9' => {
            special_float(text).unwrap_or_else(|| number(text, may_be_timestamp))
        }
        _ => Meaning::Text,
    }
}

fn word(text: &[u8]) -> Meaning {
    match text {
        b"y" | b"Y" | b"yes" | b"Yes" | b"YES" | b"true" | b"True" | b"TRUE" | b"on" | b"On"
        | b"ON" => Meaning::Bool(true),
        b"n" | b"N" | b"no" | b"No" | b"NO" | b"false" | b"False" | b"FALSE" | b"off" | b"Off"
        | b"OFF" => Meaning::Bool(false),
        b"~" | b"null" | b"Null" | b"NULL" => Meaning::Null,
        _ => Meaning::Text,
    }
}

fn special_float(text: &[u8]) -> Option<Meaning> {
    let number = match text {
        b".nan" | b".NaN" | b".NAN" => f64::NAN,
        b".inf" | b".Inf" | b".INF" | b"+.inf" | b"+.Inf" | b"+.INF" => f64::INFINITY,
        b"-.inf" | b"-.Inf" | b"-.INF" => f64::NEG_INFINITY,
        _ => return None,
    };
    Some(Meaning::Float(number))
}

fn number(text: &[u8], may_be_timestamp: bool) -> Meaning {
    if may_be_timestamp && timestamp::is_timestamp(text) {
        return Meaning::Timestamp;
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return Meaning::Text;
    };
    let digits = without_separators(text);
    if let Some(number) = integer(&digits) {
        return Meaning::Integer(number);
    }
    if let Some(number) = decimal(&digits) {
        return Meaning::Float(number);
    }
    // `0b-1`: a sign behind the prefix slips through go-yaml's second look at binary numbers.
    let signed = digits.strip_prefix("0b").and_then(|rest| {
        let magnitude = unsigned(rest.strip_prefix(['+', '-'])?, 2)?;
        Some(if rest.starts_with('-') {
            -magnitude
        } else {
            magnitude
        })
    });
    match signed {
        Some(number) if i64::try_from(number).is_ok() => Meaning::Integer(number),
        _ => Meaning::Text,
    }
}

fn without_separators(text: &str) -> Cow<'_, str> {
    if text.contains('_') {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// An integer in Go's notation: `0x`, `0o`, `0b`, or `0` for octal. Those beyond `uint64` are none.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let is_signed = digits.len() < text.len();
    let magnitude = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => unsigned(&digits[2..], 16)?,
        [b'0', b'o' | b'O', _, ..] => unsigned(&digits[2..], 8)?,
        [b'0', b'b' | b'B', _, ..] => unsigned(&digits[2..], 2)?,
        [b'0'] => 0,
        [b'0', ..] => unsigned(&digits[1..], 8)?,
        _ => unsigned(digits, 10)?,
    };
    let number = if negative { -magnitude } else { magnitude };
    let fits = i64::try_from(number).is_ok() || !is_signed && u64::try_from(number).is_ok();
    fits.then_some(number)
}

fn unsigned(digits: &str, base: u32) -> Option<i128> {
    if digits.is_empty() || !digits.chars().all(|char| char.is_digit(base)) {
        return None;
    }
    // Longer ones are beyond any range, but for zeros in front.
    match digits.trim_start_matches('0') {
        "" => Some(0),
        short => i128::from_str_radix(short, base).ok(),
    }
}

/// `1`, `1.`, `1.5`, `.5`, with an exponent or without; what is too large is none.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !are_digits(digits) {
            return None;
        }
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number that begins with its point; underscores may stand between digits.
fn point_float(text: &[u8]) -> Meaning {
    let Ok(text) = std::str::from_utf8(text) else {
        return Meaning::Text;
    };
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let separated = bytes.iter().enumerate().all(|(index, byte)| {
        *byte != b'_' || is_digit(bytes.get(index - 1)) && is_digit(bytes.get(index + 1))
    });
    match decimal(&without_separators(text)) {
        Some(number) if separated => Meaning::Float(number),
        _ => Meaning::Text,
    }
}

/// The nearest `float64`.
pub(super) fn to_float(number: i128) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "JSON has no other numbers in Go"
    )]
    let float = number as f64;
    float
}
