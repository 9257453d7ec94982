//! The tree of a document, before its scalars mean anything.

use std::borrow::Cow;

/// Which node of a document.
pub(super) type NodeId = usize;

/// A node.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Scalar(Scalar<'a>),
    /// Another node, by the name of its anchor.
    Alias {
        name: &'a [u8],
        target: NodeId,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

/// Text and what it is declared to be.
#[derive(Debug, Default)]
pub(super) struct Scalar<'a> {
    pub(super) text: Cow<'a, [u8]>,
    /// The full tag, or nothing.
    pub(super) tag: Vec<u8>,
    /// Whether the text itself tells what it is: without tag and quotes.
    pub(super) implicit: bool,
}
