//! The tree of a document, before its scalars mean anything.

/// Which node of a document.
pub(super) type NodeId = usize;

/// A node.
#[derive(Debug)]
pub(super) enum Node {
    Scalar(Scalar),
    /// Another node, by the name of its anchor.
    Alias {
        name: Vec<u8>,
        target: NodeId,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

/// Text and what it is declared to be.
#[derive(Debug, Default)]
pub(super) struct Scalar {
    pub(super) text: Vec<u8>,
    /// The full tag, or nothing.
    pub(super) tag: Vec<u8>,
    /// Whether the text itself tells what it is: without tag and quotes.
    pub(super) implicit: bool,
}
