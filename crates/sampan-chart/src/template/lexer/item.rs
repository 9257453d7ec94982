//! The items that a template's text is split into.

use std::borrow::Cow;

use crate::value::{decode_rune, quote};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// A piece of a template's text.
#[derive(Debug, Clone)]
pub(in super::super) struct Item<'s> {
    pub(in super::super) kind: Kind,
    /// Where it starts, in bytes.
    pub(in super::super) position: usize,
    /// Its text, or that of the error.
    pub(in super::super) text: Cow<'s, [u8]>,
    /// The line it starts on, from 1.
    pub(in super::super) line: usize,
}

impl Item<'_> {
    pub(in super::super) const NONE: Self = Self {
        kind: Kind::Error,
        position: 0,
        text: Cow::Borrowed(b""),
        line: 0,
    };

    /// How errors speak of the item.
    pub(in super::super) fn describe(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => String::from_utf8_lossy(&self.text).into_owned(),
            _ if self.is_keyword() => format!("<{}>", String::from_utf8_lossy(&self.text)),
            _ if self.text.len() > 10 => {
                let mut end = 0;
                for _ in 0..10 {
                    end += decode_rune(&self.text[end..]).1;
                }
                format!("{}...", quote::quote(&self.text[..end]))
            }
            _ => quote::quote(&self.text),
        }
    }

    fn is_keyword(&self) -> bool {
        self.kind == Kind::Dot || keyword(&self.text) == Some(self.kind)
    }
}

/// What a keyword is.
pub(super) fn keyword(word: &[u8]) -> Option<Kind> {
    Some(match word {
        b"block" => Kind::Block,
        b"break" => Kind::Break,
        b"continue" => Kind::Continue,
        b"define" => Kind::Define,
        b"else" => Kind::Else,
        b"end" => Kind::End,
        b"if" => Kind::If,
        b"range" => Kind::Range,
        b"nil" => Kind::Nil,
        b"template" => Kind::Template,
        b"with" => Kind::With,
        _ => return None,
    })
}
