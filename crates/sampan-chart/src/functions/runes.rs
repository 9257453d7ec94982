//! Characters as Go's package `unicode` sees them: single ones, mapped one to one.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// The characters of a text with their bytes. A byte that is no UTF-8 counts as U+FFFD.
pub(super) fn decode(text: &[u8]) -> impl Iterator<Item = (char, &[u8])> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid();
        let chars = valid.char_indices();
        let chars = chars.map(|(at, char)| (char, &valid.as_bytes()[at..at + char.len_utf8()]));
        let invalid = chunk.invalid().chunks(1);
        chars.chain(invalid.map(|byte| (char::REPLACEMENT_CHARACTER, byte)))
    })
}

/// The text with every character mapped.
pub(super) fn map(text: &[u8], map: impl FnMut(char) -> char) -> String {
    decode(text).map(|(char, _)| char).map(map).collect()
}

pub(super) fn is_letter(char: char) -> bool {
    char.general_category_group() == GeneralCategoryGroup::Letter
}

pub(super) fn is_digit(char: char) -> bool {
    char.general_category() == GeneralCategory::DecimalNumber
}

pub(super) fn is_number(char: char) -> bool {
    char.general_category_group() == GeneralCategoryGroup::Number
}

pub(super) fn is_punctuation(char: char) -> bool {
    char.general_category_group() == GeneralCategoryGroup::Punctuation
}

pub(super) fn is_upper(char: char) -> bool {
    char.general_category() == GeneralCategory::UppercaseLetter
}

pub(super) fn is_lower(char: char) -> bool {
    char.general_category() == GeneralCategory::LowercaseLetter
}

pub(super) fn is_title(char: char) -> bool {
    char.general_category() == GeneralCategory::TitlecaseLetter
}

/// The upper case, where it is one character.
pub(super) fn to_upper(char: char) -> char {
    single(char, char.to_uppercase()).unwrap_or_else(|| to_title(char))
}

/// The lower case, where it is one character.
pub(super) fn to_lower(char: char) -> char {
    match char {
        'İ' => 'i',
        other => single(other, other.to_lowercase()).unwrap_or(other),
    }
}

/// The case that words begin with, where it is one character.
pub(super) fn to_title(char: char) -> char {
    let code = u32::from(char);
    let shifted = match code {
        // Digraphs such as `ǆ`: upper, title and lower case follow each other.
        0x01c4..=0x01cc => 0x01c5 + (code - 0x01c4) / 3 * 3,
        0x01f1..=0x01f3 => 0x01f2,
        // Georgian begins words with small letters.
        0x10d0..=0x10ff => code,
        // Greek letters with an iota below have a title case of one character.
        0x1f80..=0x1faf => code | 0x8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => code + 0x9,
        _ => return single(char, char.to_uppercase()).unwrap_or(char),
    };
    char::from_u32(shifted).unwrap_or(char)
}

fn single(char: char, mut mapped: impl ExactSizeIterator<Item = char>) -> Option<char> {
    if mapped.len() == 1 {
        mapped.next().or(Some(char))
    } else {
        None
    }
}
