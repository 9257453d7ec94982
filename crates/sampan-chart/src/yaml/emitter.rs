//! From nodes to text: go-yaml's choice of styles, indentation and line breaks.

use std::borrow::Cow;

use crate::value::Text;

mod analysis;
mod scalar;
mod style;

const BEST_INDENT: isize = 2;
/// How many bytes a key may have on the line of its value.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Which of the two libraries' texts is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// go-yaml v2 behind JSON, for `toYaml`.
    Helm,
    /// go-yaml v3 with an indentation of two, for `toYamlPretty`.
    Pretty,
}

impl Dialect {
    /// How many columns a line may have before it is folded at a space.
    fn width(self) -> usize {
        match self {
            Self::Helm => 80,
            Self::Pretty => usize::MAX,
        }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A number, a boolean or null.
    Plain(Cow<'static, str>),
    Text(Text),
    /// Bytes as base64.
    Binary(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(super) fn plain(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Plain(text.into())
    }

    /// The characters of a scalar.
    pub(super) fn content(&self) -> Cow<'_, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Text(text) => text.to_str(),
            Self::Binary(text) => Cow::Borrowed(text),
            Self::Sequence(_) | Self::Mapping(_) => Cow::Borrowed(""),
        }
    }
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Item,
    /// A key on the line of its value.
    SimpleKey,
    /// A key behind `?`, or a value.
    Mapping,
}

struct Emitter {
    out: Vec<u8>,
    dialect: Dialect,
    column: usize,
    /// -1 outside of all collections.
    indent: isize,
    /// Whether the last character separates.
    whitespace: bool,
    /// Whether nothing but indentation and its indicators stands on the line.
    indention: bool,
}

/// What stands where an indicator is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Indicator {
    /// Nothing has to separate it from what precedes.
    Glued,
    /// A space has to.
    Spaced,
    /// As before, and it belongs to the indentation of what follows.
    Indenting,
    /// As spaced, and what follows needs no space.
    Opening,
}

/// Writes a document.
pub(super) fn emit(node: &Node, dialect: Dialect) -> Vec<u8> {
    let mut emitter = Emitter {
        out: Vec::new(),
        dialect,
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
    };
    emitter.node(node, Context::Root);
    emitter.write_indent();
    emitter.out
}

impl Emitter {
    fn node(&mut self, node: &Node, context: Context) {
        match node {
            Node::Sequence(items) if items.is_empty() => self.empty("[", "]"),
            Node::Mapping(pairs) if pairs.is_empty() => self.empty("{", "}"),
            Node::Sequence(items) => self.sequence(items, context),
            Node::Mapping(pairs) => self.mapping(pairs),
            scalar => self.scalar(scalar, context),
        }
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.indicator(open, Indicator::Opening);
        self.indicator(close, Indicator::Glued);
    }

    fn sequence(&mut self, items: &[Node], context: Context) {
        let outer = self.indent;
        // The older library does not indent the items of a list below its key.
        let aligned =
            self.dialect == Dialect::Helm && context == Context::Mapping && !self.indention;
        self.increase_indent(0, aligned);
        for item in items {
            self.write_indent();
            self.indicator("-", Indicator::Indenting);
            self.node(item, Context::Item);
        }
        self.indent = outer;
    }

    fn mapping(&mut self, pairs: &[(Node, Node)]) {
        let outer = self.indent;
        self.increase_indent(0, false);
        for (key, value) in pairs {
            self.write_indent();
            if is_simple(key) {
                self.node(key, Context::SimpleKey);
                self.indicator(":", Indicator::Glued);
            } else {
                self.indicator("?", Indicator::Indenting);
                self.node(key, Context::Mapping);
                self.write_indent();
                self.indicator(":", Indicator::Indenting);
            }
            self.node(value, Context::Mapping);
        }
        self.indent = outer;
    }

    fn increase_indent(&mut self, outermost: isize, aligned: bool) {
        if self.indent < 0 {
            self.indent = outermost;
        } else if !aligned {
            self.indent += BEST_INDENT;
        }
    }

    fn put(&mut self, char: char) {
        self.out.extend(char.encode_utf8(&mut [0; 4]).bytes());
        self.column += 1;
    }

    fn put_break(&mut self, char: char) {
        self.out.extend(char.encode_utf8(&mut [0; 4]).bytes());
        self.column = 0;
        if self.dialect == Dialect::Pretty {
            self.indention = true;
        }
    }

    fn write_indent(&mut self) {
        let indent = self.indent.max(0).unsigned_abs();
        let is_beyond = self.column > indent || self.column == indent && !self.whitespace;
        if !self.indention || is_beyond {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        if self.dialect == Dialect::Helm {
            self.indention = true;
        }
    }

    fn indicator(&mut self, indicator: &str, kind: Indicator) {
        if kind != Indicator::Glued && !self.whitespace {
            self.put(' ');
        }
        for char in indicator.chars() {
            self.put(char);
        }
        self.whitespace = kind == Indicator::Opening;
        self.indention &= kind == Indicator::Indenting;
    }
}

/// Whether a key can stand on the line of its value.
fn is_simple(key: &Node) -> bool {
    let content = key.content();
    let tag = match key {
        Node::Binary(_) => style::BINARY_TAG.len(),
        _ => 0,
    };
    !content.contains(analysis::is_break) && content.len() + tag <= LONGEST_SIMPLE_KEY
}
