//! Reading JSON.
//!
//! Go looks at the whole text before it takes any value, with a machine that steps byte by byte and sees a space after
//! the last one. Its error texts name the state of that machine, so this reader reports as if it stepped in the same way.

use super::Error;
use crate::value::quote::escape_into;
use crate::value::{MAX_DEPTH, Text, Value};

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    depth: usize,
    /// The first number that is too large: reported when the text itself is in order.
    too_large: Option<Error>,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Value, Error> {
    let mut reader = Reader {
        bytes,
        position: 0,
        depth: 0,
        too_large: None,
    };
    let value = reader.value()?;
    reader.skip_space();
    if let Some(byte) = reader.peek() {
        return Err(invalid(byte, "after top-level value"));
    }
    match reader.too_large {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.position += 1;
        }
    }

    /// The next byte that is no white space, which is not consumed.
    fn significant(&mut self) -> Result<u8, Error> {
        self.skip_space();
        self.peek().ok_or(Error::UnexpectedEnd)
    }

    /// The error about the next byte; at the end of the text Go steps over a space.
    fn unexpected(&self, context: &'static str) -> Error {
        invalid(self.peek().unwrap_or(b' '), context)
    }

    fn value(&mut self) -> Result<Value, Error> {
        match self.significant()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(Value::Text),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true", &TRUE).map(|()| Value::Bool(true)),
            b'f' => self.literal("false", &FALSE).map(|()| Value::Bool(false)),
            b'n' => self.literal("null", &NULL).map(|()| Value::Nil),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Error>) -> Result<Value, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.unexpected("exceeded max depth"));
        }
        self.position += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Error> {
        let mut entries: Vec<(Text, Value)> = Vec::new();
        if self.significant()? == b'}' {
            self.position += 1;
            return Ok(Value::dict(entries));
        }
        loop {
            if self.significant()? != b'"' {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            if self.significant()? != b':' {
                return Err(self.unexpected("after object key"));
            }
            self.position += 1;
            entries.push((key, self.value()?));
            match self.significant()? {
                b',' => self.position += 1,
                b'}' => break,
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
        self.position += 1;
        Ok(Value::dict(entries))
    }

    fn array(&mut self) -> Result<Value, Error> {
        let mut items = Vec::new();
        if self.significant()? == b']' {
            self.position += 1;
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            match self.significant()? {
                b',' => self.position += 1,
                b']' => break,
                _ => return Err(self.unexpected("after array element")),
            }
        }
        self.position += 1;
        Ok(Value::list(items))
    }

    fn literal(&mut self, word: &str, contexts: &[&'static str]) -> Result<(), Error> {
        self.position += 1;
        for (expected, context) in word.bytes().skip(1).zip(contexts) {
            if self.peek() != Some(expected) {
                return Err(self.unexpected(context));
            }
            self.position += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, Error> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        match self.peek() {
            Some(b'0') => self.position += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.expect_digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.position += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.position += 1;
            }
            self.expect_digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.bytes[start..self.position]);
        let number = text.parse().unwrap_or(f64::INFINITY);
        if number.is_infinite() && self.too_large.is_none() {
            self.too_large = Some(Error::Mismatch {
                found: format!("number {text}"),
                wanted: "float64",
            });
        }
        Ok(Value::Float(number))
    }

    fn expect_digits(&mut self, context: &'static str) -> Result<(), Error> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
    }

    /// A string; what is no UTF-8 becomes U+FFFD.
    fn string(&mut self) -> Result<Text, Error> {
        self.position += 1;
        let mut bytes = Vec::new();
        loop {
            let start = self.position;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.position += 1;
            }
            replace_invalid(&self.bytes[start..self.position], &mut bytes);
            match self.peek() {
                None => return Err(Error::UnexpectedEnd),
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut bytes)?,
                Some(_) => return Err(self.unexpected("in string literal")),
            }
        }
        self.position += 1;
        Ok(bytes.into())
    }

    fn escape(&mut self, target: &mut Vec<u8>) -> Result<(), Error> {
        self.position += 1;
        let byte = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => plain,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode_escape(target),
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.position += 1;
        target.push(byte);
        Ok(())
    }

    /// `\uXXXX`, or a pair of them for what lies beyond; a lone half of a pair becomes U+FFFD.
    fn unicode_escape(&mut self, target: &mut Vec<u8>) -> Result<(), Error> {
        let mut code = self.hexadecimal()?;
        if (0xD800..0xDC00).contains(&code) && self.bytes[self.position..].starts_with(b"\\u") {
            let after_first = self.position;
            self.position += 1;
            let second = self.hexadecimal()?;
            if (0xDC00..0xE000).contains(&second) {
                code = 0x1_0000 + ((code - 0xD800) << 10) + (second - 0xDC00);
            } else {
                self.position = after_first;
            }
        }
        let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        target.extend(char.encode_utf8(&mut [0; 4]).bytes());
        Ok(())
    }

    fn hexadecimal(&mut self) -> Result<u32, Error> {
        self.position += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.position += 1;
        }
        Ok(code)
    }
}

const TRUE: [&str; 3] = [
    "in literal true (expecting 'r')",
    "in literal true (expecting 'u')",
    "in literal true (expecting 'e')",
];
const FALSE: [&str; 4] = [
    "in literal false (expecting 'a')",
    "in literal false (expecting 'l')",
    "in literal false (expecting 's')",
    "in literal false (expecting 'e')",
];
const NULL: [&str; 3] = [
    "in literal null (expecting 'u')",
    "in literal null (expecting 'l')",
    "in literal null (expecting 'l')",
];

/// Every byte that belongs to no character becomes one U+FFFD.
pub(crate) fn replace_invalid(bytes: &[u8], target: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        target.extend(chunk.valid().bytes());
        for _ in chunk.invalid() {
            target.extend("\u{fffd}".bytes());
        }
    }
}

fn invalid(byte: u8, context: &'static str) -> Error {
    let mut character = String::from("'");
    match char::from(byte) {
        '\'' => character.push_str("\\'"),
        other => escape_into(&mut character, other),
    }
    character.push('\'');
    Error::InvalidCharacter { character, context }
}
