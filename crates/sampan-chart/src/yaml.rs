//! YAML as Helm reads and writes it: go-yaml v2 behind `sigs.k8s.io/yaml`, byte for byte and error for error.
//!
//! A text is read as YAML 1.1 (so `y` is true and `017` is 15) and becomes JSON before anybody sees it: keys are strings,
//! numbers are `float64`. Only the first document of a text is read.
//!
//! # Why an own scanner
//! Charts show the errors of YAML (`{Error: …}` of `fromYaml`, the messages about `values.yaml`), with the lines and the
//! words of libyaml. They come from its scanner: which token stands where a key could have begun, how far it has read
//! ahead, which of two mistakes it meets first. The Rust parsers that are kept up (`saphyr-parser`, `granit-parser`) follow
//! YAML 1.2 and their own words and differ in what they accept; what is translated from libyaml by machine is unsafe code.
//! So [`scanner`] and [`parser`] keep libyaml's rules, written for a tree of one document: there are no events and no
//! state machine, and nesting is bounded by [`MAX_DEPTH`].
//!
//! Most documents need none of that: [`lines`] reads them for a fraction of the work. It takes only what the parser would
//! take, to the same tree, and leaves the rest, with all that is wrong, to the parser.

use std::borrow::Cow;

use crate::json;
use crate::value::{Dict, List, MAX_DEPTH, Text, Value};

mod class;
mod construct;
mod emitter;
mod encode;
mod encoding;
mod gathered;
mod lines;
mod node;
mod number;
mod order;
mod parser;
mod reader;
mod resolve;
mod scanner;
mod syntax;
mod timestamp;
mod token;
mod wanted;

use construct::Numbers;
use emitter::Dialect;
use reader::Mark;
pub(crate) use wanted::{Keys, Wanted};

/// Why YAML could not be read or written; the texts are those that Helm prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no YAML, or says what cannot be.
    #[error("error converting YAML to JSON: {0}")]
    Text(#[from] Fault),
    /// A key that no string can stand for, and its value.
    #[error("error converting YAML to JSON: unsupported map key of type: {0}")]
    Key(String),
    /// A value that JSON cannot express.
    #[error("error converting YAML to JSON: {0}")]
    NotJson(json::Error),
    /// A value of one kind where the receiver takes another.
    #[error("error unmarshaling JSON: while decoding JSON: {0}")]
    Mismatch(json::Error),
    /// What is to be written cannot be JSON.
    #[error("error marshaling into JSON: {0}")]
    Unsupported(json::Error),
    /// What is to be written could not be read as YAML.
    #[error("{0}")]
    Unwritable(Fault),
}

impl sampan_model::Hint for Error {}

/// What is wrong with a text, and in which line when that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("yaml: {}{problem}", line_prefix(*.line))]
pub struct Fault {
    line: Option<usize>,
    problem: Cow<'static, str>,
}

impl Fault {
    /// A character that cannot be read; libyaml does not say where.
    fn reader(problem: &'static str) -> Self {
        Self::meaning(problem)
    }

    /// Characters that make no token.
    fn scanner(mark: Mark, problem: &'static str) -> Self {
        let problem = problem.into();
        let line = (mark.line > 0).then_some(mark.line + 1);
        Self { line, problem }
    }

    /// A token that stands in the wrong place. libyaml counts lines from 0, and go-yaml forgets that here.
    fn parser(mark: Mark, problem: &'static str) -> Self {
        let problem = problem.into();
        let line = (mark.line > 0).then_some(mark.line);
        Self { line, problem }
    }

    /// A collection within too many others.
    fn too_deep(mark: Mark) -> Self {
        let problem = format!("exceeded max depth of {MAX_DEPTH}").into();
        let line = (mark.line > 0).then_some(mark.line + 1);
        Self { line, problem }
    }

    /// Nodes that contradict each other.
    fn meaning(problem: impl Into<Cow<'static, str>>) -> Self {
        let problem = problem.into();
        let line = None;
        Self { line, problem }
    }

    /// The text is over, which the scanner tells by a token; so this is not met.
    fn no_token() -> Self {
        Self::meaning("did not find expected node content")
    }
}

fn line_prefix(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}

/// Reads the first document; an empty text is null.
///
/// # Errors
/// When it is no YAML or cannot be JSON.
pub fn decode(bytes: &[u8]) -> Result<Value, Error> {
    read(bytes, Numbers::Json, Wanted::All)
}

/// Reads the first document with the numbers that are written: `int`, `uint64` or `float64`.
///
/// # Errors
/// As [`decode`].
pub fn decode_exact(bytes: &[u8]) -> Result<Value, Error> {
    read(bytes, Numbers::Exact, Wanted::All)
}

/// The same of a part of the first document: a mapping only has the keys that are wanted.
///
/// # Errors
/// As [`decode`], also for what is not wanted.
pub(crate) fn decode_part(bytes: &[u8], wanted: &dyn Keys) -> Result<Value, Error> {
    read(bytes, Numbers::Exact, Wanted::Part(wanted))
}

/// Reads a mapping; an empty text and null are none.
///
/// # Errors
/// As [`decode`], and when the document is something else.
pub fn decode_dict(bytes: &[u8]) -> Result<Option<Dict>, Error> {
    json::dict_of(decode(bytes)?).map_err(Error::Mismatch)
}

/// Reads a sequence; an empty text and null are none.
///
/// # Errors
/// As [`decode`], and when the document is something else.
pub fn decode_list(bytes: &[u8]) -> Result<Option<List>, Error> {
    json::list_of(decode(bytes)?).map_err(Error::Mismatch)
}

/// Writes a document as `toYaml` does, but with the line break at its end.
///
/// # Errors
/// When the value holds what cannot be JSON, or itself, or characters or keys that YAML could not read back.
pub fn encode(value: &Value) -> Result<Text, Error> {
    write(value, Dialect::Helm)
}

/// Writes a document as `toYamlPretty` does, but with the line break at its end.
///
/// # Errors
/// When the value holds itself.
pub fn encode_pretty(value: &Value) -> Result<Text, Error> {
    write(value, Dialect::Pretty)
}

fn write(value: &Value, dialect: Dialect) -> Result<Text, Error> {
    let node = encode::node(value, dialect)?;
    Ok(emitter::emit(&node, dialect).into())
}

fn read(bytes: &[u8], numbers: Numbers, wanted: Wanted<'_>) -> Result<Value, Error> {
    let text = encoding::utf8(bytes)?;
    let document = match lines::document(&text) {
        Some(document) => Some(document),
        None => parser::first_document(&text)?,
    };
    match document {
        Some(document) => construct::value(&document, numbers, wanted),
        None => Ok(Value::Nil),
    }
}

/// Text as it comes out of JSON: what is no UTF-8 is replaced.
fn valid(bytes: &[u8]) -> Text {
    if std::str::from_utf8(bytes).is_ok() {
        return bytes.into();
    }
    let mut text = Vec::with_capacity(bytes.len());
    json::replace_invalid(bytes, &mut text);
    text.into()
}
