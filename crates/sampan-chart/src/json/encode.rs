//! Writing JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Error;
use crate::value::float;
use crate::value::{Dict, List, ListType, MAX_DEPTH, Text, Value};

/// How the text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// One line, with `<`, `>` and `&` escaped.
    Html,
    /// One line, as it is.
    Raw,
    /// Many lines, with `<`, `>` and `&` escaped.
    Pretty,
}

struct Writer {
    text: Vec<u8>,
    style: Style,
    depth: usize,
}

pub(super) fn encode(value: &Value, style: Style) -> Result<Text, Error> {
    let mut writer = Writer {
        text: Vec::new(),
        style,
        depth: 0,
    };
    writer.value(value)?;
    Ok(writer.text.into())
}

impl Writer {
    fn value(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => self.text.extend(b"null"),
            Value::List(list) if list.is_nil() => self.text.extend(b"null"),
            Value::Dict(dict) if dict.is_nil() => self.text.extend(b"null"),
            Value::Bool(value) => self.text.extend(value.to_string().bytes()),
            Value::Integer(integer) => self.text.extend(integer.value.to_string().bytes()),
            Value::Float(number) => self.float(*number)?,
            Value::Text(text) => self.string(text),
            Value::List(list) if list.list_type() == ListType::Byte => self.bytes(list),
            Value::List(list) => self.list(list)?,
            Value::Dict(dict) => self.dict(dict)?,
            Value::Object(object) => match object.members() {
                Some(members) => self.members(&members)?,
                None => self.value(&object.data())?,
            },
            Value::Complex(..) => return Err(Error::UnsupportedType(value.type_name())),
        }
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<(), Error> {
        if !value.is_finite() {
            return Err(Error::UnsupportedValue(float::print(value)));
        }
        self.text.extend(number(value).bytes());
        Ok(())
    }

    fn bytes(&mut self, list: &List) {
        let bytes: Vec<u8> = list.items().iter().map(byte).collect();
        self.text.push(b'"');
        self.text.extend(STANDARD.encode(bytes).bytes());
        self.text.push(b'"');
    }

    fn list(&mut self, list: &List) -> Result<(), Error> {
        if list.items().is_empty() {
            self.text.extend(b"[]");
            return Ok(());
        }
        self.open(b'[', list.list_type().name())?;
        for (index, item) in list.items().iter().enumerate() {
            self.next(index);
            self.value(item)?;
        }
        self.close(b']');
        Ok(())
    }

    fn dict(&mut self, dict: &Dict) -> Result<(), Error> {
        let entries = dict.entries();
        if entries.is_empty() {
            self.text.extend(b"{}");
            return Ok(());
        }
        self.open(b'{', dict.dict_type().name())?;
        for (index, (key, value)) in entries.iter().enumerate() {
            self.next(index);
            self.entry(key, value)?;
        }
        self.close(b'}');
        Ok(())
    }

    /// The members of a struct, which keep their order.
    fn members(&mut self, members: &[(&str, Value)]) -> Result<(), Error> {
        if members.is_empty() {
            self.text.extend(b"{}");
            return Ok(());
        }
        self.open(b'{', "struct")?;
        for (index, (name, value)) in members.iter().enumerate() {
            self.next(index);
            self.entry(name.as_bytes(), value)?;
        }
        self.close(b'}');
        Ok(())
    }

    fn entry(&mut self, key: &[u8], value: &Value) -> Result<(), Error> {
        self.string(key);
        self.text.push(b':');
        if self.style == Style::Pretty {
            self.text.push(b' ');
        }
        self.value(value)
    }

    fn open(&mut self, bracket: u8, type_name: &str) -> Result<(), Error> {
        self.text.push(bracket);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::cycle(type_name));
        }
        Ok(())
    }

    fn next(&mut self, index: usize) {
        if index > 0 {
            self.text.push(b',');
        }
        self.line();
    }

    fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        self.line();
        self.text.push(bracket);
    }

    fn line(&mut self) {
        if self.style == Style::Pretty {
            self.text.push(b'\n');
            self.text.resize(self.text.len() + 2 * self.depth, b' ');
        }
    }

    fn string(&mut self, text: &[u8]) {
        self.text.push(b'"');
        for chunk in text.utf8_chunks() {
            self.chars(chunk.valid());
            for _ in chunk.invalid() {
                self.text.extend(b"\\ufffd");
            }
        }
        self.text.push(b'"');
    }

    fn chars(&mut self, text: &str) {
        let stays = |byte: &u8| {
            matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
        };
        let mut rest = text;
        loop {
            let plain = rest.as_bytes().iter().take_while(|byte| stays(byte));
            let (plain, others) = rest.split_at(plain.count());
            self.text.extend_from_slice(plain.as_bytes());
            let mut others = others.chars();
            let Some(char) = others.next() else { return };
            self.char(char);
            rest = others.as_str();
        }
    }

    fn char(&mut self, char: char) {
        match char {
            '"' | '\\' => self.text.extend([b'\\', char as u8]),
            '\x08' => self.text.extend(b"\\b"),
            '\x0c' => self.text.extend(b"\\f"),
            '\n' => self.text.extend(b"\\n"),
            '\r' => self.text.extend(b"\\r"),
            '\t' => self.text.extend(b"\\t"),
            '<' | '>' | '&' if self.style != Style::Raw => self.escape(char),
            // Valid JSON, but they end lines in JavaScript, so Go escapes them always.
            '\u{2028}' | '\u{2029}' => self.escape(char),
            control if control < ' ' => self.escape(control),
            other => {
                let mut buffer = [0; 4];
                self.text.extend(other.encode_utf8(&mut buffer).bytes());
            }
        }
    }

    fn escape(&mut self, char: char) {
        let escaped = format!("\\u{:04x}", u32::from(char));
        self.text.extend(escaped.bytes());
    }
}

/// A finite number in its shortest form; very large and very small ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return float::format(value, b'f', None);
    }
    let text = float::format(value, b'e', None);
    match text.split_once("e-0") {
        Some((digits, exponent)) => format!("{digits}e-{exponent}"),
        None => text,
    }
}

fn byte(item: &Value) -> u8 {
    match item {
        Value::Integer(integer) => u8::try_from(integer.value).unwrap_or_default(),
        _ => 0,
    }
}
