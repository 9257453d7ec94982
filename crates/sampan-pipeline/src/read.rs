//! Reading YAML nodes into what the dialects say they are.
//!
//! The forms that the dialects share ("a text or a list of texts", "a list or a mapping") are read here once, and keys
//! that nobody asked for are found: a [`Fields`] remembers which keys its reader knows.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sampan_model::nearest;
use sampan_model::yaml::{Content, Key, Location, Node};

use crate::PipelineError;
use crate::graph::Reason;

/// How long a file may be: each of its stages and combinations reads it anew.
pub(crate) const LIMIT_BYTES: usize = 1 << 20;

/// Refuses files beyond all measure.
pub(crate) fn check_size(file: &str, text: &str) -> Result<(), PipelineError> {
    if text.len() <= LIMIT_BYTES {
        return Ok(());
    }
    Err(PipelineError::TooMany {
        location: Location {
            file: file.into(),
            line: 1,
            column: 1,
        },
        what: "bytes",
        count: text.len(),
        limit: LIMIT_BYTES,
    })
}

/// A mapping that is read key by key.
pub(crate) struct Fields<'a> {
    node: &'a Node,
    entries: &'a [(Key, Node)],
    within: String,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The mapping at `node`, which messages call `within`; nothing counts as an empty mapping.
    pub(crate) fn of(node: &'a Node, within: impl Into<String>) -> Result<Self, PipelineError> {
        let within = within.into();
        let entries = match &node.content {
            Content::Mapping(entries) => entries.as_slice(),
            Content::Null => &[],
            _ => return Err(wrong_type(node, &within, "a mapping")),
        };
        Ok(Self {
            node,
            entries,
            within,
            known: RefCell::new(Vec::new()),
        })
    }

    /// The node itself.
    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    /// What the mapping describes.
    pub(crate) fn within(&self) -> &str {
        &self.within
    }

    /// The value of a key; nothing counts as no value.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Node> {
        self.known.borrow_mut().push(key);
        self.entries
            .iter()
            .find(|(name, _)| name.name == key)
            .map(|(_, node)| node)
            .filter(|node| node.content != Content::Null)
    }

    /// The value of a key, read by `reader`, which is also told what messages call it.
    pub(crate) fn read<T>(
        &self,
        key: &'static str,
        reader: impl FnOnce(&'a Node, &str) -> Result<T, PipelineError>,
    ) -> Result<Option<T>, PipelineError> {
        self.get(key)
            .map(|node| reader(node, &format!("`{key}` of {}", self.within)))
            .transpose()
    }

    /// The value of a key as `reader` reads it, or the default without one.
    pub(crate) fn read_or_default<T: Default>(
        &self,
        key: &'static str,
        reader: impl FnOnce(&'a Node, &str) -> Result<T, PipelineError>,
    ) -> Result<T, PipelineError> {
        Ok(self.read(key, reader)?.unwrap_or_default())
    }

    /// The value of a key that must be there.
    pub(crate) fn require<T>(
        &self,
        key: &'static str,
        reader: impl FnOnce(&'a Node, &str) -> Result<T, PipelineError>,
    ) -> Result<T, PipelineError> {
        self.read(key, reader)?
            .ok_or_else(|| PipelineError::MissingKey {
                location: self.node.location.clone(),
                within: self.within.clone(),
                key,
            })
    }

    /// The entries whose keys nobody asked for so far.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&'a Key, &'a Node)> {
        let known = self.known.borrow().clone();
        self.entries
            .iter()
            .filter(move |(key, _)| !known.contains(&key.name.as_str()))
            .map(|(key, node)| (key, node))
    }

    /// All entries.
    pub(crate) fn entries(&self) -> &'a [(Key, Node)] {
        self.entries
    }

    /// The keys that nobody asked for, with the errors about them.
    pub(crate) fn unknown_keys(&self) -> impl Iterator<Item = (&'a Key, PipelineError)> {
        self.rest().map(|(key, _)| {
            let known = self.known.borrow();
            let error = PipelineError::UnknownKey {
                location: key.location.clone(),
                within: self.within.clone(),
                key: key.name.clone(),
                nearest: nearest(&key.name, known.iter().copied()).map(str::to_owned),
            };
            (key, error)
        })
    }

    /// Refuses keys that nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), PipelineError> {
        PipelineError::join(self.unknown_keys().map(|(_, error)| error).collect())
    }

    /// Refuses keys of a document that are likely typing errors, and notes the others: people hold there what anchors
    /// repeat.
    pub(crate) fn finish_document(&self, notes: &mut Vec<Reason>) -> Result<(), PipelineError> {
        let mut errors = Vec::new();
        for (key, error) in self.unknown_keys() {
            let likely_meant =
                matches!(&error, PipelineError::UnknownKey { nearest, .. } if nearest.is_some());
            if likely_meant {
                errors.push(error);
            } else if !(key.name.starts_with("x-") || key.name == "variables") {
                notes.push(Reason {
                    location: Some(key.location.clone()),
                    text: format!(
                        "{} has no key `{}`; it has no effect",
                        self.within, key.name
                    ),
                });
            }
        }
        PipelineError::join(errors)
    }
}

/// A scalar as it is written; numbers and booleans keep their text, as Go's YAML reads them into a string.
pub(crate) fn text(node: &Node, what: &str) -> Result<String, PipelineError> {
    scalar(node).ok_or_else(|| wrong_type(node, what, "text"))
}

/// The text of a scalar.
pub(crate) fn scalar(node: &Node) -> Option<String> {
    match &node.content {
        Content::String(text, _) => Some(text.clone()),
        Content::Number(number) => Some(number.text.clone()),
        Content::Bool(value) => Some(value.text.clone()),
        Content::Null => Some(String::new()),
        Content::Sequence(_) | Content::Mapping(_) => None,
    }
}

/// `true` or `false`.
pub(crate) fn boolean(node: &Node, what: &str) -> Result<bool, PipelineError> {
    match &node.content {
        Content::Bool(value) => Ok(value.value),
        Content::String(text, _) if matches!(text.as_str(), "true" | "false") => Ok(text == "true"),
        _ => Err(wrong_type(node, what, "`true` or `false`")),
    }
}

/// A whole number, possibly in quotes.
pub(crate) fn integer(node: &Node, what: &str) -> Result<i64, PipelineError> {
    let number = match &node.content {
        Content::Number(number) => number.value.as_i64(),
        Content::String(text, _) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| wrong_type(node, what, "a whole number"))
}

/// A list; nothing counts as an empty one.
pub(crate) fn list<'a>(node: &'a Node, what: &str) -> Result<&'a [Node], PipelineError> {
    match &node.content {
        Content::Sequence(items) => Ok(items),
        Content::Null => Ok(&[]),
        _ => Err(wrong_type(node, what, "a list")),
    }
}

/// A list of texts.
pub(crate) fn texts(node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
    list(node, what)?
        .iter()
        .map(|item| text(item, &format!("an item of {what}")))
        .collect()
}

/// A text, which counts as a list of one, or a list of texts.
pub(crate) fn text_or_texts(node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
    match &node.content {
        Content::Sequence(_) => texts(node, what),
        Content::Null => Ok(Vec::new()),
        Content::Mapping(_) => Err(wrong_type(node, what, "text or a list of texts")),
        _ => Ok(vec![text(node, what)?]),
    }
}

/// A mapping of texts.
pub(crate) fn text_map(node: &Node, what: &str) -> Result<BTreeMap<String, String>, PipelineError> {
    Fields::of(node, what)?
        .entries()
        .iter()
        .map(|(key, value)| {
            let text = text(value, &format!("`{}` of {what}", key.name))?;
            Ok((key.name.clone(), text))
        })
        .collect()
}

/// A mapping of texts, or a list of `KEY=VALUE`; an item without `=` has an empty value.
pub(crate) fn text_map_or_list(
    node: &Node,
    what: &str,
) -> Result<BTreeMap<String, String>, PipelineError> {
    if !matches!(node.content, Content::Sequence(_)) {
        return text_map(node, what);
    }
    let pairs = texts(node, what)?.into_iter().map(|item| {
        let (key, value) = item.split_once('=').unwrap_or((&item, ""));
        (key.trim().to_owned(), value.trim().to_owned())
    });
    Ok(pairs.collect())
}

/// A size in bytes: a number, or a number with a unit (`512m`, `1.5GiB`); units are powers of 1024, as Docker has them.
pub(crate) fn bytes(node: &Node, what: &str) -> Result<i64, PipelineError> {
    let written = text(node, what)?;
    parse_bytes(&written).ok_or_else(|| PipelineError::InvalidValue {
        location: node.location.clone(),
        what: format!("size for {what}"),
        value: written,
        hint: Some("write a number of bytes, or one with a unit: `512m`, `1g`".to_owned()),
    })
}

fn parse_bytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text[digits.len()..].trim();
    let unit = unit
        .strip_suffix("ib")
        .or_else(|| unit.strip_suffix('b'))
        .unwrap_or(unit);
    let power = match unit {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let factor = 1_i64 << (10 * power);
    if let Ok(whole) = digits.parse::<i64>() {
        return whole.checked_mul(factor);
    }
    let value: f64 = digits
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a size with a fraction needs no more precision; values out of range saturate"
    )]
    Some((value * factor as f64) as i64)
}

/// The error for a value of another type.
pub(crate) fn wrong_type(node: &Node, what: &str, expected: &'static str) -> PipelineError {
    PipelineError::WrongType {
        location: node.location.clone(),
        what: what.to_owned(),
        expected,
        found: node.type_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_have_units_of_1024() {
        for (text, size) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("1024", Some(1024)),
            ("1k", Some(1024)),
            ("1KB", Some(1024)),
            ("2 GiB", Some(2 << 30)),
            ("1.5m", Some(1_572_864)),
            ("", None),
            ("m", None),
            ("1x", None),
            ("nan", None),
            ("99999999999999t", None),
        ] {
            assert_eq!(parse_bytes(text), size, "{text}");
        }
    }
}
