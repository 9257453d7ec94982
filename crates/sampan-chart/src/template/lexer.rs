//! Splits the text of a template into items (`text/template/parse/lex.go`).

use std::borrow::Cow;

use super::letters::is_space;
use crate::value::decode_rune;

mod action;
mod item;

pub(super) use item::{Item, Kind};

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";

/// Reads items from the text of a template.
pub(super) struct Lexer<'s> {
    input: &'s [u8],
    position: usize,
    start: usize,
    line: usize,
    start_line: usize,
    parentheses: usize,
    inside_action: bool,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(input: &'s [u8]) -> Self {
        Self {
            input,
            position: 0,
            start: 0,
            line: 1,
            start_line: 1,
            parentheses: 0,
            inside_action: false,
        }
    }

    /// The next item; behind an error there is nothing but errors or the end.
    pub(super) fn next_item(&mut self) -> Item<'s> {
        if self.inside_action {
            return self.action();
        }
        loop {
            if let Some(item) = self.text() {
                return item;
            }
        }
    }

    fn rest(&self) -> &'s [u8] {
        &self.input[self.position..]
    }

    /// The next character and its length; none for what is no UTF-8.
    fn peek(&self) -> Option<(char, usize)> {
        let (rune, width) = decode_rune(self.rest());
        if width == 0 {
            return None;
        }
        Some((rune.unwrap_or(char::REPLACEMENT_CHARACTER), width))
    }

    fn advance(&mut self) -> Option<char> {
        let (rune, width) = self.peek()?;
        self.position += width;
        if rune == '\n' {
            self.line += 1;
        }
        Some(rune)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self.peek().is_some_and(|(rune, _)| valid.contains(rune));
        if accepted {
            self.advance();
        }
        accepted
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn emit(&mut self, kind: Kind) -> Item<'s> {
        let item = Item {
            kind,
            position: self.start,
            text: Cow::Borrowed(&self.input[self.start..self.position]),
            line: self.start_line,
        };
        self.start = self.position;
        self.start_line = self.line;
        item
    }

    /// Passes over what stands before this point, and counts its lines.
    fn ignore(&mut self) {
        self.line += count_lines(&self.input[self.start..self.position]);
        self.start = self.position;
        self.start_line = self.line;
    }

    fn error(&mut self, text: impl Into<Vec<u8>>) -> Item<'s> {
        let item = Item {
            kind: Kind::Error,
            position: self.start,
            text: Cow::Owned(text.into()),
            line: self.start_line,
        };
        self.start = 0;
        self.position = 0;
        self.input = &[];
        item
    }

    /// Text up to the next action; none when a comment or trimmed blanks were passed over.
    fn text(&mut self) -> Option<Item<'s>> {
        let rest = self.rest();
        let Some(length) = find(rest, LEFT) else {
            self.position = self.input.len();
            if self.position > self.start {
                self.line += count_lines(&self.input[self.start..]);
                return Some(self.emit(Kind::Text));
            }
            return Some(Item {
                text: Cow::Borrowed(b"EOF"),
                ..self.emit(Kind::Eof)
            });
        };
        if length > 0 {
            let text = &rest[..length];
            let trimmed = if has_left_marker(&rest[length + LEFT.len()..]) {
                text.len() - text.trim_suffix_spaces().len()
            } else {
                0
            };
            self.position += length - trimmed;
            self.line += count_lines(&self.input[self.start..self.position]);
            let item = self.emit(Kind::Text);
            self.position += trimmed;
            self.ignore();
            if !item.text.is_empty() {
                return Some(item);
            }
        }
        self.left_delimiter()
    }

    fn left_delimiter(&mut self) -> Option<Item<'s>> {
        self.position += LEFT.len();
        let marker = if has_left_marker(self.rest()) { 2 } else { 0 };
        if self.rest()[marker..].starts_with(b"/*") {
            self.position += marker;
            self.ignore();
            return self.comment();
        }
        let item = self.emit(Kind::LeftDelimiter);
        self.inside_action = true;
        self.position += marker;
        self.ignore();
        self.parentheses = 0;
        Some(item)
    }

    fn comment(&mut self) -> Option<Item<'s>> {
        self.position += 2;
        let Some(end) = find(self.rest(), b"*/") else {
            return Some(self.error("unclosed comment"));
        };
        self.position += end + 2;
        let Some(trim) = self.at_right_delimiter() else {
            return Some(self.error("comment ends before closing delimiter"));
        };
        self.position += RIGHT.len();
        if trim {
            self.position += 2;
            self.position += leading_spaces(self.rest());
        }
        self.ignore();
        None
    }

    /// Whether a right delimiter stands here, and if so, whether it trims what follows.
    fn at_right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_marker(rest) && rest[2..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn right_delimiter(&mut self, trim: bool) -> Item<'s> {
        if trim {
            self.position += 2;
            self.ignore();
        }
        self.position += RIGHT.len();
        let item = self.emit(Kind::RightDelimiter);
        if trim {
            self.position += leading_spaces(self.rest());
            self.ignore();
        }
        self.inside_action = false;
        item
    }
}

/// Blanks at the end of a text.
trait TrimSpaces {
    fn trim_suffix_spaces(&self) -> &[u8];
}

impl TrimSpaces for [u8] {
    fn trim_suffix_spaces(&self) -> &[u8] {
        let kept = self.iter().rposition(|byte| !is_space(char::from(*byte)));
        &self[..kept.map_or(0, |kept| kept + 1)]
    }
}

fn leading_spaces(text: &[u8]) -> usize {
    let kept = text.iter().position(|byte| !is_space(char::from(*byte)));
    kept.unwrap_or(text.len())
}

fn has_left_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', blank, ..] if is_space(char::from(*blank)))
}

fn has_right_marker(text: &[u8]) -> bool {
    matches!(text, [blank, b'-', ..] if is_space(char::from(*blank)))
}

fn count_lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// Where two bytes stand in a text.
fn find(text: &[u8], pair: &[u8]) -> Option<usize> {
    let (first, second) = (pair[0], pair[1]);
    let mut from = 0;
    loop {
        let found = from + memchr::memchr(first, &text[from..])?;
        if text.get(found + 1) == Some(&second) {
            return Some(found);
        }
        from = found + 1;
    }
}
