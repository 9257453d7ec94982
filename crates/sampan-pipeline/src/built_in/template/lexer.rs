//! From text to the pieces that templates consist of.

use super::TemplateError;
use super::tree::Strip;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Content(String),
    Comment(Strip),
    /// `{{else}}` or `{{^}}`.
    Inverse(Strip),
    /// The beginning of a tag, and whether white space before it goes.
    Open(Tag, bool),
    /// The end of a tag, and whether white space behind it goes.
    Close {
        is_triple: bool,
        strip: bool,
    },
    Name(String),
    Text(String),
    Number(String),
    Bool(bool),
    Separator,
    At,
    OpenParenthesis,
    CloseParenthesis,
    Equals,
    /// `as |`.
    OpenNames,
    /// `|`.
    CloseNames,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// `{{`.
    Escaped,
    /// `{{&`.
    Plain,
    /// `{{{`.
    Triple,
    /// `{{#`.
    Block,
    /// `{{^`.
    Inverse,
    /// `{{else NAME`.
    Chain,
    /// `{{/`.
    End,
}

/// Characters that no name has.
const NOT_IN_NAMES: &str = " \n\t\r!\"#%&'()*+,./;<=>@[\\]^`{|}~";

/// The tokens of a template with their lines.
pub(super) fn tokens(template: &str) -> Result<Vec<(Token, usize)>, TemplateError> {
    let mut lexer = Lexer {
        rest: template,
        line: 1,
        tokens: Vec::new(),
    };
    while !lexer.rest.is_empty() {
        lexer.content();
        lexer.tag()?;
    }
    lexer.push(Token::End);
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<(Token, usize)>,
}

impl<'a> Lexer<'a> {
    fn push(&mut self, token: Token) {
        self.tokens.push((token, self.line));
    }

    fn error(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Syntax {
            line: self.line,
            problem: problem.into(),
        }
    }

    /// Takes so many bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn push_content(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Token::Content(text.to_owned()));
        }
    }

    /// Text up to the next tag. `\{{` is no tag, `\\{{` is a backslash and a tag.
    fn content(&mut self) {
        while let Some(at) = self.rest.find("{{") {
            let before = &self.rest[..at];
            if before.ends_with("\\\\") {
                let text = self.take(at);
                self.push_content(&text[..at - 1]);
                return;
            }
            if !before.ends_with('\\') {
                let text = self.take(at);
                self.push_content(text);
                return;
            }
            let text = self.take(at);
            self.push_content(&text[..at - 1]);
            // What follows up to the next tag is one text, which white space control looks at as a whole.
            let braces = self.rest.len() - self.rest.trim_start_matches('{').len();
            let next = self.rest[braces..]
                .find("{{")
                .map_or(self.rest.len(), |next| braces + next);
            let escapes = self.rest[..next].len() - self.rest[..next].trim_end_matches('\\').len();
            let text = self.take(next - escapes);
            self.push_content(text);
        }
        let text = self.take(self.rest.len());
        self.push_content(text);
    }

    fn tag(&mut self) -> Result<(), TemplateError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        if self.rest.starts_with("{{{{") {
            return Err(self.error("raw blocks are not supported"));
        }
        let strip = self.rest[2..].starts_with('~');
        let inner = &self.rest[2 + usize::from(strip)..];
        if inner.starts_with('!') {
            return self.comment(strip, inner.starts_with("!--"));
        }
        if inner.starts_with('>') {
            return Err(self.error("there are no partials"));
        }
        if let Some((length, behind)) = inverse(inner) {
            self.push(Token::Inverse(Strip {
                before: strip,
                behind,
            }));
            self.take(2 + usize::from(strip) + length);
            return Ok(());
        }
        let (tag, length) = match inner.as_bytes().first() {
            Some(b'{') => (Tag::Triple, 1),
            Some(b'#') => (Tag::Block, 1),
            Some(b'/') => (Tag::End, 1),
            Some(b'^') => (Tag::Inverse, 1),
            Some(b'&') => (Tag::Plain, 1),
            _ => match chain(inner) {
                Some(length) => (Tag::Chain, length),
                None => (Tag::Escaped, 0),
            },
        };
        self.push(Token::Open(tag, strip));
        self.take(2 + usize::from(strip) + length);
        while !self.expression()? {}
        Ok(())
    }

    fn comment(&mut self, before: bool, has_dashes: bool) -> Result<(), TemplateError> {
        let end = if has_dashes { "--" } else { "" };
        let plain = self.rest.find(&format!("{end}}}}}"));
        let stripped = self.rest.find(&format!("{end}~}}}}"));
        let (at, behind) = match (plain, stripped) {
            (Some(plain), Some(stripped)) if stripped < plain => (stripped, true),
            (Some(plain), _) => (plain, false),
            (None, Some(stripped)) => (stripped, true),
            (None, None) => return Err(self.error("the comment is not closed")),
        };
        // `{{!x~}}` ends at the same braces in both forms.
        let behind = behind || (end.is_empty() && self.rest[..at].ends_with('~'));
        self.push(Token::Comment(Strip { before, behind }));
        let braces = self.rest[at..].find("}}").unwrap_or(0) + 2;
        self.take(at + braces);
        Ok(())
    }

    /// Takes one token within a tag; whether the tag has ended.
    fn expression(&mut self) -> Result<bool, TemplateError> {
        for (text, is_triple, strip) in [
            ("}~}}", true, true),
            ("}}}", true, false),
            ("~}}", false, true),
            ("}}", false, false),
        ] {
            if self.rest.starts_with(text) {
                self.push(Token::Close { is_triple, strip });
                self.take(text.len());
                return Ok(true);
            }
        }
        let Some(first) = self.rest.chars().next() else {
            return Err(self.error("the tag is not closed"));
        };
        let simple = match first {
            '(' => Some(Token::OpenParenthesis),
            ')' => Some(Token::CloseParenthesis),
            '=' => Some(Token::Equals),
            '@' => Some(Token::At),
            '|' => Some(Token::CloseNames),
            '/' => Some(Token::Separator),
            _ => None,
        };
        if let Some(token) = simple {
            self.push(token);
            self.take(1);
            return Ok(false);
        }
        match first {
            ' ' | '\t' | '\n' | '\r' => {
                let length = self.rest.len() - self.rest.trim_start().len();
                self.take(length.max(1));
            }
            '.' => self.dot(),
            '"' | '\'' => self.string(first)?,
            '[' => {
                let Some(end) = self.rest.find(']') else {
                    return Err(self.error("a `[` is not closed"));
                };
                self.push(Token::Name(self.rest[1..end].to_owned()));
                self.take(end + 1);
            }
            '+' | '-' | '0'..='9' => self.number()?,
            c if NOT_IN_NAMES.contains(c) => {
                return Err(self.error(format!("`{c}` is not expected in a tag")));
            }
            _ => self.name(),
        }
        Ok(false)
    }

    /// `..` and `.` as names, or the separator of a path.
    fn dot(&mut self) {
        if self.rest.starts_with("..") {
            self.push(Token::Name("..".to_owned()));
            self.take(2);
            return;
        }
        let next = self.rest[1..].chars().next();
        let stands_alone = next.is_none_or(|c| "=~}/)|\t\r\n ".contains(c));
        self.push(if stands_alone {
            Token::Name(".".to_owned())
        } else {
            Token::Separator
        });
        self.take(1);
    }

    fn string(&mut self, delimiter: char) -> Result<(), TemplateError> {
        let mut before = None;
        for (at, c) in self.rest.char_indices().skip(1) {
            if c == '\n' {
                break;
            }
            if c == delimiter && before != Some('\\') {
                let text = &self.rest[1..at];
                let escaped = format!("\\{delimiter}");
                let text = text.replace(&escaped, delimiter.encode_utf8(&mut [0; 4]));
                self.push(Token::Text(text));
                self.take(at + 1);
                return Ok(());
            }
            before = Some(c);
        }
        Err(self.error("a text in quotes is not closed"))
    }

    fn number(&mut self) -> Result<(), TemplateError> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest[sign..]
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map_or(self.rest.len(), |length| sign + length);
        let is_name_behind = self.rest[digits..]
            .chars()
            .next()
            .is_some_and(|c| !NOT_IN_NAMES.contains(c));
        if is_name_behind || digits == sign {
            return Err(self.error(format!("`{}` is no number", &self.rest[..digits.max(1)])));
        }
        self.push(Token::Number(self.rest[..digits].to_owned()));
        self.take(digits);
        Ok(())
    }

    fn name(&mut self) {
        let length = self
            .rest
            .find(|c| NOT_IN_NAMES.contains(c))
            .unwrap_or(self.rest.len());
        let name = &self.rest[..length];
        if name == "as" {
            let behind = self.rest[length..].trim_start();
            if behind.len() < self.rest.len() - length && behind.starts_with('|') {
                self.push(Token::OpenNames);
                self.take(self.rest.len() - behind.len() + 1);
                return;
            }
        }
        self.push(match name {
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            name => Token::Name(name.to_owned()),
        });
        self.take(length);
    }
}

/// `^}}` or `else}}`: its length with the braces, and whether white space behind it goes.
fn inverse(inner: &str) -> Option<(usize, bool)> {
    let behind = match inner.strip_prefix('^') {
        Some(behind) => behind,
        None => inner.trim_start().strip_prefix("else")?,
    }
    .trim_start();
    let strip = behind.starts_with('~');
    let end = behind[usize::from(strip)..].strip_prefix("}}")?;
    Some((inner.len() - end.len(), strip))
}

/// The length of `else` with the space before it, where a name follows.
fn chain(inner: &str) -> Option<usize> {
    let behind = inner.trim_start().strip_prefix("else")?;
    behind
        .starts_with([' ', '\t', '\n', '\r'])
        .then(|| inner.len() - behind.len())
}
