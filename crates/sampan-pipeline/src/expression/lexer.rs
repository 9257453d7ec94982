//! From text to tokens.
//!
//! Which characters belong to one token follows the runner, so that errors name the same token at the same position.

use super::number;

/// A token with the text that stands for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    /// Which character of the expression it begins with, from 1.
    pub(super) position: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    OpenGroup,
    CloseGroup,
    OpenIndex,
    CloseIndex,
    Comma,
    Dot,
    Star,
    Not,
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Number(f64),
    Text(String),
    /// A name, or a word such as `true`; which of them depends on where it stands.
    Word,
    /// What is no token.
    Malformed,
}

impl TokenKind {
    /// Whether a value ends with the token, so that a point behind it begins a property and no number.
    fn ends_value(&self) -> bool {
        matches!(
            self,
            Self::CloseGroup
                | Self::CloseIndex
                | Self::Star
                | Self::Dot
                | Self::Number(_)
                | Self::Text(_)
                | Self::Word
                | Self::Malformed
        )
    }
}

/// Splits the text up to its end or to the first thing that is no token, which is then the last one.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        offset: 0,
        position: 1,
    };
    let mut tokens: Vec<Token<'_>> = Vec::new();
    loop {
        lexer.skip(char::is_whitespace);
        let (offset, position) = (lexer.offset, lexer.position);
        let after_value = tokens.last().is_some_and(|last| last.kind.ends_value());
        let Some(kind) = lexer.next(after_value) else {
            return tokens;
        };
        let malformed = kind == TokenKind::Malformed;
        tokens.push(Token {
            kind,
            text: &text[offset..lexer.offset],
            position,
        });
        if malformed {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    offset: usize,
    position: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn advance(&mut self, text: &str) {
        self.offset += text.len();
        self.position += text.chars().count();
    }

    fn skip(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !matches(c)).unwrap_or(rest.len());
        self.advance(&rest[..end]);
        &rest[..end]
    }

    fn next(&mut self, after_value: bool) -> Option<TokenKind> {
        let first = self.rest().chars().next()?;
        let single = match first {
            '(' => Some(TokenKind::OpenGroup),
            ')' => Some(TokenKind::CloseGroup),
            '[' => Some(TokenKind::OpenIndex),
            ']' => Some(TokenKind::CloseIndex),
            ',' => Some(TokenKind::Comma),
            '*' => Some(TokenKind::Star),
            '.' if after_value => Some(TokenKind::Dot),
            _ => None,
        };
        if let Some(kind) = single {
            self.advance(&self.rest()[..1]);
            return Some(kind);
        }
        Some(match first {
            '\'' => self.quoted(),
            '!' | '=' | '<' | '>' | '&' | '|' => self.operator(),
            '.' | '-' | '+' | '0'..='9' => self.number(),
            _ => self.word(),
        })
    }

    fn operator(&mut self) -> TokenKind {
        const OPERATORS: [(&str, TokenKind); 9] = [
            ("!=", TokenKind::NotEqual),
            (">=", TokenKind::GreaterOrEqual),
            ("<=", TokenKind::LessOrEqual),
            ("==", TokenKind::Equal),
            ("&&", TokenKind::And),
            ("||", TokenKind::Or),
            ("!", TokenKind::Not),
            (">", TokenKind::Greater),
            ("<", TokenKind::Less),
        ];
        let rest = self.rest();
        for (operator, kind) in OPERATORS {
            if rest.starts_with(operator) {
                self.advance(operator);
                return kind;
            }
        }
        self.advance(&rest[..1]);
        self.skip(|c| !is_boundary(c));
        TokenKind::Malformed
    }

    fn number(&mut self) -> TokenKind {
        let rest = self.rest();
        self.advance(&rest[..1]);
        let end = self.skip(|c| !is_boundary(c) || c == '.').len() + 1;
        let value = number::parse(&rest[..end]);
        if value.is_nan() {
            TokenKind::Malformed
        } else {
            TokenKind::Number(value)
        }
    }

    fn word(&mut self) -> TokenKind {
        let rest = self.rest();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        self.advance(&rest[..first]);
        let end = self.skip(|c| !is_boundary(c)).len() + first;
        if is_name(&rest[..end]) {
            TokenKind::Word
        } else {
            TokenKind::Malformed
        }
    }

    fn quoted(&mut self) -> TokenKind {
        let rest = self.rest();
        let mut text = String::new();
        let mut from = 1;
        while let Some(length) = rest[from..].find('\'') {
            let quote = from + length;
            text.push_str(&rest[from..quote]);
            if !rest[quote + 1..].starts_with('\'') {
                self.advance(&rest[..=quote]);
                return TokenKind::Text(text);
            }
            text.push('\'');
            from = quote + 2;
        }
        self.advance(rest);
        TokenKind::Malformed
    }
}

fn is_boundary(c: char) -> bool {
    matches!(
        c,
        '(' | '[' | ')' | ']' | ',' | '.' | '!' | '>' | '<' | '=' | '&' | '|'
    ) || c.is_whitespace()
}

/// Whether a text can stand behind a point: a letter or `_`, then letters, digits, `_` and `-`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
