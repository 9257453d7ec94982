//! Replacing of matches, with Go's templates: `$1`, `$name`, `${1}x`, `$$`.

use std::ops::Range;

use regex_automata::util::captures::Captures;

use super::expression::{Clock, Expression};
use super::subject::Subject;
use crate::functions::FunctionError;
use crate::functions::bounds::check_text;
use crate::value::Text;

/// A match and the text it was found in.
pub(super) struct Found<'a> {
    captures: Captures,
    subject: &'a Subject<'a>,
}

impl Found<'_> {
    fn group(&self, number: usize) -> Option<Range<usize>> {
        self.captures.get_group(number).map(|span| span.range())
    }

    fn push_group(&self, target: &mut Vec<u8>, number: usize) -> bool {
        let group = self.group(number);
        if let Some(group) = group.clone() {
            target.extend_from_slice(self.subject.bytes(group));
        }
        group.is_some()
    }
}

/// The text with every match replaced by what `replace` appends for it.
pub(super) fn replace_all<'a>(
    expression: &Expression,
    subject: &'a Subject<'a>,
    mut replace: impl FnMut(&mut Vec<u8>, &Found<'a>),
) -> Result<Text, FunctionError> {
    let clock = Clock::start();
    let length = subject.text().len();
    let mut replaced = Vec::new();
    let (mut last_end, mut place) = (0, 0);
    while place <= length {
        clock.check()?;
        let Some(captures) = expression.captures_at(subject, place) else {
            break;
        };
        let found = Found { captures, subject };
        let Some(range) = found.group(0) else {
            break;
        };
        replaced.extend_from_slice(subject.bytes(last_end..range.start));
        if range.end > last_end || range.start == 0 {
            replace(&mut replaced, &found);
            check_text(replaced.len())?;
        }
        last_end = range.end;
        place = if place + subject.width_at(place) > range.end {
            place + subject.width_at(place)
        } else if place + 1 > range.end {
            place + 1
        } else {
            range.end
        };
    }
    replaced.extend_from_slice(subject.bytes(last_end..length));
    check_text(replaced.len())?;
    Ok(replaced.into())
}

/// Appends a template with the groups of a match put in.
pub(super) fn expand(
    target: &mut Vec<u8>,
    template: &[u8],
    expression: &Expression,
    found: &Found<'_>,
) {
    let mut rest = template;
    while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
        target.extend_from_slice(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(behind) = rest.strip_prefix(b"$") {
            target.push(b'$');
            rest = behind;
        } else if let Some((name, behind)) = group_name(rest) {
            // Of several groups of a name, the first one that took part.
            let _ = match group_number(&name) {
                Some(number) => found.push_group(target, number),
                None => expression
                    .groups_named(&name)
                    .any(|number| found.push_group(target, number)),
            };
            rest = behind;
        } else {
            target.push(b'$');
        }
    }
    target.extend_from_slice(rest);
}

/// The name behind a dollar, as long as it can be or in braces, and what follows it.
fn group_name(text: &[u8]) -> Option<(String, &[u8])> {
    let (is_braced, inner) = match text.strip_prefix(b"{") {
        Some(inner) => (true, inner),
        None => (false, text),
    };
    let valid = inner.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let name: String = valid.chars().take_while(|char| is_of_name(*char)).collect();
    if name.is_empty() {
        return None;
    }
    let behind = &inner[name.len()..];
    let behind = if is_braced {
        behind.strip_prefix(b"}")?
    } else {
        behind
    };
    Some((name, behind))
}

fn is_of_name(char: char) -> bool {
    use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};
    char == '_'
        || char.general_category_group() == GeneralCategoryGroup::Letter
        || char.general_category() == GeneralCategory::DecimalNumber
}

/// A group's number, if the name is one: without leading zeros.
fn group_number(name: &str) -> Option<usize> {
    let is_number =
        name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    if !is_number {
        return None;
    }
    name.parse().ok().filter(|number| *number < 1_000_000_000)
}
