//! From values to the nodes that are written.
//!
//! `sigs.k8s.io/yaml` writes JSON first and reads that as YAML, and what comes out of it is not always what went in:
//! integral numbers lose their fraction, some characters are refused, long keys too. The nodes are made as if this had
//! happened, without doing it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::emitter::{Dialect, Node};
use super::order;
use super::reader::is_allowed;
use super::resolve::{self, Meaning};
use super::{Error, Fault, number, syntax, valid};
use crate::json;
use crate::value::{Dict, List, ListType, MAX_DEPTH, Text, Value};

/// How many characters a key may have as JSON; it is a simple key when it is read.
const LONGEST_KEY: usize = 1024;
/// U+0085, which ends lines in YAML and is not escaped in JSON.
const NEXT_LINE: &[u8] = b"\xc2\x85";
const NO_KEY: &str = "did not find expected ',' or '}'";

/// The nodes of a value.
pub(super) fn node(value: &Value, dialect: Dialect) -> Result<Node, Error> {
    let mut builder = Builder { dialect, depth: 0 };
    match builder.node(value) {
        Err(Error::Unwritable(fault)) => Err(Error::Unwritable(exact_fault(value, fault))),
        other => other,
    }
}

/// What is wrong with the JSON of a value as YAML, in the words and with the line of reading it.
fn exact_fault(value: &Value, fault: Fault) -> Fault {
    match json::encode(value).map(|text| super::decode(&text)) {
        Ok(Err(Error::Text(exact))) => exact,
        _ => fault,
    }
}

struct Builder {
    dialect: Dialect,
    depth: usize,
}

impl Builder {
    fn node(&mut self, value: &Value) -> Result<Node, Error> {
        Ok(match value {
            Value::Nil => Node::plain("null"),
            Value::List(list) if list.is_nil() && self.is_helm() => Node::plain("null"),
            Value::Dict(dict) if dict.is_nil() && self.is_helm() => Node::plain("null"),
            Value::Bool(value) => Node::plain(if *value { "true" } else { "false" }),
            Value::Integer(integer) => Node::plain(integer.value.to_string()),
            Value::Float(number) => self.float(*number)?,
            Value::Text(text) => self.text(text)?,
            Value::List(list) => self.list(list)?,
            Value::Dict(dict) => self.dict(dict)?,
            Value::Object(object) => self.node(&object.data())?,
            Value::Complex(..) => {
                let error = json::Error::UnsupportedType(value.type_name());
                return Err(Error::Unsupported(error));
            }
        })
    }

    fn is_helm(&self) -> bool {
        self.dialect == Dialect::Helm
    }

    fn float(&self, value: f64) -> Result<Node, Error> {
        if !self.is_helm() {
            return Ok(Node::plain(number::double(value)));
        }
        if !value.is_finite() {
            let error = json::Error::UnsupportedValue(syntax::go(&Value::Float(value)));
            return Err(Error::Unsupported(error));
        }
        let written = json::number_text(value);
        Ok(Node::plain(match resolve::plain(written.as_bytes()) {
            Meaning::Integer(number) => number.to_string(),
            Meaning::Float(number) => number::double(number),
            _ => written,
        }))
    }

    fn text(&self, text: &Text) -> Result<Node, Error> {
        match self.dialect {
            Dialect::Helm => Ok(Node::Text(through_json(text)?)),
            Dialect::Pretty if std::str::from_utf8(text).is_ok() => Ok(Node::Text(text.clone())),
            Dialect::Pretty => Ok(Node::Binary(in_lines(&STANDARD.encode(&**text)))),
        }
    }

    fn list(&mut self, list: &List) -> Result<Node, Error> {
        if list.list_type() == ListType::Byte && self.is_helm() {
            let encoded = json::encode(&Value::List(list.clone())).map_err(Error::Unsupported)?;
            let base64 = encoded.get(1..encoded.len() - 1).unwrap_or_default();
            return Ok(Node::Text(base64.into()));
        }
        self.enter(list.list_type().name())?;
        let mut items = Vec::with_capacity(list.items().len());
        for item in list.items() {
            items.push(self.node(item)?);
        }
        self.depth -= 1;
        Ok(Node::Sequence(items))
    }

    fn dict(&mut self, dict: &Dict) -> Result<Node, Error> {
        self.enter(dict.dict_type().name())?;
        let entries = dict.entries();
        let mut pairs: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
        for (key, value) in entries.iter() {
            let node = match self.dialect {
                Dialect::Helm => Node::Text(self::key(key)?),
                Dialect::Pretty => self.text(key)?,
            };
            let value = self.node(value)?;
            // Different bytes that are no UTF-8 can become the same key, whose last value counts.
            if std::str::from_utf8(key).is_err() {
                pairs.retain(|(known, _)| *known != node);
            }
            pairs.push((node, value));
        }
        self.depth -= 1;
        order::sort(&mut pairs, self.dialect);
        Ok(Node::Mapping(pairs))
    }

    fn enter(&mut self, type_name: &str) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::Unsupported(json::Error::cycle(type_name)));
        }
        Ok(())
    }
}

fn key(text: &Text) -> Result<Text, Error> {
    if text.windows(2).any(|pair| pair == NEXT_LINE) {
        return Err(Error::Unwritable(Fault::meaning(NO_KEY)));
    }
    let text = through_json(text)?;
    // No byte becomes more than six characters.
    if text.len() * 6 + 2 <= LONGEST_KEY {
        return Ok(text);
    }
    let encoded = json::encode(&Value::Text(text.clone())).map_err(Error::Unsupported)?;
    if encoded.to_str().chars().count() > LONGEST_KEY {
        return Err(Error::Unwritable(Fault::meaning(NO_KEY)));
    }
    Ok(text)
}

/// Text that was JSON and then was read as YAML.
fn through_json(text: &Text) -> Result<Text, Error> {
    if text.iter().all(|byte| *byte < 0x7f) {
        return Ok(text.clone());
    }
    let clean = valid(text);
    let decoded = clean.to_str();
    // JSON escapes what is below a space; everything else has to stand in YAML as it is.
    let is_refused = |char: char| char >= ' ' && !is_allowed(char.into());
    if decoded.chars().any(is_refused) {
        let fault = Fault::reader("control characters are not allowed");
        return Err(Error::Unwritable(fault));
    }
    if !decoded.contains('\u{85}') {
        return Ok(clean.clone());
    }
    // Reading folds the lines.
    let encoded = json::encode(&Value::Text(clean.clone())).map_err(Error::Unsupported)?;
    match super::decode(&encoded)? {
        Value::Text(text) => Ok(text),
        _ => Ok(clean.clone()),
    }
}

/// Base64 in lines of 70 characters, each of them ended when there is more than one.
fn in_lines(encoded: &str) -> String {
    if encoded.len() < 70 {
        return encoded.to_owned();
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    for (index, char) in encoded.chars().enumerate() {
        if index > 0 && index % 70 == 0 {
            lines.push('\n');
        }
        lines.push(char);
    }
    lines.push('\n');
    lines
}
