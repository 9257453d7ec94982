//! What stands behind a backslash and between brackets.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange, Look};

use super::super::classes;
use super::{Parser, SyntaxError, check_utf8};

const INVALID_RANGE: &str = "invalid character class range";
const INVALID_ESCAPE: &str = "invalid escape sequence";

impl<'a> Parser<'a> {
    /// An escape outside of brackets.
    pub(super) fn escape(&mut self) -> Result<(), SyntaxError> {
        let before = self.rest;
        let look = match before {
            [_, b'A', ..] => Some(Look::Start),
            [_, b'b', ..] => Some(Look::WordAscii),
            [_, b'B', ..] => Some(Look::WordAsciiNegate),
            [_, b'z', ..] => Some(Look::End),
            [_, b'C', ..] => return Err(SyntaxError::new(INVALID_ESCAPE, &before[..2])),
            [_, b'Q', rest @ ..] => return self.quoted(rest),
            _ => None,
        };
        if let Some(look) = look {
            self.rest = &before[2..];
            return self.look(look);
        }
        if let Some(class) = self.named_class()? {
            return self.class(class);
        }
        match self.escaped_char()? {
            Some(char) => self.literal(char),
            None => self.class(ClassUnicode::empty()),
        }
    }

    /// `\Q…\E`: everything stands for itself.
    fn quoted(&mut self, rest: &'a [u8]) -> Result<(), SyntaxError> {
        let end = rest.windows(2).position(|pair| pair == b"\\E");
        let (literal, behind) = match end {
            Some(end) => (&rest[..end], &rest[end + 2..]),
            None => (rest, &rest[rest.len()..]),
        };
        self.rest = literal;
        while !self.rest.is_empty() {
            let char = self.next_char()?;
            self.literal(char)?;
        }
        self.rest = behind;
        Ok(())
    }

    /// `\d`, `\pL`, `\p{Greek}` and the like, where one follows.
    fn named_class(&mut self) -> Result<Option<ClassUnicode>, SyntaxError> {
        let before = self.rest;
        match before {
            [b'\\', b'p' | b'P', ..] => self.unicode_class().map(Some),
            [b'\\', letter, rest @ ..] => {
                let Some(mut class) = classes::perl(letter.to_ascii_lowercase()) else {
                    return Ok(None);
                };
                self.rest = rest;
                self.fold(&mut class);
                if letter.is_ascii_uppercase() {
                    class.negate();
                }
                Ok(Some(class))
            }
            _ => Ok(None),
        }
    }

    fn unicode_class(&mut self) -> Result<ClassUnicode, SyntaxError> {
        let before = self.rest;
        let mut is_negated = before.get(1) == Some(&b'P');
        self.rest = &before[2..];
        let name = if self.rest.is_empty() {
            // Go's decoder gives out a character of no width, which names no class.
            return Err(SyntaxError::new(INVALID_RANGE, before));
        } else if self.next_char()? == '{' {
            let Some(end) = before.iter().position(|byte| *byte == b'}') else {
                check_utf8(before)?;
                return Err(SyntaxError::new(INVALID_RANGE, before));
            };
            self.rest = &before[end + 1..];
            check_utf8(&before[3..end])?;
            &before[3..end]
        } else {
            &self.since(before)[2..]
        };
        let name = match name.strip_prefix(b"^") {
            Some(name) => {
                is_negated = !is_negated;
                name
            }
            None => name,
        };
        let class = classes::unicode(&String::from_utf8_lossy(name));
        let mut class = class.ok_or_else(|| SyntaxError::new(INVALID_RANGE, self.since(before)))?;
        self.fold(&mut class);
        if is_negated {
            class.negate();
        }
        Ok(class)
    }

    /// A character behind a backslash. None for a surrogate, which no text can hold.
    fn escaped_char(&mut self) -> Result<Option<char>, SyntaxError> {
        let before = self.rest;
        self.rest = &before[1..];
        if self.rest.is_empty() {
            return Err(SyntaxError::new(
                "trailing backslash at end of expression",
                b"",
            ));
        }
        let code = match self.next_char()? {
            first @ '0'..='7' => self.octal(first),
            'x' => self.hexadecimal()?,
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(u32::from(other)),
            _ => None,
        };
        match code {
            Some(code) => Ok(char::from_u32(code)),
            None => Err(SyntaxError::new(INVALID_ESCAPE, self.since(before))),
        }
    }

    /// Up to three octal digits. A single one other than zero would be a reference to a group, which is not supported.
    fn octal(&mut self, first: char) -> Option<u32> {
        let digit = |rest: &[u8]| rest.first().and_then(|byte| char::from(*byte).to_digit(8));
        if first != '0' && digit(self.rest).is_none() {
            return None;
        }
        let mut code = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(next) = digit(self.rest) else {
                break;
            };
            code = code * 8 + next;
            self.rest = &self.rest[1..];
        }
        Some(code)
    }

    /// `41` or `{1F600}`, behind `\x`.
    fn hexadecimal(&mut self) -> Result<Option<u32>, SyntaxError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let first = self.next_char()?;
        if first != '{' {
            // What is missing counts as a character that is no digit.
            let second = if self.rest.is_empty() {
                '\u{fffd}'
            } else {
                self.next_char()?
            };
            let digits = first.to_digit(16).zip(second.to_digit(16));
            return Ok(digits.map(|(first, second)| first * 16 + second));
        }
        let mut code = None;
        while !self.rest.is_empty() {
            let next = self.next_char()?;
            if next == '}' {
                return Ok(code);
            }
            let Some(digit) = next.to_digit(16) else {
                break;
            };
            let value = code.unwrap_or(0) * 16 + digit;
            if value > u32::from(char::MAX) {
                break;
            }
            code = Some(value);
        }
        Ok(None)
    }

    /// A class in brackets.
    pub(super) fn bracketed(&mut self) -> Result<(), SyntaxError> {
        let before = self.rest;
        self.rest = &before[1..];
        let is_negated = self.rest.first() == Some(&b'^');
        if is_negated {
            self.rest = &self.rest[1..];
        }
        let mut class = ClassUnicode::empty();
        let mut is_first = true;
        while is_first || self.rest.first() != Some(&b']') {
            is_first = false;
            if let Some(named) = self.posix_class()? {
                class.union(&named);
            } else if let Some(named) = self.named_class()? {
                class.union(&named);
            } else {
                self.range(before, &mut class)?;
            }
        }
        self.rest = &self.rest[1..];
        if is_negated {
            class.negate();
        }
        self.class(class)
    }

    /// `[:alpha:]` or `[:^alpha:]`, where it follows.
    fn posix_class(&mut self) -> Result<Option<ClassUnicode>, SyntaxError> {
        let [b'[', b':', inner @ ..] = self.rest else {
            return Ok(None);
        };
        let Some(end) = inner.windows(2).position(|pair| pair == b":]") else {
            return Ok(None);
        };
        let before = self.rest;
        self.rest = &inner[end + 2..];
        let name = &inner[..end];
        let (is_negated, name) = match name.strip_prefix(b"^") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let class = classes::posix(name);
        let mut class = class.ok_or_else(|| SyntaxError::new(INVALID_RANGE, self.since(before)))?;
        self.fold(&mut class);
        if is_negated {
            class.negate();
        }
        Ok(Some(class))
    }

    /// `a` or `a-z`.
    fn range(&mut self, brackets: &'a [u8], class: &mut ClassUnicode) -> Result<(), SyntaxError> {
        let before = self.rest;
        let from = self.class_char(brackets)?;
        let mut to = from;
        if matches!(self.rest, [b'-', second, ..] if *second != b']') {
            self.rest = &self.rest[1..];
            to = self.class_char(brackets)?;
            if to.unwrap_or('\u{d7ff}') < from.unwrap_or('\u{e000}')
                && from.is_some() != to.is_none()
            {
                return Err(SyntaxError::new(INVALID_RANGE, self.since(before)));
            }
        }
        let (from, to) = (from.unwrap_or('\u{e000}'), to.unwrap_or('\u{d7ff}'));
        if from <= to {
            let mut range = ClassUnicode::new([ClassUnicodeRange::new(from, to)]);
            self.fold(&mut range);
            class.union(&range);
        }
        Ok(())
    }

    fn class_char(&mut self, brackets: &'a [u8]) -> Result<Option<char>, SyntaxError> {
        match self.rest.first() {
            None => Err(SyntaxError::new("missing closing ]", brackets)),
            Some(b'\\') => self.escaped_char(),
            Some(_) => self.next_char().map(Some),
        }
    }
}
