//! What stands between delimiters.

use super::item::{Item, Kind, keyword};
use super::{Lexer, RIGHT, count_lines, has_right_marker};
use crate::template::letters::{is_alphanumeric, is_space};
use crate::value::quote;

impl<'s> Lexer<'s> {
    pub(super) fn action(&mut self) -> Item<'s> {
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
                let Some(length) = memchr::memchr(b'`', self.rest()) else {
                    return self.error("unterminated raw quoted string");
                };
                self.line += count_lines(&self.rest()[..length]);
                self.position += length + 1;
                self.emit(Kind::RawString)
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
        self.emit(match word {
            b"true" | b"false" => Kind::Bool,
            _ => keyword(word).unwrap_or(Kind::Identifier),
        })
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
        self.pass(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        while self.peek().is_some_and(|(rune, _)| is_alphanumeric(rune)) {
            self.advance();
        }
    }

    /// Passes characters of one byte within a line.
    fn pass(&mut self, goes_on: impl Fn(u8) -> bool) {
        let rest = self.rest().iter();
        self.position += rest.take_while(|byte| goes_on(**byte)).count();
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
            self.pass(|byte| matches!(byte, b' '..=b'~') && !b"\"'\\".contains(&byte));
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

/// A character as `%#U` prints it; none is the end of the text.
fn code_point(rune: Option<char>) -> String {
    match rune {
        // Go's end of file is the character -1.
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(rune) if quote::is_printable(rune) => format!("U+{:04X} '{rune}'", u32::from(rune)),
        Some(rune) => format!("U+{:04X}", u32::from(rune)),
    }
}
