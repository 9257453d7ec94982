//! From the tree of a document to the value that JSON can express.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::node::{Node, NodeId, Scalar};
use super::number;
use super::parser::{Document, TAG_PREFIX};
use super::reader::Mark;
use super::resolve::{self, Meaning};
use super::{Error, Fault, Wanted, syntax, valid};
use crate::json;
use crate::limits;
use crate::value::{Integer, IntegerType, MAX_DEPTH, Text, Value};

/// Which numbers the value is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Only `float64`, as what has been JSON.
    Json,
    /// `int`, `uint64` and `float64`, as they are written.
    Exact,
}

/// The value of a document, or what of it is wanted.
pub(super) fn value(
    document: &Document<'_>,
    numbers: Numbers,
    wanted: Wanted<'_>,
) -> Result<Value, Error> {
    let mut constructor = Constructor {
        document,
        numbers,
        visits: 1,
        alias_visits: 0,
        alias_bytes: 0,
        alias_depth: 0,
        depth: 0,
        active: HashSet::new(),
        bad_key: None,
        has_odd_number: false,
    };
    let read = constructor.node(document.root, wanted)?;
    if let Some((key, of)) = constructor.bad_key.take() {
        return Err(constructor.bad_key_error(&key, of)?);
    }
    if !constructor.has_odd_number {
        return Ok(read);
    }
    match wanted {
        Wanted::All => {
            json::encode(&read).map_err(Error::NotJson)?;
            Ok(read)
        }
        // Which number is told depends on all that is read.
        _ => value(document, numbers, Wanted::All),
    }
}

struct Constructor<'a> {
    document: &'a Document<'a>,
    numbers: Numbers,
    /// How many nodes were visited, and how many of them by way of an alias.
    visits: usize,
    alias_visits: usize,
    /// How long the texts are together that aliases lead to: what is read holds a copy for each of them.
    alias_bytes: usize,
    alias_depth: usize,
    depth: usize,
    /// The aliases that are being followed.
    active: HashSet<NodeId>,
    /// The last key that cannot be a string, and its value's node.
    bad_key: Option<(Value, NodeId)>,
    has_odd_number: bool,
}

type Entries = BTreeMap<Text, Value>;

const EXCESSIVE: &str = "document contains excessive aliasing";

impl<'a> Constructor<'a> {
    /// A value; nil where nothing is wanted.
    fn node(&mut self, id: NodeId, wanted: Wanted<'_>) -> Result<Value, Fault> {
        self.visit()?;
        match &self.document.nodes[id] {
            Node::Scalar(scalar) => self.scalar(scalar, wanted),
            Node::Alias { name, target } => {
                self.enter_alias(id, name)?;
                let value = self.node(*target, wanted)?;
                self.leave_alias(id);
                Ok(value)
            }
            Node::Sequence(items) => self.items(items, wanted),
            Node::Mapping(pairs) => {
                let mut entries = Entries::new();
                self.pairs(pairs, wanted, &mut entries)?;
                Ok(match wanted {
                    Wanted::Nothing => Value::Nil,
                    _ => Value::Dict(entries.into()),
                })
            }
        }
    }

    fn items(&mut self, items: &[NodeId], wanted: Wanted<'_>) -> Result<Value, Fault> {
        self.enter()?;
        let value = if wanted.is_nothing() {
            for item in items {
                self.node(*item, wanted)?;
            }
            Value::Nil
        } else {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                values.push(self.node(*item, Wanted::All)?);
            }
            Value::list(values)
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Counts a node, and refuses a document that consists of aliases for the most part.
    fn visit(&mut self) -> Result<(), Fault> {
        self.visits += 1;
        if self.alias_depth > 0 {
            self.alias_visits += 1;
        }
        let is_small = self.alias_visits <= 100 || self.visits <= 1000;
        if is_small || ratio(self.alias_visits, self.visits) <= allowed_ratio(self.visits) {
            return Ok(());
        }
        Err(Fault::meaning(EXCESSIVE))
    }

    /// Counts a text, of which go-yaml has one and its JSON as many as there are aliases.
    fn copy(&mut self, text: &[u8]) -> Result<(), Fault> {
        if self.alias_depth > 0 {
            self.alias_bytes += text.len();
            if self.alias_bytes > limits::TEXT_BYTES {
                return Err(Fault::meaning(EXCESSIVE));
            }
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::too_deep(Mark::default()));
        }
        Ok(())
    }

    fn enter_alias(&mut self, id: NodeId, name: &[u8]) -> Result<(), Fault> {
        if !self.active.insert(id) {
            let name = String::from_utf8_lossy(name);
            return Err(Fault::meaning(format!(
                "anchor '{name}' value contains itself"
            )));
        }
        self.alias_depth += 1;
        Ok(())
    }

    fn leave_alias(&mut self, id: NodeId) {
        self.alias_depth -= 1;
        self.active.remove(&id);
    }

    fn pairs(
        &mut self,
        pairs: &[(NodeId, NodeId)],
        wanted: Wanted<'_>,
        entries: &mut Entries,
    ) -> Result<(), Fault> {
        self.enter()?;
        for (key, of) in pairs {
            if self.is_merge(*key) {
                self.merge(*of, wanted, entries)?;
                continue;
            }
            if let Some(text) = self.text_key(*key) {
                self.visit()?;
                self.copy(text)?;
                let wanted = wanted.below(text);
                let value = self.node(*of, wanted)?;
                if !wanted.is_nothing() {
                    entries.insert(valid(text), value);
                }
                continue;
            }
            let key = self.key(*key)?;
            if matches!(key, Value::Dict(_) | Value::List(_)) {
                let key = syntax::go(&key);
                return Err(Fault::meaning(format!("invalid map key: {key}")));
            }
            let text = key_text(&key);
            let wanted = match &text {
                Some(text) => wanted.below(text),
                None => Wanted::Nothing,
            };
            let value = self.node(*of, wanted)?;
            match text {
                Some(_) if wanted.is_nothing() => {}
                Some(text) => {
                    entries.insert(text, value);
                }
                None => self.bad_key = Some((key, *of)),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The text of a key that is nothing but text, as nearly all are.
    fn text_key(&self, key: NodeId) -> Option<&'a [u8]> {
        match &self.document.nodes[key] {
            Node::Scalar(scalar) if scalar.tag.is_empty() => {
                let is_text = !scalar.implicit || resolve::plain(&scalar.text) == Meaning::Text;
                is_text.then_some(&*scalar.text)
            }
            _ => None,
        }
    }

    /// A key keeps its number as it is written, for it never is a number in JSON.
    fn key(&mut self, id: NodeId) -> Result<Value, Fault> {
        let numbers = std::mem::replace(&mut self.numbers, Numbers::Exact);
        let key = self.node(id, Wanted::All);
        self.numbers = numbers;
        key
    }

    fn is_merge(&self, key: NodeId) -> bool {
        match &self.document.nodes[key] {
            Node::Scalar(Scalar {
                text,
                tag,
                implicit,
            }) => **text == *b"<<" && (*implicit || tag.strip_prefix(TAG_PREFIX) == Some(b"merge")),
            _ => false,
        }
    }

    /// The entries of one mapping or several: of several, the first one wins.
    fn merge(
        &mut self,
        id: NodeId,
        wanted: Wanted<'_>,
        entries: &mut Entries,
    ) -> Result<(), Fault> {
        match &self.document.nodes[id] {
            Node::Sequence(items) => {
                for item in items.iter().rev() {
                    self.merge_one(*item, wanted, entries)?;
                }
                Ok(())
            }
            _ => self.merge_one(id, wanted, entries),
        }
    }

    fn merge_one(
        &mut self,
        id: NodeId,
        wanted: Wanted<'_>,
        entries: &mut Entries,
    ) -> Result<(), Fault> {
        let problem = "map merge requires map or sequence of maps as the value";
        match &self.document.nodes[id] {
            Node::Mapping(pairs) => {
                self.visit()?;
                self.pairs(pairs, wanted, entries)
            }
            Node::Alias { name, target } => {
                let Node::Mapping(pairs) = &self.document.nodes[*target] else {
                    return Err(Fault::meaning(problem));
                };
                self.visit()?;
                self.enter_alias(id, name)?;
                self.visit()?;
                self.pairs(pairs, wanted, entries)?;
                self.leave_alias(id);
                Ok(())
            }
            _ => Err(Fault::meaning(problem)),
        }
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, wanted: Wanted<'_>) -> Result<Value, Fault> {
        let Scalar {
            text,
            tag,
            implicit,
        } = scalar;
        self.copy(text)?;
        let meaning = match tag.strip_prefix(TAG_PREFIX) {
            Some(b"binary") => return binary(text),
            _ if !tag.is_empty() => resolve::with_tag(tag, text)?,
            _ if *implicit => resolve::plain(text),
            _ => Meaning::Text,
        };
        Ok(match meaning {
            Meaning::Null => Value::Nil,
            Meaning::Bool(value) => Value::Bool(value),
            Meaning::Integer(number) if self.numbers == Numbers::Json => {
                Value::Float(resolve::to_float(number))
            }
            Meaning::Integer(number) => exact(number),
            Meaning::Float(number) => {
                self.has_odd_number |= !number.is_finite();
                Value::Float(number)
            }
            Meaning::Timestamp | Meaning::Text if wanted.is_nothing() => Value::Nil,
            Meaning::Timestamp | Meaning::Text => Value::Text(valid(text)),
        })
    }

    /// Go prints key and value in its own notation, with the numbers as they are written.
    fn bad_key_error(&mut self, key: &Value, of: NodeId) -> Result<Error, Fault> {
        self.numbers = Numbers::Exact;
        let value = self.node(of, Wanted::All)?;
        let type_name = match key {
            Value::Nil => "%!s(<nil>)",
            other => other.type_name(),
        };
        let (key, value) = (syntax::go_top(key), syntax::go_top(&value));
        Ok(Error::Key(format!(
            "{type_name}, key: {key}, value: {value}"
        )))
    }
}

/// The string that a key becomes in JSON; null and what exceeds `int64` become none.
fn key_text(key: &Value) -> Option<Text> {
    Some(match key {
        Value::Text(text) => text.clone(),
        Value::Bool(value) => value.to_string().into(),
        Value::Integer(Integer { value, of }) if *of == IntegerType::Int => {
            value.to_string().into()
        }
        Value::Float(number) => number::single(*number).into(),
        _ => return None,
    })
}

fn exact(number: i128) -> Value {
    let of = match i64::try_from(number) {
        Ok(_) => IntegerType::Int,
        Err(_) => IntegerType::Uint64,
    };
    Value::integer(number, of)
}

fn binary(text: &[u8]) -> Result<Value, Fault> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    let compact: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    match engine.decode(compact) {
        Ok(bytes) => Ok(Value::Text(valid(&bytes))),
        Err(_) => Err(Fault::meaning(
            "!!binary value contains invalid base64 data",
        )),
    }
}

/// Small documents may consist of aliases to 99 %, very large ones to 10 %.
fn allowed_ratio(visits: usize) -> f64 {
    const SMALL: usize = 400_000;
    const LARGE: usize = 4_000_000;
    match visits {
        0..=SMALL => 0.99,
        LARGE.. => 0.10,
        _ => 0.99 - 0.89 * ratio(visits - SMALL, LARGE - SMALL),
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the counts are far below 2^53")]
    let ratio = part as f64 / whole as f64;
    ratio
}
