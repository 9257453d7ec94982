//! Faults as the library of Helm 4 keeps and prints them.

use std::collections::BTreeSet;

use super::super::Endless;
use super::super::decimal::grouped;
use super::super::json::Json;
use crate::value::quote::quote;

/// A fault and what is behind it.
pub(super) struct Fault {
    pub(super) at: String,
    pub(super) text: String,
    pub(super) causes: Vec<Self>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// Only holds its causes together.
    Group,
    /// Stands between a reference and what is wrong behind it; not shown when that is one thing.
    Reference,
}

/// What of a value a schema has looked at.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) properties: BTreeSet<String>,
    pub(super) items: BTreeSet<usize>,
}

impl Seen {
    pub(super) fn add(&mut self, other: Self) {
        self.properties.extend(other.properties);
        self.items.extend(other.items);
    }
}

pub(super) enum Stop {
    Fault(Fault),
    Endless,
}

impl From<Endless> for Stop {
    fn from(_: Endless) -> Self {
        Self::Endless
    }
}

impl Fault {
    pub(super) fn new(at: &str, text: impl Into<String>) -> Self {
        Self {
            at: at.to_owned(),
            text: text.into(),
            causes: Vec::new(),
            kind: Kind::Plain,
        }
    }

    pub(super) fn write(&self, indent: usize, lines: &mut Vec<String>) {
        let shown = !(self.kind == Kind::Reference && self.causes.len() == 1);
        if shown {
            let at = single(&self.at);
            lines.push(format!(
                "{}- at {at}: {}",
                "  ".repeat(indent - 1),
                self.text
            ));
        }
        let indent = indent + usize::from(shown);
        for cause in &self.causes {
            cause.write(indent, lines);
        }
    }
}

/// What has been found out about a value so far.
pub(super) struct State<'a> {
    pub(super) at: &'a str,
    pub(super) faults: Vec<Fault>,
    pub(super) seen: Seen,
}

impl State<'_> {
    pub(super) fn fault(&mut self, text: String) {
        self.faults.push(Fault::new(self.at, text));
    }

    pub(super) fn because(&mut self, text: &str, causes: Vec<Fault>) {
        let (at, text) = (self.at.to_owned(), text.to_owned());
        self.faults.push(Fault {
            at,
            text,
            causes,
            kind: Kind::Plain,
        });
    }

    pub(super) fn at_least(&mut self, name: &str, got: usize, least: Option<usize>) {
        if let Some(least) = least.filter(|least| got < *least) {
            self.counts(name, got, least);
        }
    }

    pub(super) fn at_most(&mut self, name: &str, got: usize, most: Option<usize>) {
        if let Some(most) = most.filter(|most| got > *most) {
            self.counts(name, got, most);
        }
    }

    fn counts(&mut self, name: &str, got: usize, want: usize) {
        let (got, want) = (grouped(&got.to_string()), grouped(&want.to_string()));
        self.fault(format!("{name}: got {got}, want {want}"));
    }

    pub(super) fn required_by(&mut self, name: &str, value: &Json, names: &[String]) {
        if let Some(missing) = missing(value, names) {
            let (missing, name) = (missing.join(", "), single(name));
            self.fault(format!("properties {missing} required, if {name} exists"));
        }
    }

    pub(super) fn finish(mut self) -> Result<Seen, Stop> {
        match self.faults.len() {
            0 => Ok(self.seen),
            1 => Err(Stop::Fault(self.faults.remove(0))),
            _ => {
                let (at, text) = (self.at.to_owned(), "validation failed".to_owned());
                Err(Stop::Fault(Fault {
                    at,
                    text,
                    causes: self.faults,
                    kind: Kind::Group,
                }))
            }
        }
    }
}

/// The names of properties that are not there, in quotes.
pub(super) fn missing(value: &Json, names: &[String]) -> Option<Vec<String>> {
    let missing = names.iter().filter(|name| value.get(name).is_none());
    let missing: Vec<_> = missing.map(|name| single(name)).collect();
    Some(missing).filter(|missing| !missing.is_empty())
}

/// A text in single quotes, as the library writes it.
pub(super) fn single(text: &str) -> String {
    let quoted = quote(text.as_bytes());
    let inside = quoted
        .strip_prefix('"')
        .and_then(|quoted| quoted.strip_suffix('"'))
        .unwrap_or(&quoted);
    format!("'{}'", inside.replace("\\\"", "\"").replace('\'', "\\'"))
}

/// A plain value as the library writes it.
pub(super) fn shown(value: &Json) -> String {
    match value {
        Json::Text(text) => single(text),
        Json::Null => "<nil>".to_owned(),
        other => other.text(),
    }
}
