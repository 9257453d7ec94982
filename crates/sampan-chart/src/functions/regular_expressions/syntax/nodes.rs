//! What the parser puts together: parts of the expression, and groups that are open.

use regex_syntax::hir::{Capture, Hir};

use super::Flags;

/// A part of the expression, and what bounds its use.
pub(super) struct Node {
    pub(super) hir: Hir,
    pub(super) height: u32,
    /// How often the innermost part is repeated.
    pub(super) repeats: u32,
}

impl Node {
    pub(super) fn leaf(hir: Hir) -> Self {
        Self {
            hir,
            height: 1,
            repeats: 1,
        }
    }

    /// Several nodes as one.
    pub(super) fn join(nodes: Vec<Self>, join: fn(Vec<Hir>) -> Hir) -> Self {
        let height = nodes.iter().map(|node| node.height).max().unwrap_or(0);
        let height = if nodes.len() == 1 { height } else { height + 1 };
        let repeats = nodes.iter().map(|node| node.repeats).max().unwrap_or(1);
        let hir = join(nodes.into_iter().map(|node| node.hir).collect());
        Self {
            hir,
            height,
            repeats,
        }
    }
}

/// A group that is open.
pub(super) struct Group {
    pub(super) alternatives: Vec<Node>,
    pub(super) sequence: Vec<Node>,
    /// The flags that hold again behind the group.
    pub(super) outer: Flags,
    pub(super) capture: Option<u32>,
}

impl Group {
    pub(super) fn new(outer: Flags, capture: Option<u32>) -> Self {
        Self {
            alternatives: Vec::new(),
            sequence: Vec::new(),
            outer,
            capture,
        }
    }

    pub(super) fn end_alternative(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        self.alternatives.push(Node::join(sequence, Hir::concat));
    }

    pub(super) fn close(mut self) -> Node {
        self.end_alternative();
        let mut node = Node::join(self.alternatives, Hir::alternation);
        if let Some(index) = self.capture {
            let sub = Box::new(node.hir);
            node.hir = Hir::capture(Capture {
                index,
                name: None,
                sub,
            });
            node.height += 1;
        }
        node
    }
}
