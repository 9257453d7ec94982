//! What stands on one line: keys, scalars and the marks of other values.

use std::borrow::Cow;

use memchr::memchr;

use crate::yaml::node::Scalar;

/// How long a key may be here; libyaml looks for its colon among 1,024 characters.
const KEY_BYTES: usize = 512;

/// What a line begins with behind its dashes, or what stands behind the colon of a key.
pub(super) enum Beginning<'a> {
    /// A key, and what stands behind its colon.
    Key(Scalar<'a>, &'a [u8]),
    Scalar(Scalar<'a>),
    /// `{}`
    EmptyMapping,
    /// What stands behind `[`.
    FlowSequence(&'a [u8]),
    /// `|`, or `|-`, which drops the last line break.
    Literal {
        keeps_break: bool,
    },
}

impl<'a> Beginning<'a> {
    /// Nothing when it is not of the common form.
    pub(super) fn of(content: &'a [u8]) -> Option<Self> {
        match content {
            [quote @ (b'"' | b'\''), ..] => quoted(content, *quote),
            [b'{', b'}', rest @ ..] if is_over(rest) => Some(Self::EmptyMapping),
            [b'[', rest @ ..] => Some(Self::FlowSequence(rest)),
            b"|" => Some(Self::Literal { keeps_break: true }),
            b"|-" => Some(Self::Literal { keeps_break: false }),
            [b'-', ..] if is_blank_or_end(content, 1) => None,
            [
                b'?' | b':' | b',' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>'
                | b'%' | b'@' | b'`',
                ..,
            ] => None,
            _ => plain(content),
        }
    }
}

/// Whether something begins with the dash of an entry of a sequence, and the entry with it.
pub(super) fn begins_item(content: &[u8]) -> bool {
    content.starts_with(b"- ")
}

/// An item of a sequence in brackets, and what stands behind it: a word, or a text in quotes.
pub(super) fn flow_item(content: &[u8]) -> Option<(Scalar<'_>, &[u8])> {
    if let [quote @ (b'"' | b'\''), ..] = content {
        let end = end_of_quoted(content, *quote)?;
        return Some((written(&content[1..end], false), &content[end + 1..]));
    }
    let is_word = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'=' | b'+')
    };
    let end = content.iter().position(|byte| !is_word(byte))?;
    let (text, behind) = content.split_at(end);
    let first = text.iter().find(|byte| **byte != b'-')?;
    first
        .is_ascii_alphanumeric()
        .then(|| (written(text, true), behind))
}

/// Whether nothing but a comment follows on a line.
pub(super) fn is_over(rest: &[u8]) -> bool {
    match rest.trim_ascii_start() {
        [] => true,
        [b'#', ..] => rest.starts_with(b" "),
        _ => false,
    }
}

/// A scalar as it is written; one without quotes tells itself what it means.
pub(super) fn written(text: &[u8], implicit: bool) -> Scalar<'_> {
    Scalar {
        text: Cow::Borrowed(text),
        tag: Vec::new(),
        implicit,
    }
}

/// What begins with text without quotes.
fn plain(content: &[u8]) -> Option<Beginning<'_>> {
    let mut before = b' ';
    for (position, byte) in content.iter().enumerate() {
        match byte {
            b':' if is_blank_or_end(content, position + 1) => {
                let (text, rest) = content.split_at(position);
                return key(text, rest, true);
            }
            b'#' if before == b' ' => {
                let text = content[..position].trim_ascii_end();
                return Some(Beginning::Scalar(written(text, true)));
            }
            _ => before = *byte,
        }
    }
    Some(Beginning::Scalar(written(content, true)))
}

/// What begins with a text in quotes.
fn quoted(content: &[u8], quote: u8) -> Option<Beginning<'_>> {
    let end = end_of_quoted(content, quote)?;
    let (text, rest) = (&content[1..end], &content[end + 1..]);
    match rest {
        rest if is_over(rest) => Some(Beginning::Scalar(written(text, false))),
        [b':', ..] if is_blank_or_end(rest, 1) => key(text, rest, false),
        _ => None,
    }
}

/// Where a text in quotes ends within which nothing is escaped.
fn end_of_quoted(content: &[u8], quote: u8) -> Option<usize> {
    let end = 1 + memchr(quote, &content[1..])?;
    let has_escape = quote == b'"' && memchr(b'\\', &content[1..end]).is_some();
    (!has_escape).then_some(end)
}

/// A key, and the rest of its line from the colon on.
fn key<'a>(text: &'a [u8], rest: &'a [u8], implicit: bool) -> Option<Beginning<'a>> {
    if text.len() > KEY_BYTES || implicit && text.ends_with(b" ") {
        return None;
    }
    Some(Beginning::Key(written(text, implicit), &rest[1..]))
}

fn is_blank_or_end(content: &[u8], position: usize) -> bool {
    content.get(position).is_none_or(|byte| *byte == b' ')
}
