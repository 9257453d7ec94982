//! The style of a scalar.

use super::analysis::analyze;
use super::{Context, Emitter, Node};
use crate::yaml::resolve::{self, Meaning};

/// What stands before bytes.
pub(super) const BINARY_TAG: &str = "!!binary";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

impl Emitter {
    pub(super) fn scalar(&mut self, node: &Node, context: Context) {
        let text = node.content();
        let style = self.style(node, &text);
        if matches!(node, Node::Binary(_)) {
            if !self.whitespace {
                self.put(' ');
            }
            for char in BINARY_TAG.chars() {
                self.put(char);
            }
            self.whitespace = false;
            self.indention = false;
        }
        let outer = self.indent;
        self.increase_indent(super::BEST_INDENT, false);
        let may_fold = context != Context::SimpleKey;
        match style {
            Style::Plain => self.plain(&text, may_fold),
            Style::SingleQuoted => self.single_quoted(&text, may_fold),
            Style::DoubleQuoted => self.double_quoted(&text, may_fold),
            Style::Literal => self.literal(&text),
        }
        self.indent = outer;
    }

    fn style(&self, node: &Node, text: &str) -> Style {
        let wanted = match node {
            Node::Plain(_) => return Style::Plain,
            _ if text.contains('\n') => Style::Literal,
            Node::Text(_) if reads_as_other(text) => Style::DoubleQuoted,
            _ => Style::Plain,
        };
        let analysis = analyze(text, self.dialect);
        match wanted {
            Style::Plain if analysis.plain_allowed => Style::Plain,
            Style::Plain if analysis.single_quoted_allowed => Style::SingleQuoted,
            Style::Literal if analysis.block_allowed => Style::Literal,
            _ => Style::DoubleQuoted,
        }
    }
}

/// Whether plain text would be read as something else than text.
fn reads_as_other(text: &str) -> bool {
    resolve::plain(text.as_bytes()) != Meaning::Text || is_sexagesimal(text)
}

/// `12:30:45`, which YAML 1.1 takes for a number; go-yaml does not, but keeps others from doing so.
fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let is_number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|char: char| char.is_ascii_digit()) || !is_number(first) {
        return false;
    }
    let Some(last) = parts.next_back() else {
        return false;
    };
    let last = match last.split_once('.') {
        Some((whole, fraction)) if is_number(fraction) => whole,
        Some(_) => return false,
        None => last,
    };
    parts
        .chain([last])
        .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}
