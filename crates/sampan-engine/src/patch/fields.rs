//! Sets of fields in the form of `FieldsV1`: `f:NAME`, `k:{"KEY":VALUE}`, `v:VALUE`, `i:INDEX`
//! and `.` for the parent itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

/// One step of a path into an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A field of a structure or a key of a map.
    Field(String),
    /// The item of a keyed list; its keys as JSON with sorted names.
    Key(String),
    /// The item of a set; its value as JSON.
    Value(String),
    /// The item of a list by its place.
    Index(u64),
}

/// The way from the object's root to a value.
pub(super) type Path = Vec<Step>;

/// A set of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldSet {
    members: BTreeSet<Step>,
    children: BTreeMap<Step, FieldSet>,
}

impl Step {
    /// The step to an item that has these values in its keys.
    pub(super) fn key(keys: Map<String, Value>) -> Self {
        Self::Key(Value::Object(keys).to_string())
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let json = || {
            serde_json::from_str::<Value>(rest)
                .ok()
                .map(|value| value.to_string())
        };
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => json().map(Self::Key),
            "v" => json().map(Self::Value),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    fn encoded(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(formatter, ".{name}"),
            Self::Key(keys) => {
                let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<String> = keys
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                write!(formatter, "[{}]", pairs.join(","))
            }
            Self::Value(value) => write!(formatter, "[={value}]"),
            Self::Index(index) => write!(formatter, "[{index}]"),
        }
    }
}

impl FieldSet {
    /// Reads `fieldsV1`; parts that nobody knows are left out.
    pub(super) fn from_json(fields: &Value) -> Self {
        let mut set = Self::default();
        for (name, child) in fields.as_object().into_iter().flatten() {
            let Some(step) = Step::parse(name) else {
                continue;
            };
            let child = child.as_object();
            if child.is_none_or(|child| child.is_empty() || child.contains_key(".")) {
                set.members.insert(step.clone());
            }
            let below = child.map(|child| Self::from_json(&Value::Object(child.clone())));
            if let Some(below) = below.filter(|below| !below.is_empty()) {
                set.children.insert(step, below);
            }
        }
        set
    }

    /// The set as `fieldsV1`.
    pub(super) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        for member in &self.members {
            fields.insert(member.encoded(), Value::Object(Map::new()));
        }
        for (step, child) in &self.children {
            let mut below = match child.to_json() {
                Value::Object(below) => below,
                _ => Map::new(),
            };
            if self.members.contains(step) {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            fields.insert(step.encoded(), Value::Object(below));
        }
        Value::Object(fields)
    }

    /// A set of top-level fields.
    pub(super) fn of_fields(names: &[&str]) -> Self {
        let members = names
            .iter()
            .map(|name| Step::Field((*name).to_owned()))
            .collect();
        Self {
            members,
            children: BTreeMap::new(),
        }
    }

    /// Puts a set below a step.
    pub(super) fn with_child(mut self, step: &str, child: Self) -> Self {
        self.children.insert(Step::Field(step.to_owned()), child);
        self
    }

    pub(super) fn insert(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// Whether the step itself is in the set.
    pub(super) fn has_step(&self, step: &Step) -> bool {
        self.members.contains(step)
    }

    /// What the set has below a step.
    pub(super) fn below(&self, step: &Step) -> Option<&Self> {
        self.children.get(step).filter(|child| !child.is_empty())
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.members.extend(other.members.iter().cloned());
        for (step, child) in &other.children {
            let below = result.children.entry(step.clone()).or_default();
            *below = below.union(child);
        }
        result
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(step, child)| {
            let both = child.intersection(other.children.get(step)?);
            (!both.is_empty()).then(|| (step.clone(), both))
        });
        Self {
            members: self.members.intersection(&other.members).cloned().collect(),
            children: children.collect(),
        }
    }

    /// The paths that are not in `other`.
    pub(super) fn difference(&self, other: &Self) -> Self {
        self.without(other, false)
    }

    /// The paths that are neither in `other` nor below one that is.
    pub(super) fn outside(&self, other: &Self) -> Self {
        self.without(other, true)
    }

    fn without(&self, other: &Self, recursive: bool) -> Self {
        let children = self.children.iter().filter_map(|(step, child)| {
            if recursive && other.members.contains(step) {
                return None;
            }
            let rest = match other.children.get(step) {
                Some(removed) => child.without(removed, recursive),
                None => child.clone(),
            };
            (!rest.is_empty()).then(|| (step.clone(), rest))
        });
        Self {
            members: self.members.difference(&other.members).cloned().collect(),
            children: children.collect(),
        }
    }

    /// The members and the sets below, for walks that know the schema.
    pub(super) fn parts(&self) -> (&BTreeSet<Step>, &BTreeMap<Step, FieldSet>) {
        (&self.members, &self.children)
    }

    /// The set with these parts.
    pub(super) fn from_parts(members: BTreeSet<Step>, children: BTreeMap<Step, Self>) -> Self {
        Self { members, children }
    }

    /// All paths, parents before what is below them.
    pub(super) fn paths(&self) -> Vec<Path> {
        let mut paths: Vec<Path> = self.members.iter().map(|step| vec![step.clone()]).collect();
        for (step, child) in &self.children {
            for mut below in child.paths() {
                below.insert(0, step.clone());
                paths.push(below);
            }
        }
        paths
    }
}
