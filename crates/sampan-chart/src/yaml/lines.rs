//! Documents in the form that nearly all have, read line by line.
//!
//! Manifests and values are, with few exceptions, block mappings and sequences of scalars that end on their line. Their tree
//! shows from the columns in which lines begin, without tokens and without looking ahead, at a fraction of the work. What is
//! not of this form, mistakes included, is left to [`parser`](super::parser), which finds the same tree wherever this one
//! finds any.

use std::borrow::Cow;
use std::iter::Peekable;

use memchr::memchr;

use super::node::{Node, NodeId, Scalar};
use super::parser::Document;

/// How deep collections may be nested here.
const DEPTH: usize = 64;

/// How long a key may be here; libyaml looks for its colon among 1,024 characters.
const KEY_BYTES: usize = 512;

/// Reads a document in the common form; nothing when it has another.
pub(super) fn document(text: &[u8]) -> Option<Document<'_>> {
    // Whole pieces are looked at together, which costs next to nothing.
    let is_plain = |piece: &[u8]| {
        piece.iter().fold(true, |plain, byte| {
            plain & matches!(byte, b'\n' | b' '..=b'~')
        })
    };
    if !text.chunks(256).all(is_plain) {
        return None;
    }
    let mut tree = Tree::new(text.len());
    let mut lines = Lines(text).peekable();
    while let Some(line) = lines.next() {
        if !line.is_empty() {
            tree.line(line, &mut lines)?;
        }
    }
    tree.finish()
}

/// A line without the spaces around it.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// How many spaces it begins with.
    column: usize,
    content: &'a [u8],
    /// With the spaces at both ends.
    whole: &'a [u8],
    /// Whether a line break ends it.
    has_break: bool,
}

impl Line<'_> {
    /// Whether nothing or only a comment stands on it.
    fn is_empty(self) -> bool {
        matches!(self.content.first(), None | Some(b'#'))
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
        let column = whole.iter().take_while(|byte| **byte == b' ').count();
        Some(Line {
            column,
            content: whole[column..].trim_ascii_end(),
            whole,
            has_break: end.is_some(),
        })
    }
}

/// The nodes that have been read, and the collections that are open.
struct Tree<'a> {
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
    kind: Kind,
}

enum Kind {
    /// A sequence, and where its items begin.
    Sequence { first: usize },
    /// A mapping, where its pairs begin, and a key that has no value yet.
    Mapping { first: usize, key: Option<NodeId> },
}

/// What a line, or what follows a dash, begins with.
enum Beginning<'a> {
    /// A key, and what stands behind its colon.
    Key(Scalar<'a>, &'a [u8]),
    /// A scalar, and what stands behind it: nothing or a comment.
    Scalar(Scalar<'a>),
}

impl<'a> Tree<'a> {
    fn new(bytes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity((bytes / 12).min(256)),
            open: Vec::with_capacity(16),
            items: Vec::with_capacity(16),
            pairs: Vec::with_capacity(64),
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
            let spaces = content[1..]
                .iter()
                .take_while(|byte| **byte == b' ')
                .count();
            column += 1 + spaces;
            content = &content[1 + spaces..];
            is_item = begins_item(content);
            if is_item {
                self.begin(column, true)?;
            }
        }
        if matches!(content, [b'{' | b'[' | b'|', ..]) {
            let value = self.marked(content, lines)?;
            return self.put(value);
        }
        match beginning(content)? {
            Beginning::Scalar(scalar) => {
                // Alone on a line, a scalar may go on in the next one.
                if !self.is_in_sequence() {
                    return None;
                }
                let scalar = self.add(Node::Scalar(scalar));
                self.put(scalar)
            }
            Beginning::Key(key, rest) => {
                if self.is_in_sequence() {
                    self.begin(column, false)?;
                }
                let key = self.add(Node::Scalar(key));
                if let Kind::Mapping { key: open, .. } = &mut self.open.last_mut()?.kind {
                    *open = Some(key);
                }
                self.value(rest, lines)
            }
        }
    }

    /// What stands behind the colon of a key; nothing when the value is on the lines below or is none.
    fn value(&mut self, rest: &'a [u8], lines: &mut Peekable<Lines<'a>>) -> Option<()> {
        let rest = rest.trim_ascii_start();
        if matches!(rest.first(), None | Some(b'#')) {
            return Some(());
        }
        if matches!(rest, [b'{' | b'[' | b'|', ..]) {
            let value = self.marked(rest, lines)?;
            return self.put(value);
        }
        match beginning(rest)? {
            Beginning::Scalar(scalar) => {
                let scalar = self.add(Node::Scalar(scalar));
                self.put(scalar)
            }
            Beginning::Key(..) => None,
        }
    }

    /// A collection in brackets, or a text of several lines.
    fn marked(&mut self, content: &'a [u8], lines: &mut Peekable<Lines<'a>>) -> Option<NodeId> {
        match content {
            b"|" | b"|-" => {
                let text = self.literal(content == b"|", lines)?;
                Some(self.add(Node::Scalar(quoted_scalar(text))))
            }
            [b'{', b'}', rest @ ..] if is_over(rest) => Some(self.add(Node::Mapping(Vec::new()))),
            [b'[', items @ ..] => self.items(items),
            _ => None,
        }
    }

    /// A sequence in brackets, behind the first of them: of words and texts in quotes.
    fn items(&mut self, mut content: &'a [u8]) -> Option<NodeId> {
        let mut items = Vec::new();
        content = content.trim_ascii_start();
        while *content.first()? != b']' {
            let (item, rest) = item(content)?;
            items.push(self.add(Node::Scalar(item)));
            content = rest.trim_ascii_start();
            match content {
                [b',', rest @ ..] => content = rest.trim_ascii_start(),
                [b']', ..] => break,
                _ => return None,
            }
            if content.first() == Some(&b']') {
                return None;
            }
        }
        is_over(&content[1..]).then(|| self.add(Node::Sequence(items)))
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
        if let Kind::Mapping { key: Some(_), .. } = top.kind
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
        matches!(
            self.open.last(),
            Some(Open {
                kind: Kind::Sequence { .. },
                ..
            })
        )
    }

    /// Gives a key that has got no value an empty one.
    fn end_pair(&mut self) {
        if let Some(Open {
            kind: Kind::Mapping { key, .. },
            ..
        }) = self.open.last_mut()
            && let Some(key) = key.take()
        {
            let value = self.add(Node::Scalar(scalar(b"", true)));
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
        let kind = if is_sequence {
            let first = self.items.len();
            Kind::Sequence { first }
        } else {
            let (first, key) = (self.pairs.len(), None);
            Kind::Mapping { first, key }
        };
        self.open.push(Open { column, node, kind });
        Some(())
    }

    fn close(&mut self) {
        self.end_pair();
        let Some(Open { node, kind, .. }) = self.open.pop() else {
            return;
        };
        self.nodes[node] = match kind {
            Kind::Sequence { first } => Node::Sequence(self.items.drain(first..).collect()),
            Kind::Mapping { first, .. } => Node::Mapping(self.pairs.drain(first..).collect()),
        };
    }

    /// Puts a node into the innermost collection.
    fn put(&mut self, node: NodeId) -> Option<()> {
        match &mut self.open.last_mut()?.kind {
            Kind::Sequence { .. } => self.items.push(node),
            Kind::Mapping { key, .. } => self.pairs.push((key.take()?, node)),
        }
        Some(())
    }

    fn add(&mut self, node: Node<'a>) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}

/// Whether something begins with the dash of an entry of a sequence, and the entry with it.
fn begins_item(content: &[u8]) -> bool {
    content.starts_with(b"- ")
}

fn beginning(content: &[u8]) -> Option<Beginning<'_>> {
    match content.first()? {
        quote @ (b'"' | b'\'') => quoted(content, *quote),
        b'-' if content.get(1).is_none_or(|next| *next == b' ') => None,
        b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|'
        | b'>' | b'%' | b'@' | b'`' => None,
        _ => plain(content),
    }
}

fn plain(content: &[u8]) -> Option<Beginning<'_>> {
    let mut before = b' ';
    for (position, byte) in content.iter().enumerate() {
        match byte {
            b':' if is_blank_or_end(content, position + 1) => {
                return key(&content[..position], content, position, true);
            }
            b'#' if before == b' ' => {
                let text = content[..position].trim_ascii_end();
                return Some(Beginning::Scalar(scalar(text, true)));
            }
            _ => before = *byte,
        }
    }
    Some(Beginning::Scalar(scalar(content, true)))
}

/// What begins with a text in quotes.
fn quoted(content: &[u8], quote: u8) -> Option<Beginning<'_>> {
    let end = end_of_quoted(content, quote)?;
    let text = &content[1..end];
    let rest = &content[end + 1..];
    match rest {
        rest if is_over(rest) => Some(Beginning::Scalar(scalar(text, false))),
        [b':', ..] if is_blank_or_end(rest, 1) => key(text, content, end + 1, false),
        _ => None,
    }
}

/// An item of a sequence in brackets, and what stands behind it.
fn item(content: &[u8]) -> Option<(Scalar<'_>, &[u8])> {
    let first = content.first()?;
    if let quote @ (b'"' | b'\'') = first {
        let end = end_of_quoted(content, *quote)?;
        return Some((scalar(&content[1..end], false), &content[end + 1..]));
    }
    let is_word = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'=' | b'+')
    };
    let end = content.iter().position(|byte| !is_word(byte))?;
    let text = &content[..end];
    let begins = text.iter().find(|byte| **byte != b'-')?;
    begins
        .is_ascii_alphanumeric()
        .then(|| (scalar(text, true), &content[end..]))
}

/// Where a text in quotes ends within which nothing is escaped.
fn end_of_quoted(content: &[u8], quote: u8) -> Option<usize> {
    let end = 1 + memchr(quote, &content[1..])?;
    let has_escape = quote == b'"' && memchr(b'\\', &content[1..end]).is_some();
    (!has_escape).then_some(end)
}

fn key<'a>(
    text: &'a [u8],
    content: &'a [u8],
    colon: usize,
    implicit: bool,
) -> Option<Beginning<'a>> {
    if colon > KEY_BYTES || implicit && text.ends_with(b" ") {
        return None;
    }
    let rest = &content[colon + 1..];
    Some(Beginning::Key(scalar(text, implicit), rest))
}

fn scalar(text: &[u8], implicit: bool) -> Scalar<'_> {
    Scalar {
        text: Cow::Borrowed(text),
        tag: Vec::new(),
        implicit,
    }
}

/// A text that is nothing but text, whatever it looks like.
fn quoted_scalar<'a>(text: Vec<u8>) -> Scalar<'a> {
    Scalar {
        text: Cow::Owned(text),
        ..Scalar::default()
    }
}

/// Whether nothing but a comment follows on a line.
fn is_over(rest: &[u8]) -> bool {
    match rest.trim_ascii_start() {
        [] => true,
        [b'#', ..] => rest.starts_with(b" "),
        _ => false,
    }
}

fn is_blank_or_end(content: &[u8], position: usize) -> bool {
    content.get(position).is_none_or(|byte| *byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::super::parser::first_document;
    use super::{Document, Node, NodeId, document};

    /// What stands in a document, whatever the numbers of its nodes.
    fn shown(document: &Document<'_>, node: NodeId) -> String {
        match &document.nodes[node] {
            Node::Scalar(scalar) => {
                assert!(scalar.tag.is_empty());
                let text = String::from_utf8_lossy(&scalar.text);
                format!("{}{text:?}", if scalar.implicit { "" } else { "!" })
            }
            Node::Alias { .. } => panic!("the common form has no aliases"),
            Node::Sequence(items) => {
                let items = items.iter().map(|item| shown(document, *item));
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
            Node::Mapping(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| {
                    format!("{}: {}", shown(document, *key), shown(document, *value))
                });
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Whether the text is of the common form; if so, the parser finds the same.
    fn is_common(text: &str) -> bool {
        let Some(found) = document(text.as_bytes()) else {
            return false;
        };
        let parsed = match first_document(text.as_bytes()) {
            Ok(Some(parsed)) => shown(&parsed, parsed.root),
            Ok(None) => "nothing".to_owned(),
            Err(problem) => problem.to_string(),
        };
        assert_eq!(shown(&found, found.root), parsed, "of {text:?}");
        true
    }

    #[test]
    fn the_common_form_is_read_as_the_parser_reads_it() {
        let texts = [
            "a: b",
            "# head\n\na:   b   # c\n",
            "a:\n  b: c\n\n  # between\n  d: e\nf:\n",
            "a:\n- b\n- c: d\n  e: f\ng: h",
            "a:\n  - - x\n    - y\n  -   z: 1\n      y: 2\n",
            "- a\n- 'b'\n- \"c\" # d\n- {}\n- []\n- --flag=x\n- -c\n",
            "a: |\n  x\n   y \n\n  z\n\nb: |-\n    w\n",
            "a: |\n  x",
            "a: |-\n  # no comment\n# comment\nb: c\n",
            "- |\n x\n- y",
            "a: [b, 'c d', \"e,]\", -f, 1.5]\nb: [ x ] # y\n",
            "'a b': 1\n\"c\": 2\nd e: http://x:80/#y\n",
            "a: 'b: c'\nd: \"# e\"\n<<: x\n",
        ];
        for text in texts {
            assert!(is_common(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_of_the_common_form_is_left_to_the_parser() {
        let texts = [
            "",
            "\n# a\n",
            "a",
            "a\nb",
            "'a'",
            "{}",
            "[a]",
            "a: b: c",
            "a: b\n c",
            "a: b\n  c: d",
            "a:\n  b",
            "- a\n b",
            "- a\nb: c",
            "a: b\n- c",
            "a:\n - b\nc\n",
            " a: b\nc: d",
            "a:\n  b: c\n d: e",
            "a: 'b",
            "a: 'b''c'",
            r#"a: "b\n""#,
            "a: 'b'c",
            "a: 'b'#c",
            "a: &b c",
            "a: *b",
            "a: !b c",
            "? a",
            "a: >\n  b",
            "a: |+\n  b",
            "a: |2\n  b",
            "a: |\nb",
            "a: |\n\n  b",
            "a: |\n  b\n     \nc:",
            "-",
            "- # a",
            "a: -",
            "a: - b",
            "a: {b: c}",
            "a: [b",
            "a: [b,]",
            "a: [b c]",
            "a: [b: c]",
            "a: []b",
            "a:\tb",
            "a: b\r\n",
            "ä: b",
            "---\na: b",
            "a: b\n---\nc: d",
            "a: b\n...",
            "a : b",
            "%a: b",
            "@a: b",
            "a: `b",
            "a: [-]",
        ];
        for text in texts {
            assert!(!is_common(text), "{text:?}");
        }
        let key = format!("{}: x", "k".repeat(600));
        assert!(!is_common(&key), "long keys may be too long");
        assert!(!is_common(&"- ".repeat(100)), "deep ones may be too deep");
    }

    #[test]
    fn lines_put_together_by_chance_are_read_as_the_parser_reads_them() {
        let pieces = [
            "a:",
            "b: c",
            "- d",
            "- e: f",
            "- g:",
            "- - h",
            "# i",
            "",
            " ",
            "j: |",
            "- |",
            "k: |-",
            "l m",
            "'n': o",
            "p: \"q\"",
            "r: {}",
            "s: [t, 'u']",
            "v: w # x",
            "- {}",
            "[]",
            "y: 'z",
            "-",
            "a: b: c",
            "a:b",
            "- -c",
            "a: #b",
            "a: -1",
            "...",
            "x: >",
            "? a",
            "key with space: v",
            "- 'a': b",
            "- \"a\" # b",
            "a: b#c",
            "<<: a",
            "~: null",
            "- a:  b  ",
        ];
        // A generator of Lehmer's, with the multiplier of Park and Miller.
        let mut state = 20_u64;
        let mut random = |bound: usize| {
            state = state * 48_271 % 2_147_483_647;
            usize::try_from(state).map_or(0, |state| state % bound)
        };
        let mut common = 0;
        for _ in 0..30_000 {
            let lines = (0..=random(6)).map(|_| {
                let indent = " ".repeat(random(5));
                indent + pieces[random(pieces.len())]
            });
            let mut text = lines.collect::<Vec<_>>().join("\n");
            if random(2) == 0 {
                text.push('\n');
            }
            common += usize::from(is_common(&text));
        }
        assert!(common > 1_000, "only {common} were of the common form");
    }
}
