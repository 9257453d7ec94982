//! Parts of texts. Most of these functions count bytes, and cut characters in two.

use crate::functions::FunctionError;
use crate::functions::arguments::Arguments;
use crate::functions::runes::decode;
use crate::value::Value;

/// What is left of a text when characters are taken off both ends.
fn trimmed(text: &[u8], is_taken: impl Fn(char) -> bool) -> &[u8] {
    let (mut start, mut end, mut at) = (None, 0, 0);
    for (char, bytes) in decode(text) {
        if !is_taken(char) {
            start = start.or(Some(at));
            end = at + bytes.len();
        }
        at += bytes.len();
    }
    start.map_or(&[], |start| &text[start..end])
}

pub(super) fn trim(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(trimmed(
        arguments.text(0)?,
        char::is_whitespace,
    )))
}

pub(super) fn trim_all(arguments: &[Value]) -> Result<Value, FunctionError> {
    let taken: Vec<char> = decode(arguments.text(0)?).map(|(char, _)| char).collect();
    Ok(Value::text(trimmed(arguments.text(1)?, |char| {
        taken.contains(&char)
    })))
}

pub(super) fn trim_suffix(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(1)?;
    Ok(Value::text(
        text.strip_suffix(&**arguments.text(0)?).unwrap_or(text),
    ))
}

pub(super) fn trim_prefix(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(1)?;
    Ok(Value::text(
        text.strip_prefix(&**arguments.text(0)?).unwrap_or(text),
    ))
}

/// The bytes but blanks, each taken for a character of Latin-1, where there are blanks.
pub(super) fn nospace(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(0)?;
    let is_blank = |byte: &u8| char::from(*byte).is_whitespace();
    if !text.iter().any(is_blank) {
        return Ok(Value::Text(text.clone()));
    }
    let kept: String = text
        .iter()
        .filter(|byte| !is_blank(byte))
        .copied()
        .map(char::from)
        .collect();
    Ok(Value::text(kept))
}

/// The first bytes, or the last ones where the number is negative.
pub(super) fn trunc(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(1)?;
    let count = arguments.int(0)?;
    let bytes = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(Value::text(match text.len().checked_sub(bytes) {
        Some(start) if count < 0 && start > 0 => &text[start..],
        Some(_) if count >= 0 => &text[..bytes],
        _ => text,
    }))
}

pub(super) fn substr(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (start, end, text) = (arguments.int(0)?, arguments.int(1)?, arguments.text(2)?);
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let (start, end, range) = match (start, end) {
        (..0, _) if end > length => (0, end, format!("[:{end}] with length {length}")),
        (..0, _) => (0, end, format!("[:{end}]")),
        (_, ..0) => (start, length, format!("[{start}:{length}]")),
        (_, _) if end > length => (start, length, format!("[{start}:{length}]")),
        (_, _) => (start, end, format!("[{start}:{end}]")),
    };
    let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = part.and_then(|(start, end)| text.get(start..end));
    let problem =
        || FunctionError::new(format!("runtime error: slice bounds out of range {range}"));
    Ok(Value::text(part.ok_or_else(problem)?))
}

pub(super) fn abbrev(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (width, text) = (arguments.int(0)?, arguments.text(1)?);
    if width < 4 {
        return Ok(Value::Text(text.clone()));
    }
    Ok(Value::text(abbreviated(text, 0, width)))
}

pub(super) fn abbrev_both(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (offset, width, text) = (arguments.int(0)?, arguments.int(1)?, arguments.text(2)?);
    if width < 4 || (offset > 0 && width < 7) {
        return Ok(Value::Text(text.clone()));
    }
    Ok(Value::text(abbreviated(text, offset, width)))
}

/// A text in a width of at least four bytes, with dots for what was left out: from an offset on, if that is beyond the
/// first bytes.
fn abbreviated(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    const DOTS: &[u8] = b"...";
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    if text.len() <= width {
        return text.to_vec();
    }
    let inner = width - DOTS.len();
    let offset = usize::try_from(offset).unwrap_or(0).min(text.len() - inner);
    if offset <= 4 {
        return [&text[..inner], DOTS].concat();
    }
    if offset + inner < text.len() {
        let rest = abbreviated(&text[offset..], 0, i64::try_from(inner).unwrap_or(i64::MAX));
        return [DOTS, &rest].concat();
    }
    [DOTS, &text[text.len() - inner..]].concat()
}

/// The first byte of each word, taken for a character of Latin-1.
pub(super) fn initials(arguments: &[Value]) -> Result<Value, FunctionError> {
    let words = arguments
        .text(0)?
        .split(|byte| char::from(*byte).is_whitespace());
    let first: String = words
        .filter_map(|word| word.first().copied().map(char::from))
        .collect();
    Ok(Value::text(first))
}
