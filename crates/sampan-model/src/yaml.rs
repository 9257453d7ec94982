//! YAML read into a tree that remembers where each node stood.
//!
//! Errors in files that people write must name line and column, also errors that are found long after parsing (an
//! unknown value name, a file that is missing). Typed deserialization loses the places, so everything that Sampan reads
//! from YAML goes through [`Node`]. Input is untrusted: nesting, aliases and sizes are bounded by a budget.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::Hint;

mod read;
mod scalar;
#[cfg(test)]
mod tests;

/// A place in a text file; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How a scalar was written, which decides what a substitution may make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarStyle {
    /// Without quotes, so that its type follows from its text.
    Plain,
    /// In quotes or as a block, so that it is text whatever it holds.
    Text,
}

/// A key of a mapping with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub name: String,
    /// Where it stands.
    pub location: Location,
}

/// A node of a document with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the node begins.
    pub location: Location,
    /// What it holds.
    pub content: Content,
}

/// A value with the text that stands for it: `1.20` is the number 1.2, `0644` is 420, and `yes` is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// The text as written.
    pub text: String,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(Written<bool>),
    /// A number.
    Number(Written<Number>),
    /// Text.
    String(String, ScalarStyle),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping in the order of the file; keys are distinct, unless [`documents_with_repeated_keys`] has read it.
    Mapping(Vec<(Key, Node)>),
}

impl Node {
    /// The name of the node's type as messages give it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "a boolean",
            Content::Number(_) => "a number",
            Content::String(..) => "text",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }

    /// The value under `key` when the node is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Mapping(entries) => entries
                .iter()
                .find(|(name, _)| name.name == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// What stands below a path of keys; a node that is null counts as absent.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        let mut node = self;
        for key in path {
            node = node.get(key)?;
        }
        (node.content != Content::Null).then_some(node)
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.content {
            Content::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The node's value when it is a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match &self.content {
            Content::Bool(written) => Some(written.value),
            _ => None,
        }
    }

    /// The node's value when it is a whole number.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.content {
            Content::Number(written) => written.value.as_i64(),
            _ => None,
        }
    }

    /// The text of a scalar of any type, as it was written; none of null, lists and mappings.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::String(text, _) => Some(text),
            Content::Bool(written) => Some(&written.text),
            Content::Number(written) => Some(&written.text),
            Content::Null | Content::Sequence(_) | Content::Mapping(_) => None,
        }
    }

    /// The node's text when it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::String(text, _) => Some(text),
            _ => None,
        }
    }

    /// The node as JSON, without places.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(bool) => Value::Bool(bool.value),
            Content::Number(number) => Value::Number(number.value.clone()),
            Content::String(value, _) => Value::String(value.clone()),
            Content::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Content::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), node.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

impl Written<Number> {
    /// Whether the number comes out as it was written when it is put into a text.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.value.to_string() == self.text
    }
}

/// Why a text is not YAML that Sampan reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// The text breaks YAML's rules or the budget; the message says how.
    #[error("{location}: {message}")]
    Syntax {
        /// Where.
        location: Location,
        /// What is wrong, in one line.
        message: String,
    },
    /// The text is longer than [`LIMIT_BYTES`].
    #[error("{file}: the file has {size_bytes} bytes; at most {LIMIT_BYTES} are read")]
    TooLarge {
        /// The file.
        file: Arc<str>,
        /// Its length.
        size_bytes: usize,
    },
}

impl Hint for YamlError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { .. } => None,
            Self::TooLarge { .. } => Some("split the file".to_owned()),
        }
    }
}

/// The longest text that is read.
pub const LIMIT_BYTES: usize = 8 << 20;

/// Reads all documents of a text; empty documents are left out.
///
/// # Errors
/// [`YamlError`] when the text is not YAML, repeats a key, or exceeds the limits of size, depth or aliases.
pub fn documents(file: &str, text: &str) -> Result<Vec<Node>, YamlError> {
    read::documents(&Arc::from(file), text)
}

/// How much the anchors and aliases of several texts may copy together. Each text has bounds of its own, but many small
/// texts that stand for a lot are as bad as a large one.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    nodes: usize,
    bytes: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            nodes: 4 * read::LIMIT_NODES,
            bytes: 2 * read::LIMIT_SCALAR_BYTES,
        }
    }
}

/// Reads all documents of a part of a file that begins in line `first_line`, with what `allowance` has left for copies.
///
/// # Errors
/// As [`documents`], and when the allowance is used up.
pub fn documents_from(
    file: &Arc<str>,
    text: &str,
    first_line: u32,
    allowance: &mut Allowance,
) -> Result<Vec<Node>, YamlError> {
    read::documents_from(file, text, first_line, allowance)
}

/// Reads all documents of a text as [`documents`] does, and puts lists into lists where an item is `<<: *list`, which
/// Woodpecker adds to YAML.
///
/// # Errors
/// [`YamlError`] as for [`documents`].
pub fn documents_with_merged_lists(file: &str, text: &str) -> Result<Vec<Node>, YamlError> {
    read::documents_with_merged_lists(&Arc::from(file), text)
}

/// Reads all documents of a text as [`documents`] does, and keeps all entries of a mapping that has a key more than once, in
/// their order. Programs that read YAML with older libraries allow that, and so do files that were written for them.
///
/// # Errors
/// [`YamlError`] as for [`documents`], but for keys that are repeated.
pub fn documents_with_repeated_keys(file: &str, text: &str) -> Result<Vec<Node>, YamlError> {
    read::documents_with_repeated_keys(&Arc::from(file), text)
}

/// The number that an unquoted text stands for, when it stands for one.
#[must_use]
pub fn number(text: &str) -> Option<Number> {
    scalar::number(text)
}
