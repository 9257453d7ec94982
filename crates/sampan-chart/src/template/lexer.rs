//! Splits the text of a template into items (`text/template/parse/lex.go`).

use std::borrow::Cow;

use super::letters::{is_alphanumeric, is_space};
use crate::value::{decode_rune, quote};

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A piece of a template's text.
#[derive(Debug, Clone)]
pub(super) struct Item<'s> {
    pub(super) kind: Kind,
    /// Where it starts, in bytes.
    pub(super) position: usize,
    /// Its text, or that of the error.
    pub(super) text: Cow<'s, [u8]>,
    /// The line it starts on, from 1.
    pub(super) line: usize,
}

impl Item<'_> {
    pub(super) const NONE: Self = Self {
        kind: Kind::Error,
        position: 0,
        text: Cow::Borrowed(b""),
        line: 0,
    };

    /// How errors speak of the item.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => String::from_utf8_lossy(&self.text).into_owned(),
            kind if kind.is_keyword() => format!("<{}>", String::from_utf8_lossy(&self.text)),
            _ if self.text.len() > 10 => {
                let mut end = 0;
                for _ in 0..10 {
                    end += decode_rune(&self.text[end..]).1;
                }
                format!("{}...", quote::quote(&self.text[..end]))
            }
            _ => quote::quote(&self.text),
        }
    }
}

impl Kind {
    fn is_keyword(self) -> bool {
        keyword_kinds().any(|(_, kind)| kind == self)
    }
}

fn keyword_kinds() -> impl Iterator<Item = (&'static [u8], Kind)> {
    const KEYWORDS: [(&[u8], Kind); 12] = [
        (b".", Kind::Dot),
        (b"block", Kind::Block),
        (b"break", Kind::Break),
        (b"continue", Kind::Continue),
        (b"define", Kind::Define),
        (b"else", Kind::Else),
        (b"end", Kind::End),
        (b"if", Kind::If),
        (b"range", Kind::Range),
        (b"nil", Kind::Nil),
        (b"template", Kind::Template),
        (b"with", Kind::With),
    ];
    KEYWORDS.into_iter()
}

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

    fn action(&mut self) -> Item<'s> {
        if let Some(trim) = self.at_right_delimiter() {
            if self.parentheses == 0 {
                return self.right_delimiter(trim);
            }
            return self.error("unclosed left paren");
        }
        let Some((rune, width)) = self.peek() else {
            return self.error("unclosed action");
        };
        let numeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let following = self.rest().get(width);
        match rune {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '+' | '-' | '0'..='9' => self.number(),
            '.' if numeric(following) || following.is_none() => self.number(),
            _ if is_alphanumeric(rune) => self.identifier(),
            _ => {
                self.advance();
                self.symbol(rune)
            }
        }
    }

    /// An item that starts with a character of its own, which is passed already.
    fn symbol(&mut self, rune: char) -> Item<'s> {
        match rune {
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.advance() == Some('=') {
                    self.emit(Kind::Declare)
                } else {
                    self.error("expected :=")
                }
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => {
                while let Some(rune) = self.advance() {
                    if rune == '`' {
                        return self.emit(Kind::RawString);
                    }
                }
                self.error("unterminated raw quoted string")
            }
            '$' => self.name(Kind::Variable),
            '.' => self.name(Kind::Field),
            '(' => {
                self.parentheses += 1;
                self.emit(Kind::LeftParenthesis)
            }
            ')' if self.parentheses == 0 => self.error("unexpected right paren"),
            ')' => {
                self.parentheses -= 1;
                self.emit(Kind::RightParenthesis)
            }
            ' '..='~' => self.emit(Kind::Char),
            _ => self.error(format!(
                "unrecognized character in action: {}",
                code_point(Some(rune))
            )),
        }
    }

    fn space(&mut self) -> Item<'s> {
        let start = self.position;
        let start_line = self.line;
        let mut before_last = (start, start_line);
        while self.peek().is_some_and(|(rune, _)| is_space(rune)) {
            before_last = (self.position, self.line);
            self.advance();
        }
        // The last blank may belong to a delimiter that trims.
        let last = &self.input[before_last.0..];
        if has_right_marker(last) && last[2..].starts_with(RIGHT) {
            (self.position, self.line) = before_last;
            if self.position == start {
                return self.right_delimiter(true);
            }
        }
        self.emit(Kind::Space)
    }

    fn identifier(&mut self) -> Item<'s> {
        self.accept_name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = &self.input[self.start..self.position];
        let keyword = keyword_kinds().find(|(keyword, _)| *keyword == word);
        match keyword {
            Some((_, kind)) => self.emit(kind),
            None if matches!(word, b"true" | b"false") => self.emit(Kind::Bool),
            None => self.emit(Kind::Identifier),
        }
    }

    /// A field or a variable, whose first character is passed already.
    fn name(&mut self, kind: Kind) -> Item<'s> {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Field { Kind::Dot } else { kind });
        }
        self.accept_name();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(kind)
    }

    fn accept_name(&mut self) {
        while self.peek().is_some_and(|(rune, _)| is_alphanumeric(rune)) {
            self.advance();
        }
    }

    fn bad_character(&mut self) -> Item<'s> {
        let rune = self.peek().map(|(rune, _)| rune);
        self.error(format!("bad character {}", code_point(rune)))
    }

    /// Whether what stands here can end a name.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(('.' | ',' | '|' | ':' | ')' | '(', _)) => true,
            Some((rune, _)) if is_space(rune) => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    /// A text or a character in quotes on one line; the first quote is passed already.
    fn quoted(&mut self, mark: char, kind: Kind, unterminated: &str) -> Item<'s> {
        loop {
            match self.advance() {
                Some('\\') => match self.advance() {
                    None | Some('\n') => return self.error(unterminated),
                    Some(_) => {}
                },
                None | Some('\n') => return self.error(unterminated),
                Some(rune) if rune == mark => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Item<'s> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some(('+' | '-', _))) {
            if !self.scan_number() || self.input[self.position - 1] != b'i' {
                return self.bad_number();
            }
            return self.emit(Kind::Complex);
        }
        self.emit(Kind::Number)
    }

    fn bad_number(&mut self) -> Item<'s> {
        let text = quote::quote(&self.input[self.start..self.position]);
        self.error(format!("bad number syntax: {text}"))
    }

    /// What looks like a number; whether it is one is seen later.
    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEXADECIMAL;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if digits == DECIMAL && self.accept("eE") || digits == HEXADECIMAL && self.accept("pP") {
            self.accept("+-");
            self.accept_run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(|(rune, _)| is_alphanumeric(rune)) {
            self.advance();
            return false;
        }
        true
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
    text.split(|byte| *byte == b'\n').count() - 1
}

/// Where two bytes stand in a text.
fn find(text: &[u8], pair: &[u8]) -> Option<usize> {
    let (first, second) = (pair[0], pair[1]);
    let mut from = 0;
    loop {
        let found = from + text[from..].iter().position(|byte| *byte == first)?;
        if text.get(found + 1) == Some(&second) {
            return Some(found);
        }
        from = found + 1;
    }
}

/// A character as `%#U` prints it; none is the end of the text.
fn code_point(rune: Option<char>) -> String {
    match rune {
        // Go's end of file is the character -1.
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(rune) if quote::is_printable(rune) => format!("U+{:04X} '{rune}'", u32::from(rune)),
        Some(rune) => format!("U+{:04X}", u32::from(rune)),
    }
}
