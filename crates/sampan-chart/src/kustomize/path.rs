//! Paths to fields: `spec/template/spec/containers/image` goes through lists by itself.

use serde_json::{Map, Value};

use super::resource::Id;

/// A field of some kinds.
#[derive(Debug, Clone)]
pub(super) struct FieldPath {
    pub(super) path: String,
    /// Whether it is made where it is not there.
    pub(super) create: bool,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
}

impl FieldPath {
    pub(super) fn of(kind: &'static str, path: &str, create: bool) -> Self {
        Self {
            path: path.to_owned(),
            create,
            group: "",
            version: "",
            kind,
        }
    }

    pub(super) fn in_group(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    pub(super) fn in_version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    pub(super) fn selects(&self, id: &Id) -> bool {
        id.is_selected(self.group, self.version, self.kind)
    }
}

/// What is put where a field is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Make {
    /// Nothing.
    Nothing,
    /// A table.
    Table,
    /// An empty value, for whoever sets it.
    Scalar,
}

/// Gives each value at a path to `set`. Lists on the way stand for all their items; `\/` is a slash in a name.
pub(super) fn walk(
    value: &mut Map<String, Value>,
    path: &str,
    make: Make,
    set: &mut dyn FnMut(&mut Value),
) {
    let parts = parts(path);
    through(value, &parts, make, set);
}

fn parts(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = path.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&'/') => {
                characters.next();
                parts.last_mut().expect("there is one").push('/');
            }
            '/' => parts.push(String::new()),
            other => parts.last_mut().expect("there is one").push(other),
        }
    }
    parts
}

fn through(
    table: &mut Map<String, Value>,
    parts: &[String],
    make: Make,
    set: &mut dyn FnMut(&mut Value),
) {
    let Some((first, rest)) = parts.split_first() else {
        return;
    };
    let (key, is_list) = match first.strip_suffix("[]") {
        Some(key) => (key, true),
        None => (first.as_str(), false),
    };
    let there = table.get(key).is_some_and(|value| !value.is_null());
    if !there {
        // What is a list is never made: there is nobody to be in it.
        if make == Make::Nothing || is_list {
            return;
        }
        let new = if rest.is_empty() && make == Make::Scalar {
            Value::Null
        } else {
            Value::Object(Map::new())
        };
        table.insert(key.to_owned(), new);
    }
    let Some(value) = table.get_mut(key) else {
        return;
    };
    if rest.is_empty() && !is_list {
        if let Value::Array(items) = value {
            items.iter_mut().for_each(set);
        } else {
            set(value);
        }
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                match item {
                    _ if rest.is_empty() => set(item),
                    Value::Object(table) => through(table, rest, make, set),
                    _ => {}
                }
            }
        }
        Value::Object(table) => through(table, rest, make, set),
        _ => {}
    }
}
