//! JSON as `fromJSON` reads and `toJSON` writes it. The order of names is kept, which `serde_json::Value` does not.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Object, Value, number};

mod relaxed;

/// Reads JSON, and what GitHub takes for it.
pub(super) fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| relaxed::read(text).ok_or(error))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor)
    }
}

struct ReadVisitor;

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Boolean(boolean))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the language has no other numbers than double precision"
    )]
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the language has no other numbers than double precision"
    )]
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::list(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Object::default();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            object.insert(&name, value);
        }
        Ok(Value::Object(std::sync::Arc::new(object)))
    }
}

/// The value as JSON, or nothing when that is longer than `limit_bytes`.
///
/// Values are not deeper than what they were read from, so that this may recurse.
pub(super) fn write(value: &Value, limit_bytes: usize) -> Option<String> {
    let mut writer = Writer {
        text: String::new(),
        limit_bytes,
    };
    writer.value(value, 0)?;
    Some(writer.text)
}

struct Writer {
    text: String,
    limit_bytes: usize,
}

impl Writer {
    fn value(&mut self, value: &Value, level: usize) -> Option<()> {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Boolean(true) => self.text.push_str("true"),
            Value::Boolean(false) => self.text.push_str("false"),
            Value::Number(number) => self.text.push_str(&number::format(*number)),
            Value::String(text) => self.string(text),
            Value::Array(items) | Value::Filtered(items) => {
                let items = items.iter().map(|item| (None, item));
                self.collection(['[', ']'], items, level)?;
            }
            Value::Object(object) => {
                let entries = object.iter().map(|(name, value)| (Some(name), value));
                self.collection(['{', '}'], entries, level)?;
            }
        }
        (self.text.len() <= self.limit_bytes).then_some(())
    }

    fn collection<'a>(
        &mut self,
        [open, close]: [char; 2],
        entries: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
        level: usize,
    ) -> Option<()> {
        self.text.push(open);
        let mut empty = true;
        for (name, value) in entries {
            if !empty {
                self.text.push(',');
            }
            empty = false;
            self.line(level + 1);
            if let Some(name) = name {
                self.string(name);
                self.text.push_str(": ");
            }
            self.value(value, level + 1)?;
        }
        if !empty {
            self.line(level);
        }
        self.text.push(close);
        Some(())
    }

    fn line(&mut self, level: usize) {
        self.text.push('\n');
        for _ in 0..level {
            self.text.push_str("  ");
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                // The last three end lines in JavaScript.
                '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    let escaped = format!("\\u{:04x}", u32::from(c));
                    self.text.push_str(&escaped);
                }
                _ => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}
