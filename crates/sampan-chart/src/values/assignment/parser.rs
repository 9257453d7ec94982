//! The parser of assignments: it sets values while it reads.

use std::num::{IntErrorKind, ParseIntError};

use super::Form;
use super::source::Source;
use crate::value::quote::quote;
use crate::values::tree::{Table, Tree};

/// The deepest nesting of names, and of lists in lists, that an assignment may have.
const MAX_LEVELS: usize = 30;

/// The greatest index that an assignment may name.
const MAX_INDEX: usize = 65_536;

/// The number of empty items that one assignment may put into lists, so that a short one cannot fill the memory.
const MAX_FILLED: usize = 1 << 20;

/// Why parsing went no further.
pub(super) enum Stop {
    /// The text ended where it may end.
    End,
    /// The text ended in an index.
    EndInIndex,
    /// Something is wrong.
    Error(String),
}

/// What stands behind `=`.
enum Assigned {
    Value(Tree),
    /// Nothing: the text ended.
    Nothing,
}

pub(super) struct Parser<'t, 'f> {
    source: Source<'t>,
    form: Form<'f>,
    filled: usize,
}

impl<'t, 'f> Parser<'t, 'f> {
    pub(super) fn new(text: &'t str, form: Form<'f>) -> Self {
        let source = Source::new(text);
        Self {
            source,
            form,
            filled: 0,
        }
    }

    pub(super) fn run(mut self, table: &mut Table) -> Stop {
        loop {
            if let Err(stop) = self.key(table, 0) {
                return stop;
            }
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self.form, Form::Literal)
    }

    fn key(&mut self, table: &mut Table, level: usize) -> Result<(), Stop> {
        let stops: &[char] = if self.is_literal() {
            &['=', '[', '.']
        } else {
            &['=', '[', ',', '.']
        };
        let (key, last) = self.source.until(stops, !self.is_literal());
        match last {
            None if key.is_empty() => Err(Stop::End),
            None => Err(error(format!("key {} has no value", quote(key.as_bytes())))),
            Some('[') => self.list(table, key, level),
            Some('.') => self.table(table, key, level + 1),
            Some('=') => match self.value()? {
                Assigned::Value(value) => {
                    set(table, key, value);
                    Ok(())
                }
                Assigned::Nothing => {
                    set(table, key, Tree::text(""));
                    Err(Stop::End)
                }
            },
            Some(_) => Err(error(format!(
                "key {} has no value (cannot end with ,)",
                quote(key.as_bytes())
            ))),
        }
    }

    /// A name behind a dot: the key names a table, which is made when there is none.
    fn table(&mut self, table: &mut Table, key: String, level: usize) -> Result<(), Stop> {
        if level > MAX_LEVELS {
            let limit = format!(
                "nested level is greater than maximum supported nested level of {MAX_LEVELS}"
            );
            return Err(error(format!("value name {limit}")));
        }
        let existing = table.remove(&key);
        let existed = existing.is_some();
        let mut inner = match existing {
            None => Table::new(),
            Some(Tree::Table(inner)) => inner,
            Some(other) => return Err(not_a("map[string]interface {}", &other)),
        };
        let outcome = self.key(&mut inner, level);
        if outcome.is_ok() && inner.is_empty() {
            return Err(error(format!(
                "key map {} has no value",
                quote(key.as_bytes())
            )));
        }
        if existed {
            table.insert(key, Tree::Table(inner));
        } else if !inner.is_empty() {
            set(table, key, Tree::Table(inner));
        }
        outcome
    }

    /// An index behind a key: the key names a list, which is made when there is none.
    fn list(&mut self, table: &mut Table, key: String, level: usize) -> Result<(), Stop> {
        let index = self.index()?;
        let existing = table.remove(&key);
        let existed = existing.is_some();
        let mut list = match existing {
            None => Vec::new(),
            Some(Tree::List(list)) => list,
            Some(other) => return Err(not_a("[]interface {}", &other)),
        };
        let outcome = self.item(&mut list, index, level, 0);
        if existed {
            table.insert(key, Tree::List(list));
        } else {
            set(table, key, Tree::List(list));
        }
        outcome
    }

    /// What follows an index: a value, a further index, or a name.
    fn item(
        &mut self,
        list: &mut Vec<Tree>,
        index: i64,
        level: usize,
        lists: usize,
    ) -> Result<(), Stop> {
        let Ok(at) = usize::try_from(index) else {
            return Err(error(format!("negative {index} index not allowed")));
        };
        let (extra, mark) = self.source.until(&['[', '.', '='], !self.is_literal());
        if !extra.is_empty() {
            let extra: Vec<String> = extra.chars().map(|one| format!("{one:?}")).collect();
            let problem = format!(
                "unexpected data at end of array index: [{}]",
                extra.join(" ")
            );
            return Err(error(problem));
        }
        match mark {
            None => Err(Stop::End),
            Some('=') => {
                let value = match self.value()? {
                    Assigned::Value(value) => value,
                    Assigned::Nothing => Tree::text(""),
                };
                self.put(list, at, value)
            }
            Some('[') => {
                let next = self.index()?;
                if lists >= MAX_LEVELS {
                    return Err(error(format!(
                        "lists are nested deeper than {MAX_LEVELS} levels"
                    )));
                }
                let mut inner = match list.get(at) {
                    None | Some(Tree::Null) => Vec::new(),
                    Some(Tree::List(inner)) => inner.clone(),
                    Some(other) => return Err(not_a("[]interface {}", other)),
                };
                self.item(&mut inner, next, level, lists + 1)?;
                self.put(list, at, Tree::List(inner))
            }
            Some(_) => self.table_item(list, at, level),
        }
    }

    /// A name behind an index: the item is a table.
    fn table_item(&mut self, list: &mut Vec<Tree>, at: usize, level: usize) -> Result<(), Stop> {
        let exists = at < list.len();
        let mut inner = match list.get_mut(at).map(std::mem::take) {
            Some(Tree::Table(inner)) => inner,
            _ => Table::new(),
        };
        match self.key(&mut inner, level) {
            Ok(()) => self.put(list, at, Tree::Table(inner)),
            Err(stop) => {
                // Where the text ends behind `=`, an item that was there is changed, a new one is not added.
                if exists {
                    list[at] = Tree::Table(inner);
                }
                Err(stop)
            }
        }
    }

    fn value(&mut self) -> Result<Assigned, Stop> {
        match self.form {
            Form::Json => self.json().map(Assigned::Value),
            Form::Literal => {
                let value = self.source.rest();
                self.source.skip(value.len());
                Ok(Assigned::Value(Tree::text(value)))
            }
            Form::Plain | Form::Text | Form::File(_) => match self.source.peek() {
                None => Ok(Assigned::Nothing),
                Some('{') => self.value_list().map(Assigned::Value),
                Some(_) => {
                    let (text, _) = self.source.until(&[','], true);
                    self.read(&text).map(Assigned::Value)
                }
            },
        }
    }

    fn value_list(&mut self) -> Result<Tree, Stop> {
        self.source.next();
        let mut items = Vec::new();
        loop {
            let (text, last) = self.source.until(&[',', '}'], true);
            let Some(last) = last else {
                return Err(error("list must terminate with '}'"));
            };
            items.push(self.read(&text)?);
            if last == '}' {
                if self.source.peek() == Some(',') {
                    self.source.next();
                }
                return Ok(Tree::List(items));
            }
        }
    }

    /// A single value in the way of the form.
    fn read(&self, text: &str) -> Result<Tree, Stop> {
        match self.form {
            Form::File(read) => read(text).map(Tree::Text).map_err(Stop::Error),
            Form::Plain => Ok(recognised(text)),
            Form::Text | Form::Json | Form::Literal => Ok(Tree::text(text)),
        }
    }

    fn json(&mut self) -> Result<Tree, Stop> {
        if self.source.is_empty_value() {
            return Ok(Tree::Null);
        }
        let mut values =
            serde_json::Deserializer::from_str(self.source.rest()).into_iter::<serde_json::Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(problem)) => return Err(error(problem.to_string())),
            None => return Err(error("unexpected EOF")),
        };
        let read = values.byte_offset();
        self.source.skip(read);
        self.source.is_empty_value();
        Ok(Tree::from(value))
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (digits, last) = self.source.until(&[']'], !self.is_literal());
        if last.is_none() {
            return Err(Stop::EndInIndex);
        }
        digits.parse().map_err(|problem: ParseIntError| {
            let problem = match problem.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            let digits = quote(digits.as_bytes());
            error(format!(
                "error parsing index: strconv.Atoi: parsing {digits}: {problem}"
            ))
        })
    }

    fn put(&mut self, list: &mut Vec<Tree>, at: usize, value: Tree) -> Result<(), Stop> {
        if at > MAX_INDEX {
            let limit = format!("greater than maximum supported index of {MAX_INDEX}");
            return Err(error(format!("index of {at} is {limit}")));
        }
        if list.len() <= at {
            self.filled += at - list.len();
            if self.filled > MAX_FILLED {
                return Err(error(format!(
                    "lists would get more than {MAX_FILLED} empty items"
                )));
            }
            list.resize(at + 1, Tree::Null);
        }
        list[at] = value;
        Ok(())
    }
}

/// Sets a key, unless it is empty.
fn set(table: &mut Table, key: String, value: Tree) {
    if !key.is_empty() {
        table.insert(key, value);
    }
}

/// The boolean, number or nothing that a text stands for. What begins with a zero stays text.
fn recognised(text: &str) -> Tree {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") {
        Tree::Bool(true)
    } else if is("false") {
        Tree::Bool(false)
    } else if is("null") {
        Tree::Null
    } else if text == "0" {
        Tree::Integer(0)
    } else if text.starts_with('0') {
        Tree::text(text)
    } else {
        text.parse()
            .map_or_else(|_| Tree::text(text), Tree::Integer)
    }
}

fn error(text: impl Into<String>) -> Stop {
    Stop::Error(text.into())
}

/// A value in the way has another type: Go's runtime says so, and Helm passes it on.
fn not_a(wanted: &str, found: &Tree) -> Stop {
    let found = found.type_name();
    error(format!(
        "unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}
