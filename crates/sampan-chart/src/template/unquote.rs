//! Literals in quotes (`strconv.Unquote`).

use std::borrow::Cow;

use crate::value::decode_rune;

/// What a literal in double or back quotes stands for; none when it is malformed.
pub(super) fn unquote(literal: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (quote, rest) = literal.split_first()?;
    let (last, body) = rest.split_last()?;
    if quote != last {
        return None;
    }
    if *quote == b'`' {
        // Carriage returns do not belong to raw strings.
        return Some(match memchr::memchr(b'\r', body) {
            None => Cow::Borrowed(body),
            Some(_) => body.iter().copied().filter(|byte| *byte != b'\r').collect(),
        });
    }
    if memchr::memchr3(b'\\', b'"', b'\n', body).is_none() && std::str::from_utf8(body).is_ok() {
        return Some(Cow::Borrowed(body));
    }
    let mut text = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        if rest[0] == b'\n' {
            return None;
        }
        let (unit, tail) = unquote_unit(rest, b'"')?;
        match unit {
            Unit::Byte(byte) => text.push(byte),
            Unit::Rune(rune) => {
                text.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        rest = tail;
    }
    Some(Cow::Owned(text))
}

/// The code of a character literal, without its opening quote, and what stands behind the character.
pub(super) fn unquote_rune(text: &[u8]) -> Option<(u32, &[u8])> {
    let (unit, tail) = unquote_unit(text, b'\'')?;
    match unit {
        Unit::Byte(byte) => Some((u32::from(byte), tail)),
        Unit::Rune(rune) => Some((u32::from(rune), tail)),
    }
}

enum Unit {
    Byte(u8),
    Rune(char),
}

/// The first byte or character, with its escape resolved, and what follows.
fn unquote_unit(text: &[u8], quote: u8) -> Option<(Unit, &[u8])> {
    let first = *text.first()?;
    if first == quote {
        return None;
    }
    if first != b'\\' {
        let (rune, width) = decode_rune(text);
        let rune = rune.unwrap_or(char::REPLACEMENT_CHARACTER);
        return Some((Unit::Rune(rune), &text[width..]));
    }
    let letter = *text.get(1)?;
    let rest = &text[2..];
    let byte = match letter {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'\'' | b'"' if letter == quote => letter,
        b'x' => {
            let code = digits(rest, 2, 16)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), &rest[2..]));
        }
        b'u' | b'U' => {
            let count = if letter == b'u' { 4 } else { 8 };
            let rune = char::from_u32(digits(rest, count, 16)?)?;
            return Some((Unit::Rune(rune), &rest[count..]));
        }
        b'0'..=b'7' => {
            let code = digits(&text[1..], 3, 8)?;
            return Some((Unit::Byte(u8::try_from(code).ok()?), &rest[2..]));
        }
        _ => return None,
    };
    Some((Unit::Byte(byte), rest))
}

/// The number in the first digits; all must be there.
fn digits(text: &[u8], count: usize, base: u32) -> Option<u32> {
    let text = text.get(..count)?;
    text.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(base)?;
        Some(number.checked_mul(base)? + digit)
    })
}
