//! Reading YAML into records as Go reads it into structs: which fields there are, what each must be, and the texts of
//! the errors when it is something else.
//!
//! Two things must happen as Helm's libraries do them, since charts rely on them: a number or boolean where text is
//! wanted becomes text (`version: 1.10` is `1.1`), and names of fields match in any case when none matches exactly.

use std::collections::BTreeMap;

use crate::compatibility::Compatibility;
use crate::value::{Value, print};
use crate::yaml::{self, Keys, Wanted};

/// What a part of a document must be.
pub(crate) enum Shape {
    /// `string`
    Text,
    /// `bool`
    Bool,
    /// Anything.
    Any,
    /// A list; elements of a record are pointers in Go, so they may be null.
    List(&'static Self),
    /// A table with keys of text.
    Map(&'static Self),
    /// A record.
    Record(&'static Record),
}

/// A struct of Go.
pub(crate) struct Record {
    /// Its name in Go; empty for one without.
    pub(crate) name: &'static str,
    /// Its type in Go, by Helm 3 and Helm 4.
    pub(crate) types: [&'static str; 2],
    /// The fields by their names in the file.
    pub(crate) fields: &'static [(&'static str, Shape)],
}

impl Record {
    fn field(&self, key: &[u8]) -> Option<&'static (&'static str, Shape)> {
        let mut fields = self.fields.iter();
        let exact = fields.find(|(name, _)| name.as_bytes() == key);
        exact.or_else(|| {
            let mut fields = self.fields.iter();
            fields.find(|(name, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        })
    }
}

impl Keys for Record {
    fn wanted(&self, key: &[u8]) -> Wanted<'_> {
        match self.field(key) {
            None => Wanted::Nothing,
            Some((_, Shape::Record(record))) => Wanted::Part(*record),
            Some(_) => Wanted::All,
        }
    }
}

/// What was read into a record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(BTreeMap<&'static str, Read>);

/// What was read into a part of a record; null leaves everything as it was, except in lists.
#[derive(Debug, Clone)]
pub(crate) enum Read {
    Text(String),
    Bool(bool),
    Any(Value),
    List(Vec<Option<Self>>),
    Map(BTreeMap<String, Self>),
    Record(Fields),
}

impl Fields {
    /// Reads a document on top of what has been read before.
    ///
    /// # Errors
    /// What is wrong with the document, in Go's words.
    pub(crate) fn read(
        &mut self,
        document: &[u8],
        record: &'static Record,
        compatibility: Compatibility,
    ) -> Result<(), String> {
        let value = yaml::decode_part(document, record).map_err(|error| error.to_string())?;
        let mut reader = Reader {
            compatibility,
            path: Vec::new(),
            problem: None,
        };
        match value {
            Value::Nil => {}
            Value::Dict(_) => reader.fields(&value, record, self),
            other => reader.mismatch(&other, record.types[reader.which()]),
        }
        match reader.problem {
            None => Ok(()),
            Some(problem) => Err(format!(
                "error unmarshaling JSON: while decoding JSON: {problem}"
            )),
        }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Read::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    pub(crate) fn set_text(&mut self, name: &'static str, text: &str) {
        self.0.insert(name, Read::Text(text.to_owned()));
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Read::Bool(true)))
    }

    /// The items of a list; none when the list is not there.
    pub(crate) fn items(&self, name: &str) -> Option<&[Option<Read>]> {
        match self.0.get(name) {
            Some(Read::List(items)) => Some(items),
            _ => None,
        }
    }

    /// The texts of a list, null as empty text.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let texts = self
            .items(name)
            .unwrap_or_default()
            .iter()
            .map(|item| match item {
                Some(Read::Text(text)) => text.clone(),
                _ => String::new(),
            });
        texts.collect()
    }

    /// The texts of a table.
    pub(crate) fn text_map(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let Some(Read::Map(map)) = self.0.get(name) else {
            return None;
        };
        let entries = map.iter().map(|(key, value)| match value {
            Read::Text(text) => (key.clone(), text.clone()),
            _ => (key.clone(), String::new()),
        });
        Some(entries.collect())
    }

    pub(crate) fn record(&self, name: &str) -> Option<&Self> {
        match self.0.get(name) {
            Some(Read::Record(fields)) => Some(fields),
            _ => None,
        }
    }
}

struct Reader {
    compatibility: Compatibility,
    /// The names of the records and fields that lead to where reading is.
    path: Vec<(&'static str, &'static str)>,
    /// The first thing that is wrong; reading goes on, as in Go.
    problem: Option<String>,
}

impl Reader {
    fn which(&self) -> usize {
        usize::from(self.compatibility == Compatibility::Helm4)
    }

    fn fields(&mut self, value: &Value, record: &'static Record, fields: &mut Fields) {
        let Value::Dict(dict) = value else {
            let wanted = record.types[self.which()];
            self.mismatch(value, wanted);
            return;
        };
        for (key, value) in dict.entries().iter() {
            let Some((name, shape)) = record.field(key) else {
                continue;
            };
            self.path.push((record.name, name));
            if let Some(read) = self.part(value, shape, fields.0.remove(name)) {
                fields.0.insert(name, read);
            }
            self.path.pop();
        }
    }

    fn part(&mut self, value: &Value, shape: &'static Shape, before: Option<Read>) -> Option<Read> {
        if matches!(value, Value::Nil) {
            // Null empties lists and tables, and leaves the rest as it was.
            return before.filter(|_| matches!(shape, Shape::Text | Shape::Bool));
        }
        match (shape, value) {
            (Shape::Any, value) => Some(Read::Any(as_json(value))),
            (Shape::Bool, Value::Bool(flag)) => Some(Read::Bool(*flag)),
            (Shape::Text, Value::Text(text)) => Some(Read::Text(text.to_str().into_owned())),
            (Shape::Text, Value::Bool(_) | Value::Integer(_) | Value::Float(_)) => {
                Some(Read::Text(print::plain(value)))
            }
            (Shape::List(shape), Value::List(list)) => {
                let items = list.items().iter().map(|item| self.part(item, shape, None));
                Some(Read::List(items.collect()))
            }
            (Shape::Map(shape), Value::Dict(dict)) => {
                let mut map = match before {
                    Some(Read::Map(map)) => map,
                    _ => BTreeMap::new(),
                };
                for (key, value) in dict.entries().iter() {
                    let read = self
                        .part(value, shape, None)
                        .unwrap_or(Read::Text(String::new()));
                    map.insert(key.to_str().into_owned(), read);
                }
                Some(Read::Map(map))
            }
            (Shape::Record(record), Value::Dict(_)) => {
                let mut fields = match before {
                    Some(Read::Record(fields)) => fields,
                    _ => Fields::default(),
                };
                self.fields(value, record, &mut fields);
                Some(Read::Record(fields))
            }
            (shape, value) => {
                let wanted = self.type_of(shape);
                self.mismatch(value, &wanted);
                before
            }
        }
    }

    fn type_of(&self, shape: &Shape) -> String {
        match shape {
            Shape::Text => "string".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Any => "interface {}".to_owned(),
            Shape::List(Shape::Record(record)) => format!("[]*{}", record.types[self.which()]),
            Shape::List(shape) => format!("[]{}", self.type_of(shape)),
            Shape::Map(shape) => format!("map[string]{}", self.type_of(shape)),
            Shape::Record(record) => record.types[self.which()].to_owned(),
        }
    }

    fn mismatch(&mut self, value: &Value, wanted: &str) {
        let found = match value {
            Value::Bool(_) => "bool",
            Value::Text(_) => "string",
            Value::List(_) => "array",
            Value::Dict(_) => "object",
            _ => "number",
        };
        let target = match self.path.last() {
            None => format!("Go value of type {wanted}"),
            Some((record, _)) => {
                let path: Vec<_> = self.path.iter().map(|(_, field)| *field).collect();
                format!(
                    "Go struct field {record}.{} of type {wanted}",
                    path.join(".")
                )
            }
        };
        self.problem
            .get_or_insert_with(|| format!("json: cannot unmarshal {found} into {target}"));
    }
}

/// A value after its way through JSON, where all numbers are floats.
fn as_json(value: &Value) -> Value {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "this is what JSON in Go does to large numbers"
        )]
        Value::Integer(integer) => Value::Float(integer.value as f64),
        Value::List(list) => Value::list(list.items().iter().map(as_json)),
        Value::Dict(dict) => Value::dict(
            dict.entries()
                .iter()
                .map(|(key, value)| (key.clone(), as_json(value))),
        ),
        plain => plain.clone(),
    }
}
