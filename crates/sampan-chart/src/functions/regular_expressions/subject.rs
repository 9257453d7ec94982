//! The text that is searched. Go takes each byte that is no UTF-8 for one character, U+FFFD; the automata here work on
//! UTF-8, so they get the text with those characters written out, and what they find is translated back.

use std::borrow::Cow;
use std::ops::Range;

/// A text to search.
pub(super) struct Subject<'a> {
    original: &'a [u8],
    text: Cow<'a, str>,
    /// Where in the text a written-out character ends, in order; each stands for one byte of the original.
    replaced: Vec<usize>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(original: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(original) {
            let text = Cow::Borrowed(text);
            return Self {
                original,
                text,
                replaced: Vec::new(),
            };
        }
        let mut text = String::with_capacity(original.len());
        let mut replaced = Vec::new();
        for chunk in original.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                text.push(char::REPLACEMENT_CHARACTER);
                replaced.push(text.len());
            }
        }
        Self {
            original,
            text: Cow::Owned(text),
            replaced,
        }
    }

    /// The text as it is searched.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The original bytes of a part of the text.
    pub(super) fn bytes(&self, part: Range<usize>) -> &'a [u8] {
        let offset = |place: usize| {
            // A written-out character is two bytes longer than what it stands for.
            place - 2 * self.replaced.partition_point(|end| *end <= place)
        };
        self.original
            .get(offset(part.start)..offset(part.end))
            .unwrap_or_default()
    }

    /// How long the character at a place of the text is; nothing at its end.
    pub(super) fn width_at(&self, place: usize) -> usize {
        self.text
            .get(place..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8)
    }
}
