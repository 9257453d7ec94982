//! Documents in the form that nearly all have, read line by line.
//!
//! Manifests and values are, with few exceptions, block mappings and sequences of scalars that end on their line. Their tree
//! shows from the columns in which lines begin, without tokens and without looking ahead, at a fraction of the work. What is
//! not of this form, mistakes included, is left to [`parser`](super::parser), which finds the same tree wherever this one
//! finds any.

use std::iter::Peekable;

use memchr::memchr;

use super::class;
use super::node::{Node, NodeId, Scalar};
use super::parser::{Document, FIRST_NODES};
use crate::value::MAX_DEPTH;

mod scalar;
#[cfg(test)]
mod tests;

use scalar::{Beginning, begins_item, flow_item, is_over};

/// How deep block collections may be nested here; one in brackets may come on top.
const DEPTH: usize = 64;

const _: () = assert!(DEPTH < MAX_DEPTH, "the parser takes what is taken here");

/// Reads a document in the common form; nothing when it has another.
pub(super) fn document(text: &[u8]) -> Option<Document<'_>> {
    let is_plain = |byte: u8| matches!(byte, b'\n' | b' '..=b'~');
    if !text.chunks(256).all(|piece| class::all(piece, is_plain)) {
        return None;
    }
    let mut builder = Builder::new(text.len());
    let mut lines = Lines(text).peekable();
    while let Some(line) = lines.next() {
        if !line.is_blank_or_comment() {
            builder.line(line, &mut lines)?;
        }
    }
    builder.finish()
}

/// A line.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// How many spaces it begins with.
    column: usize,
    /// What stands between the spaces at both ends.
    content: &'a [u8],
    /// With the spaces at both ends.
    whole: &'a [u8],
    /// Whether a line break ends it.
    has_break: bool,
}

impl Line<'_> {
    fn is_blank_or_comment(self) -> bool {
        matches!(self.content, [] | [b'#', ..])
    }
}

/// The lines that are left of a text.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.0);
        let (whole, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &self.0[self.0.len()..]),
        };
        self.0 = rest;
        let content = whole.trim_ascii_start();
        Some(Line {
            column: whole.len() - content.len(),
            content: content.trim_ascii_end(),
            whole,
            has_break: end.is_some(),
        })
    }
}

/// The nodes that have been read, and the collections that are open. Its methods give nothing where the text is not of the
/// common form; then the nodes are of no use.
struct Builder<'a> {
    nodes: Vec<Node<'a>>,
    open: Vec<Open>,
    /// What is in the open collections, those of the innermost last: so each gets just the room that it needs.
    items: Vec<NodeId>,
    pairs: Vec<(NodeId, NodeId)>,
    root: Option<NodeId>,
}

/// A collection that more may be put into.
struct Open {
    column: usize,
    node: NodeId,
    collection: Collection,
}

enum Collection {
    /// Where its items begin.
    Sequence { first: usize },
    /// Where its pairs begin, and a key that has no value yet.
    Mapping { first: usize, key: Option<NodeId> },
}

impl<'a> Builder<'a> {
    fn new(bytes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity((bytes / 12).min(FIRST_NODES)),
            open: Vec::new(),
            items: Vec::new(),
            pairs: Vec::with_capacity((bytes / 24).min(FIRST_NODES)),
            root: None,
        }
    }

    fn finish(mut self) -> Option<Document<'a>> {
        while !self.open.is_empty() {
            self.close();
        }
        let root = self.root?;
        let nodes = self.nodes;
        Some(Document { nodes, root })
    }

    /// A line that is not blank; a text of several lines takes those below.
    fn line(&mut self, line: Line<'a>, lines: &mut Peekable<Lines<'a>>) -> Option<()> {
        let Line {
            mut column,
            mut content,
            ..
        } = line;
        if column == 0 && (content.starts_with(b"---") || content.starts_with(b"...")) {
            return None;
        }
        let mut is_item = begins_item(content);
        self.reach(column, is_item)?;
        while is_item {
            // What follows the dash begins a collection of its own, or ends the line.
            let behind = content[1..].trim_ascii_start();
            column += content.len() - behind.len();
            content = behind;
            is_item = begins_item(content);
            if is_item {
                self.begin(column, true)?;
            }
        }
        match Beginning::of(content)? {
            Beginning::Key(key, rest) => {
                if self.is_in_sequence() {
                    self.begin(column, false)?;
                }
                let key = self.add(Node::Scalar(key));
                if let Collection::Mapping { key: open, .. } = &mut self.open.last_mut()?.collection
                {
                    *open = Some(key);
                }
                self.value(rest.trim_ascii_start(), lines)
            }
            // Outside of a sequence it finds no key.
            value => self.put_value(value, lines),
        }
    }

    /// What stands behind the colon of a key, if anything does: else the value is on the lines below, or there is none.
    fn value(&mut self, rest: &'a [u8], lines: &mut Peekable<Lines<'a>>) -> Option<()> {
        if matches!(rest, [] | [b'#', ..]) {
            return Some(());
        }
        self.put_value(Beginning::of(rest)?, lines)
    }

    fn put_value(&mut self, value: Beginning<'a>, lines: &mut Peekable<Lines<'a>>) -> Option<()> {
        let value = match value {
            Beginning::Key(..) => return None,
            Beginning::Scalar(scalar) => self.add(Node::Scalar(scalar)),
            Beginning::EmptyMapping => self.add(Node::Mapping(Vec::new())),
            Beginning::FlowSequence(items) => self.flow_sequence(items)?,
            Beginning::Literal { keeps_break } => {
                let text = self.literal(keeps_break, lines)?;
                self.add(Node::Scalar(Scalar {
                    text: text.into(),
                    ..Scalar::default()
                }))
            }
        };
        self.put(value)
    }

    /// A sequence in brackets, behind the first of them: of words and texts in quotes.
    fn flow_sequence(&mut self, content: &'a [u8]) -> Option<NodeId> {
        let mut items = Vec::new();
        let mut rest = content.trim_ascii_start();
        if !rest.starts_with(b"]") {
            loop {
                let (item, behind) = flow_item(rest)?;
                items.push(self.add(Node::Scalar(item)));
                match behind.trim_ascii_start() {
                    [b',', behind @ ..] => rest = behind.trim_ascii_start(),
                    end => {
                        rest = end;
                        break;
                    }
                }
            }
        }
        let behind = rest.strip_prefix(b"]")?;
        is_over(behind).then(|| self.add(Node::Sequence(items)))
    }

    /// The lines below that are deeper than the collection; the first of them says how deep.
    fn literal(&self, keeps_break: bool, lines: &mut Peekable<Lines<'a>>) -> Option<Vec<u8>> {
        let outer = self.open.last()?.column;
        let first = lines.peek().filter(|line| !line.content.is_empty())?;
        let column = Some(first.column).filter(|column| *column > outer)?;
        let mut text = Vec::new();
        let mut empty_lines = 0;
        let mut has_break = false;
        while let Some(line) =
            lines.next_if(|line| line.content.is_empty() || line.column >= column)
        {
            if line.content.is_empty() {
                if line.whole.len() > column {
                    return None;
                }
                empty_lines += 1;
                continue;
            }
            if !text.is_empty() {
                text.push(b'\n');
            }
            text.extend(std::iter::repeat_n(b'\n', empty_lines));
            text.extend_from_slice(&line.whole[column..]);
            empty_lines = 0;
            has_break = line.has_break;
        }
        if keeps_break && has_break {
            text.push(b'\n');
        }
        Some(text)
    }

    /// Closes collections until what begins at a column belongs into the innermost, or opens one for it.
    fn reach(&mut self, column: usize, is_item: bool) -> Option<()> {
        let Some(top) = self.open.last() else {
            return match self.root {
                None => self.begin(column, is_item),
                Some(_) => None,
            };
        };
        if let Collection::Mapping { key: Some(_), .. } = top.collection
            && (column > top.column || column == top.column && is_item)
        {
            return self.begin(column, is_item);
        }
        while self.open.last()?.column > column {
            self.close();
        }
        if !is_item
            && let [.., outer, _] = &self.open[..]
            && outer.column == column
            && self.is_in_sequence()
        {
            // Entries of a sequence need no indentation below a key.
            self.close();
        }
        if self.open.last()?.column != column || self.is_in_sequence() != is_item {
            return None;
        }
        self.end_pair();
        Some(())
    }

    fn is_in_sequence(&self) -> bool {
        let top = self.open.last().map(|open| &open.collection);
        matches!(top, Some(Collection::Sequence { .. }))
    }

    /// Gives a key that has got no value an empty one.
    fn end_pair(&mut self) {
        let top = self.open.last_mut().map(|open| &mut open.collection);
        if let Some(Collection::Mapping { key, .. }) = top
            && let Some(key) = key.take()
        {
            let value = self.add(Node::Scalar(scalar::written(b"", true)));
            self.pairs.push((key, value));
        }
    }

    fn begin(&mut self, column: usize, is_sequence: bool) -> Option<()> {
        if self.open.len() == DEPTH {
            return None;
        }
        // The node is written when the collection is closed.
        let node = self.add(Node::Sequence(Vec::new()));
        if self.open.is_empty() {
            self.root = Some(node);
        } else {
            self.put(node)?;
        }
        let collection = if is_sequence {
            let first = self.items.len();
            Collection::Sequence { first }
        } else {
            let (first, key) = (self.pairs.len(), None);
            Collection::Mapping { first, key }
        };
        self.open.push(Open {
            column,
            node,
            collection,
        });
        Some(())
    }

    fn close(&mut self) {
        self.end_pair();
        let Some(Open {
            node, collection, ..
        }) = self.open.pop()
        else {
            return;
        };
        self.nodes[node] = match collection {
            Collection::Sequence { first } => Node::Sequence(self.items.drain(first..).collect()),
            Collection::Mapping { first, .. } => Node::Mapping(self.pairs.drain(first..).collect()),
        };
    }

    /// Puts a node into the innermost collection.
    fn put(&mut self, node: NodeId) -> Option<()> {
        match &mut self.open.last_mut()?.collection {
            Collection::Sequence { .. } => self.items.push(node),
            Collection::Mapping { key, .. } => self.pairs.push((key.take()?, node)),
        }
        Some(())
    }

    fn add(&mut self, node: Node<'a>) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}
