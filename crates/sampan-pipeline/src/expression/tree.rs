//! What an expression was parsed into.

use super::{StatusFunction, Value};

/// An operation with its operands. Trees are never deeper than [`super::LIMIT_DEPTH`].
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// How many levels the tree has.
    pub(super) depth: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Value),
    Context(String),
    /// A property or an item; the index of `a.b` is the text `b`.
    Index(Box<Node>, Box<Node>),
    /// All properties or items: `a.*`.
    Wildcard(Box<Node>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    /// A function under its usual spelling.
    Call(&'static str, Vec<Node>),
    Status(StatusFunction, Vec<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A context with the property that is asked of it: `needs.build.outputs.x` is `needs` with `build`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The context's name in lower case.
    pub context: String,
    /// The property; nothing when all of them may be meant (`toJSON(secrets)`, `needs.*`, `secrets[matrix.name]`).
    pub property: Option<String>,
}

impl Node {
    pub(super) fn new(kind: Kind) -> Self {
        let below = match &kind {
            Kind::Literal(_) | Kind::Context(_) => 0,
            Kind::Index(left, right) | Kind::Compare(_, left, right) => left.depth.max(right.depth),
            Kind::Wildcard(node) | Kind::Not(node) => node.depth,
            Kind::And(nodes) | Kind::Or(nodes) | Kind::Call(_, nodes) | Kind::Status(_, nodes) => {
                nodes.iter().map(|node| node.depth).max().unwrap_or(0)
            }
        };
        Self {
            kind,
            depth: below + 1,
        }
    }

    fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Literal(_) | Kind::Context(_) => Vec::new(),
            Kind::Index(left, right) | Kind::Compare(_, left, right) => vec![left, right],
            Kind::Wildcard(node) | Kind::Not(node) => vec![node],
            Kind::And(nodes) | Kind::Or(nodes) | Kind::Call(_, nodes) | Kind::Status(_, nodes) => {
                nodes.iter().collect()
            }
        }
    }

    pub(super) fn asks_for_status(&self) -> bool {
        matches!(self.kind, Kind::Status(..))
            || self.children().into_iter().any(Node::asks_for_status)
    }

    pub(super) fn asks_for_files(&self) -> bool {
        matches!(self.kind, Kind::Call("hashFiles", _))
            || self.children().into_iter().any(Node::asks_for_files)
    }

    pub(super) fn collect_references(&self, references: &mut Vec<Reference>) {
        if let Kind::Index(of, index) = &self.kind
            && let (Kind::Context(context), Kind::Literal(Value::String(property))) =
                (&of.kind, &index.kind)
        {
            references.push(Reference {
                context: context.to_ascii_lowercase(),
                property: Some(property.to_string()),
            });
            return;
        }
        if let Kind::Context(context) = &self.kind {
            references.push(Reference {
                context: context.to_ascii_lowercase(),
                property: None,
            });
        }
        for child in self.children() {
            child.collect_references(references);
        }
    }
}
