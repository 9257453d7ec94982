//! From the events of `serde-saphyr` to nodes with places.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{Options, Spanned};

use super::{Content, Key, LIMIT_BYTES, Location, Node, ScalarStyle, YamlError};

pub(super) fn documents(file: &Arc<str>, text: &str) -> Result<Vec<Node>, YamlError> {
    if text.len() > LIMIT_BYTES {
        return Err(YamlError::TooLarge {
            file: Arc::clone(file),
            size_bytes: text.len(),
        });
    }
    // A byte order mark is no part of the text, but some editors write it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let raw: Vec<Raw> = serde_saphyr::from_multiple_with_options(text, options())
        .map_err(|error| syntax(file, &error))?;
    let source = Source { file, text };
    Ok(raw.into_iter().map(|node| source.node(node)).collect())
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 1_000_000,
            max_nodes: 250_000,
            max_depth: 40,
            max_documents: 2_000,
        },
        with_snippet: false,
    }
}

fn syntax(file: &Arc<str>, error: &serde_saphyr::Error) -> YamlError {
    let error = error.without_snippet();
    let (line, column) = error
        .location()
        .map_or((1, 1), |at| (at.line(), at.column()));
    let rendered = error.render();
    YamlError::Syntax {
        location: Location {
            file: Arc::clone(file),
            line: short(line.max(1)),
            column: short(column.max(1)),
        },
        message: plain_message(&rendered),
    }
}

/// The first line of the parser's message without the place, which [`YamlError`] gives in front.
fn plain_message(rendered: &str) -> String {
    let line = rendered.lines().next().unwrap_or_default();
    let line = line.split(" at line ").next().unwrap_or(line);
    line.trim_start_matches("error: ")
        .trim_end_matches([':', '.', ' '])
        .to_owned()
}

fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

struct Raw(Spanned<RawContent>);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Raw)
    }
}

enum RawContent {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Sequence(Vec<Raw>),
    Mapping(Vec<(Spanned<String>, Raw)>),
}

impl<'de> Deserialize<'de> for RawContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawContent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawContent, E> {
        Ok(RawContent::Null)
    }

    fn visit_none<E>(self) -> Result<RawContent, E> {
        Ok(RawContent::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawContent, E> {
        Ok(RawContent::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawContent, E> {
        Ok(RawContent::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawContent, E> {
        Ok(RawContent::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<RawContent, E> {
        Number::from_f64(value)
            .map(RawContent::Number)
            .ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawContent, E> {
        Ok(RawContent::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawContent, E> {
        Ok(RawContent::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawContent, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element()? {
            sequence.push(item);
        }
        Ok(RawContent::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawContent, A::Error> {
        let mut mapping: Vec<(Spanned<String>, Raw)> = Vec::new();
        let mut names = HashSet::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            // `1` and `"1"` are different keys to YAML and the same key to JSON.
            if !names.insert(key.value.clone()) {
                return Err(A::Error::custom(format!(
                    "the key `{}` is given twice",
                    key.value
                )));
            }
            mapping.push((key, entries.next_value()?));
        }
        Ok(RawContent::Mapping(mapping))
    }
}

struct Source<'a> {
    file: &'a Arc<str>,
    text: &'a str,
}

impl Source<'_> {
    fn node(&self, Raw(spanned): Raw) -> Node {
        let style = self.style(spanned.defined);
        let content = match spanned.value {
            RawContent::Null => Content::Null,
            RawContent::Bool(value) => Content::Bool(value),
            RawContent::Number(value) => Content::Number(value),
            RawContent::String(value) => Content::String(value, style),
            RawContent::Sequence(items) => {
                Content::Sequence(items.into_iter().map(|item| self.node(item)).collect())
            }
            RawContent::Mapping(entries) => Content::Mapping(
                entries
                    .into_iter()
                    .map(|(key, value)| (self.key(key), self.node(value)))
                    .collect(),
            ),
        };
        Node {
            location: self.location(spanned.referenced),
            content,
        }
    }

    fn key(&self, key: Spanned<String>) -> Key {
        Key {
            name: key.value,
            location: self.location(key.referenced),
        }
    }

    fn location(&self, at: serde_saphyr::Location) -> Location {
        Location {
            file: Arc::clone(self.file),
            line: short(at.line()),
            column: short(at.column()),
        }
    }

    /// The parser resolves scalars before we see them; the first character of the source tells how one was written.
    fn style(&self, at: serde_saphyr::Location) -> ScalarStyle {
        let first = at
            .span()
            .byte_offset()
            .and_then(|offset| usize::try_from(offset).ok())
            .and_then(|offset| self.text.as_bytes().get(offset));
        match first {
            Some(b'"' | b'\'' | b'!') => ScalarStyle::Text,
            _ => ScalarStyle::Plain,
        }
    }
}
