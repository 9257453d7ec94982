//! The types of scalars.
//!
//! YAML 1.2's core schema with what `kubectl` takes from YAML 1.1: `yes`, `no`, `on` and `off` are booleans, `0644` is
//! octal, and digits may be grouped by `_`.

use serde_json::Number;
use serde_saphyr::granit_parser::Tag;

use super::{Content, ScalarStyle, Written};

pub(super) fn content(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<Content, &'static str> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Text => Ok(Content::String(text.to_owned(), style)),
            ScalarStyle::Plain => plain(text),
        };
    };
    let typed = match tag.core_suffix() {
        Some("str") => return Ok(Content::String(text.to_owned(), ScalarStyle::Text)),
        Some("null") => null(text).then_some(Content::Null),
        Some("bool") => boolean(text).map(|value| Content::Bool(written(value, text))),
        Some("int" | "float") => number(text).map(|value| Content::Number(written(value, text))),
        _ => return Err("the tag is not known; only those of YAML's core schema are"),
    };
    typed.ok_or("the value does not fit its tag")
}

fn plain(text: &str) -> Result<Content, &'static str> {
    if null(text) {
        return Ok(Content::Null);
    }
    if let Some(value) = boolean(text) {
        return Ok(Content::Bool(written(value, text)));
    }
    if let Some(value) = number(text) {
        return Ok(Content::Number(written(value, text)));
    }
    let unsigned = text.trim_start_matches(['-', '+']).to_ascii_lowercase();
    if unsigned == ".inf" || text.eq_ignore_ascii_case(".nan") {
        return Err("a number must be finite; put the value in quotes where text is meant");
    }
    Ok(Content::String(text.to_owned(), ScalarStyle::Plain))
}

fn written<T>(value: T, text: &str) -> Written<T> {
    Written {
        value,
        text: text.to_owned(),
    }
}

fn null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// The number that an unquoted text stands for.
pub(crate) fn number(text: &str) -> Option<Number> {
    let first_digit = text.trim_start_matches(['-', '+']).trim_start_matches('.');
    if !first_digit.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    integer(&text.replace('_', "")).or_else(|| float(text))
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude).map(Number::from)
    } else {
        Some(magnitude.into())
    }
}

fn float(text: &str) -> Option<Number> {
    if !text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
    {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    // `1e3` is the number 1000, and JSON has one type for both.
    let whole = format!("{value:.0}")
        .parse::<i64>()
        .ok()
        .filter(|_| value.fract() == 0.0 && value.abs() < 1e15);
    whole.map(Number::from).or_else(|| Number::from_f64(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Content, plain};

    #[test]
    fn types_follow_from_the_text() {
        for (text, value) in [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("+3", json!(3)),
            ("0644", json!(0o644)),
            ("0o644", json!(0o644)),
            ("0x1F", json!(31)),
            ("1_000", json!(1000)),
            ("1e3", json!(1000)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("-.5e1", json!(-5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("yes", json!(true)),
            ("off", json!(false)),
            ("~", json!(null)),
        ] {
            let content = plain(text).expect("the text has a type");
            let node = super::super::Node {
                location: location(),
                content,
            };
            assert_eq!(node.to_json(), value, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_text() {
        for text in [
            "1.0.0",
            "1.5Gi",
            "500m",
            "0x",
            "-",
            ".",
            "1-2",
            "12:30",
            "e3",
            "_1",
            "2026-01-01",
            "+-1",
            "y",
        ] {
            assert!(matches!(plain(text), Ok(Content::String(..))), "{text}");
        }
        assert!(plain(".inf").is_err());
        assert!(plain("-.Inf").is_err());
    }

    fn location() -> super::super::Location {
        super::super::Location {
            file: "x".into(),
            line: 1,
            column: 1,
        }
    }
}
