//! Texts compared without regard to case, as `StringComparison.OrdinalIgnoreCase` of .NET does it: each character is
//! replaced by its simple upper-case form, whatever the language.

use std::cmp::Ordering;

/// The character's upper-case form when that is one character, or the character itself.
fn upper(c: char) -> char {
    match c {
        'a'..='z' => c.to_ascii_uppercase(),
        // The last two would become ASCII letters; .NET leaves them alone.
        '\0'..='\u{7f}' | 'ı' | 'ſ' => c,
        // Greek letters with an iota below: their simple form has the iota beside, the full form has two characters.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(c) + 8).unwrap_or(c)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
        _ => {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(single), None) => single,
                _ => c,
            }
        }
    }
}

/// The text in the form in which texts that differ only by case are equal.
pub(super) fn fold(text: &str) -> String {
    text.chars().map(upper).collect()
}

pub(super) fn equal(left: &str, right: &str) -> bool {
    left == right || left.chars().map(upper).eq(right.chars().map(upper))
}

/// The order of .NET, which is that of UTF-16 units.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    fold(left).encode_utf16().cmp(fold(right).encode_utf16())
}

pub(super) fn contains(text: &str, part: &str) -> bool {
    part.is_empty() || fold(text).contains(&fold(part))
}

pub(super) fn starts_with(text: &str, start: &str) -> bool {
    let mut text = text.chars().map(upper);
    start.chars().map(upper).all(|c| text.next() == Some(c))
}

pub(super) fn ends_with(text: &str, end: &str) -> bool {
    let mut text = text.chars().rev().map(upper);
    end.chars().rev().map(upper).all(|c| text.next() == Some(c))
}
