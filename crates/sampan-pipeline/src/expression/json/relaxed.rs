//! JSON as people write it into workflows: `fromJSON("['a', 'b',]")`.
//!
//! GitHub's own reader takes more than the standard does, and workflows rely on it: texts in single quotes, names without
//! quotes, a comma behind the last item, comments, and numbers to the bases 8 and 16.

use std::iter::Peekable;
use std::str::CharIndices;

use super::super::{Object, Value};

/// How deep lists and objects may nest; the reader of strict JSON has the same limit.
const LIMIT_DEPTH: usize = 128;

/// The first value of a text; nothing when it is none.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader {
        text,
        rest: text.char_indices().peekable(),
    };
    reader.value(0)
}

struct Reader<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > LIMIT_DEPTH {
            return None;
        }
        self.space()?;
        match self.peek()? {
            '[' => self.list(depth),
            '{' => self.object(depth),
            quote @ ('"' | '\'') => Some(Value::text(&self.quoted(quote)?)),
            _ => match self.word() {
                "true" => Some(Value::Boolean(true)),
                "false" => Some(Value::Boolean(false)),
                "null" => Some(Value::Null),
                "NaN" => Some(Value::Number(f64::NAN)),
                "Infinity" => Some(Value::Number(f64::INFINITY)),
                "-Infinity" => Some(Value::Number(f64::NEG_INFINITY)),
                word => number(word).map(Value::Number),
            },
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.rest.next();
        let mut items = Vec::new();
        loop {
            self.space()?;
            if self.take(']') {
                return Some(Value::list(items));
            }
            items.push(self.value(depth + 1)?);
            self.space()?;
            if !self.take(',') && self.peek()? != ']' {
                return None;
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.rest.next();
        let mut object = Object::default();
        loop {
            self.space()?;
            if self.take('}') {
                return Some(Value::Object(std::sync::Arc::new(object)));
            }
            let name = match self.peek()? {
                quote @ ('"' | '\'') => self.quoted(quote)?,
                _ => Some(self.word())
                    .filter(|name| !name.is_empty())?
                    .to_owned(),
            };
            self.space()?;
            if !self.take(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            object.insert(&name, value);
            self.space()?;
            if !self.take(',') && self.peek()? != '}' {
                return None;
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        self.rest.next();
        let mut units: Vec<u16> = Vec::new();
        loop {
            let (_, c) = self.rest.next()?;
            let c = match c {
                c if c == quote => return Some(String::from_utf16_lossy(&units)),
                '\\' => match self.rest.next()?.1 {
                    'u' => {
                        units.push(self.escaped()?);
                        continue;
                    }
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    c @ ('\\' | '/' | '"' | '\'') => c,
                    _ => return None,
                },
                c => c,
            };
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }

    /// The unit that four hexadecimal digits stand for.
    fn escaped(&mut self) -> Option<u16> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.rest.next()?.1.to_digit(16)?;
            unit = unit << 4 | u16::try_from(digit).ok()?;
        }
        Some(unit)
    }

    /// What a name without quotes, a number or a word consists of.
    fn word(&mut self) -> &'a str {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.' | '+' | '-');
        let begin = self.place();
        while self.peek().is_some_and(is_part) {
            self.rest.next();
        }
        &self.text[begin..self.place()]
    }

    /// Goes past white space and comments; nothing when a comment has no end.
    fn space(&mut self) -> Option<()> {
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.rest.next();
            }
            let behind = &self.text[self.place()..];
            let length = if behind.starts_with("//") {
                behind.find('\n').unwrap_or(behind.len())
            } else if behind.starts_with("/*") {
                behind.find("*/")? + 2
            } else {
                return Some(());
            };
            let end = self.place() + length;
            while self.rest.next_if(|(place, _)| *place < end).is_some() {}
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, c)| *c)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn place(&mut self) -> usize {
        self.rest
            .peek()
            .map_or(self.text.len(), |(place, _)| *place)
    }
}

/// A number; a zero in front makes it one to the base 8, `0x` one to the base 16.
fn number(word: &str) -> Option<f64> {
    let begins = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
    if !begins {
        return None;
    }
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, word),
    };
    let whole = |digits: &str, base| {
        let value = u32::from_str_radix(digits, base).ok()?;
        Some(sign * f64::from(value))
    };
    if let Some(digits) = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        return whole(digits, 16);
    }
    if digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit()) {
        return whole(digits, 8);
    }
    // Words such as `infinity` are numbers to Rust.
    let plain = digits
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    plain
        .then(|| digits.parse::<f64>().ok().map(|value| sign * value))
        .flatten()
}
