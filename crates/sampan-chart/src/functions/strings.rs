//! Sprig's texts: parts, replacements, blanks, quotes, and lists of them.

use super::Parameter::{Any, Int, Text as Word};
use super::arguments::Arguments;
use super::bounds::{check_items, check_text};
use super::runes::decode;
use super::text_of::text_of;
use super::{Function, FunctionError};
use crate::value::print::display;
use crate::value::quote::quote as quoted;
use crate::value::{Dict, DictType, List, ListType, Text, Value};

mod case;
mod parts;
mod words;
mod wrapping;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("trim", &[Word], parts::trim),
    Function::new("trimAll", &[Word, Word], parts::trim_all),
    Function::new("trimall", &[Word, Word], parts::trim_all),
    Function::new("trimSuffix", &[Word, Word], parts::trim_suffix),
    Function::new("trimPrefix", &[Word, Word], parts::trim_prefix),
    Function::new("nospace", &[Word], parts::nospace),
    Function::new("trunc", &[Int, Word], parts::trunc),
    Function::new("substr", &[Int, Int, Word], parts::substr),
    Function::new("abbrev", &[Int, Word], parts::abbrev),
    Function::new("abbrevboth", &[Int, Int, Word], parts::abbrev_both),
    Function::new("initials", &[Word], parts::initials),
    Function::new("upper", &[Word], case::upper),
    Function::new("lower", &[Word], case::lower),
    Function::new("title", &[Word], case::title),
    Function::new("untitle", &[Word], case::untitle),
    Function::new("swapcase", &[Word], case::swapcase),
    Function::new("snakecase", &[Word], words::snakecase),
    Function::new("kebabcase", &[Word], words::kebabcase),
    Function::new("camelcase", &[Word], case::camelcase),
    Function::new("wrap", &[Int, Word], wrapping::wrap),
    Function::new("wrapWith", &[Int, Word, Word], wrapping::wrap_with),
    Function::new("contains", &[Word, Word], contains),
    Function::new("hasPrefix", &[Word, Word], has_prefix),
    Function::new("hasSuffix", &[Word, Word], has_suffix),
    Function::variadic("quote", &[], Any, quote),
    Function::variadic("squote", &[], Any, squote),
    Function::variadic("cat", &[], Any, cat),
    Function::new("repeat", &[Int, Word], repeat),
    Function::new("indent", &[Int, Word], indent),
    Function::new("nindent", &[Int, Word], nindent),
    Function::new("replace", &[Word, Word, Word], replace),
    Function::new("plural", &[Word, Word, Int], plural),
    Function::new("toString", &[Any], to_string),
    Function::new("toStrings", &[Any], to_strings),
    Function::new("join", &[Word, Any], join),
    Function::new("sortAlpha", &[Any], sort_alpha),
    Function::new("split", &[Word, Word], split),
    Function::new("splitList", &[Word, Word], split_list),
    Function::new("splitn", &[Word, Int, Word], splitn),
];

/// Where a text is found in another first.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    memchr::memmem::find(text, wanted)
}

fn contains(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(
        find(arguments.text(1)?, arguments.text(0)?).is_some(),
    ))
}

fn has_prefix(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(
        arguments.text(1)?.starts_with(arguments.text(0)?),
    ))
}

fn has_suffix(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(
        arguments.text(1)?.ends_with(arguments.text(0)?),
    ))
}

/// The texts of all arguments but nil, with blanks between them.
fn joined(
    arguments: &[Value],
    text: impl Fn(&Value) -> Result<Vec<u8>, FunctionError>,
) -> Result<Value, FunctionError> {
    let mut joined = Vec::new();
    let given = arguments
        .iter()
        .filter(|value| !matches!(value, Value::Nil));
    for (index, value) in given.enumerate() {
        if index > 0 {
            joined.push(b' ');
        }
        joined.extend(text(value)?);
        check_text(joined.len())?;
    }
    Ok(Value::text(joined))
}

fn quote(arguments: &[Value]) -> Result<Value, FunctionError> {
    joined(arguments, |value| Ok(quoted(&text_of(value)?).into_bytes()))
}

fn squote(arguments: &[Value]) -> Result<Value, FunctionError> {
    joined(arguments, |value| {
        Ok([b"'", &*display(value)?, b"'"].concat())
    })
}

fn cat(arguments: &[Value]) -> Result<Value, FunctionError> {
    joined(arguments, |value| Ok(display(value)?.to_vec()))
}

/// A text so many times, if it can be.
fn repeated(text: &[u8], count: i64) -> Result<Vec<u8>, FunctionError> {
    let count = usize::try_from(count);
    let count = count.map_err(|_| FunctionError::new("strings: negative Repeat count"))?;
    check_text(text.len().saturating_mul(count))?;
    Ok(text.repeat(count))
}

fn repeat(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(repeated(
        arguments.text(1)?,
        arguments.int(0)?,
    )?))
}

/// The text behind another one, with so many blanks in front of each of its lines.
fn indented(head: &[u8], arguments: &[Value]) -> Result<Value, FunctionError> {
    let blanks = repeated(b" ", arguments.int(0)?)?;
    let text = arguments.text(1)?;
    let breaks = memchr::memchr_iter(b'\n', text);
    let lines = breaks.clone().count() + 1;
    let length = blanks
        .len()
        .saturating_mul(lines)
        .saturating_add(text.len());
    check_text(length)?;
    let mut indented = Vec::with_capacity(head.len() + length);
    indented.extend_from_slice(head);
    let mut start = 0;
    for end in breaks.map(|end| end + 1).chain([text.len()]) {
        indented.extend_from_slice(&blanks);
        indented.extend_from_slice(&text[start..end]);
        start = end;
    }
    Ok(Value::text(indented))
}

fn indent(arguments: &[Value]) -> Result<Value, FunctionError> {
    indented(b"", arguments)
}

fn nindent(arguments: &[Value]) -> Result<Value, FunctionError> {
    indented(b"\n", arguments)
}

/// Replaces all of a text; an empty one stands before and behind each character.
fn replace(arguments: &[Value]) -> Result<Value, FunctionError> {
    let (old, new, text) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let mut replaced = Vec::with_capacity(text.len());
    if old.is_empty() {
        for (_, bytes) in decode(text) {
            replaced.extend_from_slice(new);
            replaced.extend_from_slice(bytes);
            check_text(replaced.len())?;
        }
        replaced.extend_from_slice(new);
    } else {
        let mut last_end = 0;
        for start in memchr::memmem::find_iter(text, &**old) {
            replaced.extend_from_slice(&text[last_end..start]);
            replaced.extend_from_slice(new);
            last_end = start + old.len();
            check_text(replaced.len())?;
        }
        replaced.extend_from_slice(&text[last_end..]);
    }
    check_text(replaced.len())?;
    Ok(Value::text(replaced))
}

fn plural(arguments: &[Value]) -> Result<Value, FunctionError> {
    let place = usize::from(arguments.int(2)? != 1);
    Ok(Value::Text(arguments.text(place)?.clone()))
}

fn to_string(arguments: &[Value]) -> Result<Value, FunctionError> {
    text_of(arguments.any(0)).map(Value::Text)
}

/// The items of a list as texts without nil, or the one text that something else is.
fn strings(value: &Value) -> Result<Vec<Text>, FunctionError> {
    match value {
        Value::List(list) => {
            let items = list
                .items()
                .iter()
                .filter(|item| !matches!(item, Value::Nil));
            items.map(text_of).collect()
        }
        Value::Nil => Ok(Vec::new()),
        other => Ok(vec![text_of(other)?]),
    }
}

fn list_of(texts: Vec<Text>) -> Value {
    Value::List(List::of(ListType::Text, texts.into_iter().map(Value::Text)))
}

fn to_strings(arguments: &[Value]) -> Result<Value, FunctionError> {
    strings(arguments.any(0)).map(list_of)
}

fn join(arguments: &[Value]) -> Result<Value, FunctionError> {
    let separator = arguments.text(0)?;
    let texts = strings(arguments.any(1))?;
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    check_text(bytes.saturating_add(separator.len().saturating_mul(texts.len())))?;
    let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    Ok(Value::text(texts.join(&**separator)))
}

/// The texts by their bytes. Where Go sorts a `[]string` in place, this gives out a new one.
fn sort_alpha(arguments: &[Value]) -> Result<Value, FunctionError> {
    let mut texts = match arguments.any(0) {
        list @ Value::List(_) => strings(list)?,
        other => vec![text_of(other)?],
    };
    texts.sort();
    Ok(list_of(texts))
}

/// The parts between separators, at most so many; single characters where the separator is empty.
fn parts(text: &[u8], separator: &[u8], limit: usize) -> Result<Vec<Text>, FunctionError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() + 1 < limit {
        let (end, next) = if separator.is_empty() {
            // No more than a character may take: whoever decodes looks through all that it is given.
            let next = &rest[..rest.len().min(char::MAX.len_utf8())];
            let first = decode(next).next().map_or(0, |(_, bytes)| bytes.len());
            if first == rest.len() {
                break;
            }
            (first, first)
        } else {
            let Some(end) = find(rest, separator) else {
                break;
            };
            (end, end + separator.len())
        };
        parts.push(rest[..end].into());
        rest = &rest[next..];
        check_items(parts.len())?;
    }
    if !(separator.is_empty() && rest.is_empty()) {
        parts.push(rest.into());
    }
    Ok(parts)
}

fn split_list(arguments: &[Value]) -> Result<Value, FunctionError> {
    let parts = parts(arguments.text(1)?, arguments.text(0)?, usize::MAX)?;
    Ok(list_of(parts))
}

/// Parts by the keys `_0`, `_1` …
fn numbered(parts: Vec<Text>) -> Value {
    let entries = parts.into_iter().enumerate();
    let entries = entries.map(|(index, part)| (format!("_{index}").into(), Value::Text(part)));
    Value::Dict(Dict::of(DictType::Text, entries))
}

fn split(arguments: &[Value]) -> Result<Value, FunctionError> {
    parts(arguments.text(1)?, arguments.text(0)?, usize::MAX).map(numbered)
}

fn splitn(arguments: &[Value]) -> Result<Value, FunctionError> {
    let limit = arguments.int(1)?;
    if limit == 0 {
        return Ok(numbered(Vec::new()));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    parts(arguments.text(2)?, arguments.text(0)?, limit).map(numbered)
}
