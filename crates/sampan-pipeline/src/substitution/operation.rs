//! What substitutions do with a value.

use super::LIMIT_BYTES;
use super::pattern;

/// An operation by its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// The value itself.
    Value,
    /// Upper or lower case.
    Case(Case),
    /// Another text where the value is empty.
    Default,
    /// A part by offset and length.
    Part,
    /// Without what matches a pattern at an end.
    Trim(Trim),
    /// With another text in place of one.
    Replace(Replace),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    LowerFirst,
    Lower,
    UpperFirst,
    Upper,
    /// `,^` and `^,` do nothing.
    Mixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trim {
    suffix: bool,
    longest: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    First,
    All,
    Prefix,
    Suffix,
}

impl Operation {
    /// The operation at the beginning of a text that begins with the sign of one, and how long its sign is.
    pub(super) fn at_beginning_of(text: &str) -> (usize, Self) {
        let bytes = text.as_bytes();
        let second = bytes.get(1).copied();
        match (bytes[0], second) {
            (b':', Some(b'=' | b'-' | b'?' | b'+')) => (2, Self::Default),
            (b':', _) => (1, Self::Part),
            (b'=', _) => (1, Self::Default),
            (b',', Some(b',')) => (2, Self::Case(Case::Lower)),
            (b'^', Some(b'^')) => (2, Self::Case(Case::Upper)),
            (b',', Some(b'^')) | (b'^', Some(b',')) => (2, Self::Case(Case::Mixed)),
            (b',', _) => (1, Self::Case(Case::LowerFirst)),
            (b'^', _) => (1, Self::Case(Case::UpperFirst)),
            (b'/', Some(b'/')) => (2, Self::Replace(Replace::All)),
            (b'/', Some(b'#')) => (2, Self::Replace(Replace::Prefix)),
            (b'/', Some(b'%')) => (2, Self::Replace(Replace::Suffix)),
            (b'/', _) => (1, Self::Replace(Replace::First)),
            (sign, second) => {
                let longest = second == Some(sign);
                let suffix = sign == b'%';
                let trim = Trim { suffix, longest };
                (1 + usize::from(longest), Self::Trim(trim))
            }
        }
    }

    /// What the operation costs, in characters that are compared; others are copied, which is much less.
    pub(super) fn cost(self, value: &str, arguments: &[String]) -> usize {
        const COPIED_AT_ONCE: usize = 16;
        match (self, arguments) {
            (Self::Trim(_), [pattern, ..]) => value.len().saturating_mul(pattern.len()),
            _ => value.len() / COPIED_AT_ONCE,
        }
    }

    pub(super) fn apply(self, value: String, arguments: &[String]) -> Result<String, String> {
        match self {
            Self::Case(case) => Ok(case.apply(value)),
            Self::Default if value.is_empty() => Ok(arguments.concat()),
            Self::Value | Self::Default => Ok(value),
            Self::Part => part(value, arguments),
            Self::Trim(trim) => Ok(trim.apply(&value, &arguments[0])),
            Self::Replace(replace) => replace.apply(value, arguments),
        }
    }
}

impl Case {
    fn apply(self, value: String) -> String {
        let first = |change: fn(char) -> char| {
            let mut characters = value.chars();
            let first = characters.next().map(change);
            first.into_iter().chain(characters).collect()
        };
        match self {
            Self::Lower => value.chars().map(lower).collect(),
            Self::Upper => value.chars().map(upper).collect(),
            Self::LowerFirst => first(lower),
            Self::UpperFirst => first(upper),
            Self::Mixed => value,
        }
    }
}

/// The character in lower case where that is one character.
fn lower(c: char) -> char {
    let mut changed = c.to_lowercase();
    match (changed.next(), changed.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

/// The character in upper case where that is one character.
fn upper(c: char) -> char {
    let mut changed = c.to_uppercase();
    match (changed.next(), changed.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

/// Offsets and lengths count bytes; what is no number leaves the value as it is.
fn part(value: String, arguments: &[String]) -> Result<String, String> {
    let Ok(offset) = arguments[0].parse::<i64>() else {
        return Ok(value);
    };
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let begin = if offset < 0 {
        (size + offset.max(-size)).max(0)
    } else {
        offset.min(size)
    };
    let end = match arguments.get(1).map(|length| length.parse::<i64>()) {
        None => size,
        Some(Err(_)) => return Ok(value),
        Some(Ok(length)) => begin.saturating_add(length).min(size),
    };
    if end < begin {
        return Err("a negative length".to_owned());
    }
    let index = |position: i64| usize::try_from(position).unwrap_or(usize::MAX);
    // A character that is cut in two is left out.
    let begin = value.ceil_char_boundary(index(begin));
    let end = value.floor_char_boundary(index(end)).max(begin);
    Ok(value[begin..end].to_owned())
}

impl Trim {
    fn apply(self, value: &str, pattern: &str) -> String {
        if !self.suffix {
            let matched = pattern::matching_prefix(pattern, value, self.longest);
            return value[matched..].to_owned();
        }
        let reversed: String = value.chars().rev().collect();
        let pattern: String = pattern.chars().rev().collect();
        let matched = pattern::matching_prefix(&pattern, &reversed, self.longest);
        let kept = value.len() - matched;
        value[..kept].to_owned()
    }
}

impl Replace {
    fn apply(self, value: String, arguments: &[String]) -> Result<String, String> {
        let old = &arguments[0];
        let new = arguments.get(1).map_or("", String::as_str);
        let found = value.matches(old.as_str()).count();
        if found.saturating_mul(new.len()) > LIMIT_BYTES {
            return Err(format!("more than {LIMIT_BYTES} bytes of text"));
        }
        Ok(match self {
            Self::First => value.replacen(old, new, 1),
            Self::All => value.replace(old, new),
            // Without a text to put in its place, the two do nothing.
            Self::Prefix | Self::Suffix if arguments.len() < 2 => value,
            Self::Prefix => match value.strip_prefix(old.as_str()) {
                Some(rest) => format!("{new}{rest}"),
                None => value,
            },
            Self::Suffix => match value.strip_suffix(old.as_str()) {
                Some(rest) => format!("{rest}{new}"),
                None => value,
            },
        })
    }
}
