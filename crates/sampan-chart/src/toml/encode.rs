//! Writing TOML: simple values of a table first, then its tables, both in the order of their keys.

use super::Error;
use crate::compatibility::Compatibility;
use crate::limits;
use crate::value::float;
use crate::value::{Dict, List, MAX_DEPTH, Text, Value};

struct Writer {
    text: Vec<u8>,
    compatibility: Compatibility,
    depth: usize,
}

/// The kinds of values that make a difference to where they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Table,
    Tables,
    Simple,
}

pub(super) fn encode(value: &Value, compatibility: Compatibility) -> Result<Text, Error> {
    let mut writer = Writer {
        text: Vec::new(),
        compatibility,
        depth: 0,
    };
    match value {
        Value::Nil => return Err(Error::Nil),
        other => writer.entry(&[], other)?,
    }
    Ok(writer.text.into())
}

impl Writer {
    /// A value in its place: a line, or a table of its own.
    fn entry(&mut self, path: &[&[u8]], value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => Ok(()),
            Value::Dict(dict) => self.table(path, dict),
            Value::List(list) if kind(value)? == Kind::Tables => self.tables(path, list),
            Value::Object(object) if !is_time(value) => self.entry(path, &object.data()),
            other => self.line(path, other),
        }
    }

    fn line(&mut self, path: &[&[u8]], value: &Value) -> Result<(), Error> {
        let Some(key) = path.last() else {
            return self.element(value);
        };
        self.indent(path);
        self.key(key);
        self.text.extend(b" = ");
        self.element(value)?;
        self.text.push(b'\n');
        Ok(())
    }

    fn table(&mut self, path: &[&[u8]], dict: &Dict) -> Result<(), Error> {
        if dict.is_nil() {
            return Ok(());
        }
        if path.len() == 1 {
            self.new_line();
        }
        if !path.is_empty() {
            self.header(path, "[", "]\n")?;
        }
        self.entries(path, dict)
    }

    fn tables(&mut self, path: &[&[u8]], list: &List) -> Result<(), Error> {
        if path.is_empty() {
            return Err(Error::NoKey);
        }
        for item in list.items() {
            let plain = plain(item);
            if let Value::Dict(dict) = plain {
                self.new_line();
                self.header(path, "[[", "]]\n")?;
                self.entries(path, &dict)?;
            }
        }
        Ok(())
    }

    fn header(&mut self, path: &[&[u8]], open: &str, close: &str) -> Result<(), Error> {
        self.indent(path);
        self.text.extend(open.bytes());
        for (index, key) in path.iter().enumerate() {
            if index > 0 {
                self.text.push(b'.');
            }
            self.key(key);
            // The names of all tables around are written again for each table.
            if self.text.len() > limits::TEXT_BYTES {
                return Err(Error::TooLarge);
            }
        }
        self.text.extend(close.bytes());
        Ok(())
    }

    fn entries(&mut self, path: &[&[u8]], dict: &Dict) -> Result<(), Error> {
        self.enter()?;
        let entries = dict.entries();
        let (simple, tables) = by_place(entries.iter())?;
        for (key, value) in simple.into_iter().chain(tables) {
            let path = [path, &[key]].concat();
            self.entry(&path, value)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::Cycle);
        }
        Ok(())
    }

    /// A value on the line of its key.
    fn element(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => return Err(Error::NilElement),
            Value::Bool(value) => self.text.extend(value.to_string().bytes()),
            Value::Integer(integer) => self.text.extend(integer.value.to_string().bytes()),
            Value::Float(number) => self.float(*number),
            Value::Text(text) => self.quoted(text),
            Value::List(list) => self.list(list)?,
            Value::Dict(dict) => self.inline(dict)?,
            Value::Object(object) => match object.data() {
                // Dates are values of their own in TOML.
                Value::Text(text) if is_time(value) => self.text.extend(&*text),
                data => self.element(&data)?,
            },
            Value::Complex(..) => return Err(Error::UnsupportedType(value.kind_name())),
        }
        Ok(())
    }

    fn float(&mut self, value: f64) {
        let mut text = if value.is_nan() {
            "nan".to_owned()
        } else if value.is_infinite() {
            "inf".to_owned()
        } else {
            let format = self.compatibility.pick(b'f', b'g');
            float::format(value.abs(), format, None)
        };
        if value.is_finite() && !text.contains(['.', 'e']) {
            text.push_str(".0");
        }
        if value.is_sign_negative() {
            self.text.push(b'-');
        }
        self.text.extend(text.bytes());
    }

    fn list(&mut self, list: &List) -> Result<(), Error> {
        self.enter()?;
        self.text.push(b'[');
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                self.text.extend(b", ");
            }
            self.element(item)?;
        }
        self.text.push(b']');
        self.depth -= 1;
        Ok(())
    }

    /// A table in braces. What is nil is left out, but not the comma that belongs to its place.
    fn inline(&mut self, dict: &Dict) -> Result<(), Error> {
        self.enter()?;
        self.text.push(b'{');
        let entries = dict.entries();
        let (simple, tables) = by_place(entries.iter())?;
        let total = simple.len() + tables.len();
        for (index, (key, value)) in simple.into_iter().chain(tables).enumerate() {
            if is_nil(value) {
                continue;
            }
            self.key(key);
            self.text.extend(b" = ");
            self.element(value)?;
            if index + 1 != total {
                self.text.extend(b", ");
            }
        }
        self.text.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    fn new_line(&mut self) {
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
    }

    fn indent(&mut self, path: &[&[u8]]) {
        let columns = 2 * (path.len() - 1);
        self.text.resize(self.text.len() + columns, b' ');
    }

    fn key(&mut self, key: &[u8]) {
        let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !key.is_empty() && key.iter().all(is_bare) {
            self.text.extend(key);
        } else {
            self.quoted(key);
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        self.text.push(b'"');
        for byte in text {
            match byte {
                b'"' | b'\\' => self.text.extend([b'\\', *byte]),
                0x08 => self.text.extend(b"\\b"),
                b'\t' => self.text.extend(b"\\t"),
                b'\n' => self.text.extend(b"\\n"),
                0x0c => self.text.extend(b"\\f"),
                b'\r' => self.text.extend(b"\\r"),
                0..0x20 | 0x7f => self.text.extend(format!("\\u{byte:04x}").bytes()),
                other => self.text.push(*other),
            }
        }
        self.text.push(b'"');
    }
}

type Entry<'a> = (&'a [u8], &'a Value);

/// The entries that stand on lines, and those that are tables.
fn by_place<'a>(
    entries: impl Iterator<Item = (&'a Text, &'a Value)>,
) -> Result<(Vec<Entry<'a>>, Vec<Entry<'a>>), Error> {
    let mut simple = Vec::new();
    let mut tables = Vec::new();
    for (key, value) in entries {
        let entry: Entry<'a> = (key, value);
        match kind(value)? {
            Kind::Table | Kind::Tables => tables.push(entry),
            Kind::Simple | Kind::Nothing => simple.push(entry),
        }
    }
    Ok((simple, tables))
}

fn kind(value: &Value) -> Result<Kind, Error> {
    kind_within(value, MAX_DEPTH)
}

fn kind_within(value: &Value, depth: usize) -> Result<Kind, Error> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(Error::Cycle);
    };
    match value {
        _ if is_nil(value) => Ok(Kind::Nothing),
        Value::Dict(_) => Ok(Kind::Table),
        Value::List(list) => {
            let mut are_tables = !list.items().is_empty();
            for item in list.items() {
                match kind_within(item, below)? {
                    Kind::Nothing => return Err(Error::NilElement),
                    Kind::Table => {}
                    Kind::Tables | Kind::Simple => are_tables = false,
                }
            }
            Ok(if are_tables {
                Kind::Tables
            } else {
                Kind::Simple
            })
        }
        Value::Object(object) if !is_time(value) => kind_within(&object.data(), below),
        Value::Complex(..) => Err(Error::UnsupportedType(value.kind_name())),
        _ => Ok(Kind::Simple),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Dict(dict) => dict.is_nil(),
        Value::List(list) => list.is_nil(),
        _ => false,
    }
}

fn is_time(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.type_name() == "time.Time")
}

/// What an object is made of.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.data(),
        other => other.clone(),
    }
}
