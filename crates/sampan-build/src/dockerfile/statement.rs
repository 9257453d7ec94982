//! Statements: each instruction split into keyword, flags and arguments, not yet understood.

use super::error::{ParseError, SyntaxError};
use super::heredoc::Heredoc;
use super::source::{Source, Span, without_line_break};
use super::words::{self, is_blank};

/// One instruction as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The keyword as written.
    pub keyword: String,
    /// The `--flag` words, unquoted.
    pub flags: Vec<String>,
    /// What follows the flags.
    pub arguments: Arguments,
    /// The heredocs with their text.
    pub heredocs: Vec<Heredoc>,
    /// The logical line.
    pub original: String,
    /// Where it stands.
    pub span: Span,
}

/// The arguments of a statement; each keyword has its own grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing was given.
    None,
    /// Words, or one unsplit text.
    Words(Vec<String>),
    /// A JSON array of strings (for HEALTHCHECK: the kind, then the array).
    Json(Vec<String>),
    /// Names and values (ENV, LABEL).
    Pairs(Vec<Pair>),
    /// The instruction inside ONBUILD.
    Trigger(Box<Statement>),
    /// The keyword is not known, so the arguments were not read.
    Unread,
}

/// A name and a value of ENV or LABEL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The value, still quoted.
    pub value: String,
    /// Whether it was written the old way, `ENV name value`.
    pub legacy: bool,
}

/// The statements of a Dockerfile and the escape character that it chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// A backslash, or a backtick.
    pub escape: char,
}

impl Statements {
    /// Splits the text of a Dockerfile.
    ///
    /// # Errors
    /// Names the line and what is malformed there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut source = Source::new(text);
        let mut statements = Vec::new();
        while let Some((line, first)) = source.next_logical()? {
            statements.push(read_statement(&mut source, &line, first)?);
        }
        if statements.is_empty() {
            let span = Span {
                first: 1,
                last: source.line_number().max(1),
            };
            return Err(ParseError::new(span, "", SyntaxError::NoInstructions));
        }
        Ok(Self {
            statements,
            escape: source.escape(),
        })
    }
}

fn read_statement(
    source: &mut Source<'_>,
    line: &str,
    first: usize,
) -> Result<Statement, ParseError> {
    let fail = |source: &Source<'_>, cause| {
        ParseError::new(
            Span {
                first,
                last: source.line_number(),
            },
            line,
            cause,
        )
    };
    let mut statement =
        split_statement(line, source.escape(), 0).map_err(|cause| fail(source, cause))?;
    if statement.may_hold_heredocs() && line.contains("<<") {
        let announced = Heredoc::announced(line).map_err(|cause| fail(source, cause.into()))?;
        for mut heredoc in announced {
            if !read_heredoc(source, &mut heredoc) {
                let cause = SyntaxError::UnterminatedHeredoc { name: heredoc.name };
                return Err(fail(source, cause));
            }
            statement.heredocs.push(heredoc);
        }
    }
    statement.set_span(Span {
        first,
        last: source.line_number(),
    });
    Ok(statement)
}

/// Reads the text up to the line that ends the heredoc; false when there is no such line.
fn read_heredoc(source: &mut Source<'_>, heredoc: &mut Heredoc) -> bool {
    while let Some(line) = source.next_raw() {
        if heredoc.ends_at(without_line_break(line)) {
            return true;
        }
        heredoc.content.push_str(line);
    }
    false
}

/// ONBUILD may hold one instruction, and that one must not be ONBUILD again; the grammar itself
/// would allow any depth.
const NESTING_LIMIT: usize = 8;

pub(super) fn split_statement(
    line: &str,
    escape: char,
    depth: usize,
) -> Result<Statement, SyntaxError> {
    let trimmed = line.trim();
    let (keyword, rest) = words::split_first(trimmed);
    let (flags, rest) = words::take_flags(rest, escape);
    let rest = rest.trim();
    let arguments = match keyword.to_ascii_lowercase().as_str() {
        "add" | "copy" | "volume" => match json_array(rest)? {
            Some(arguments) => arguments,
            None => whitespace_words(rest),
        },
        "cmd" | "entrypoint" | "run" | "shell" => command_line(rest)?,
        "env" => pairs("ENV", rest, escape)?,
        "label" => pairs("LABEL", rest, escape)?,
        "arg" => non_empty(words::quoted_words(rest, escape)),
        "expose" | "from" => whitespace_words(rest),
        "maintainer" | "stopsignal" | "user" | "workdir" => whole(rest),
        "healthcheck" => health_check(rest)?,
        "onbuild" if rest.is_empty() => Arguments::None,
        "onbuild" if depth >= NESTING_LIMIT => return Err(SyntaxError::OnbuildNested),
        "onbuild" => Arguments::Trigger(Box::new(split_statement(rest, escape, depth + 1)?)),
        _ => Arguments::Unread,
    };
    Ok(Statement {
        keyword: keyword.to_owned(),
        flags,
        arguments,
        heredocs: Vec::new(),
        original: line.to_owned(),
        span: Span { first: 1, last: 1 },
    })
}

impl Statement {
    fn may_hold_heredocs(&self) -> bool {
        match &self.arguments {
            Arguments::Json(_) => false,
            Arguments::Trigger(inner) => inner.may_hold_heredocs(),
            _ => ["add", "copy", "run"]
                .iter()
                .any(|name| self.keyword.eq_ignore_ascii_case(name)),
        }
    }

    pub(super) fn set_span(&mut self, span: Span) {
        self.span = span;
        if let Arguments::Trigger(inner) = &mut self.arguments {
            inner.set_span(span);
        }
    }
}

fn non_empty(words: Vec<String>) -> Arguments {
    if words.is_empty() {
        Arguments::None
    } else {
        Arguments::Words(words)
    }
}

fn whole(rest: &str) -> Arguments {
    if rest.is_empty() {
        Arguments::None
    } else {
        Arguments::Words(vec![rest.to_owned()])
    }
}

fn whitespace_words(rest: &str) -> Arguments {
    non_empty(
        rest.split(is_blank)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// The JSON form, when `rest` is a JSON array; text that merely looks like one is no error.
fn json_array(rest: &str) -> Result<Option<Arguments>, SyntaxError> {
    if !rest.starts_with('[') {
        return Ok(None);
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(rest) else {
        return Ok(None);
    };
    let strings = values.into_iter().map(|value| match value {
        serde_json::Value::String(text) => Ok(text),
        _ => Err(SyntaxError::NotOnlyStrings),
    });
    Ok(Some(Arguments::Json(strings.collect::<Result<_, _>>()?)))
}

fn command_line(rest: &str) -> Result<Arguments, SyntaxError> {
    Ok(json_array(rest)?.unwrap_or_else(|| whole(rest)))
}

fn health_check(rest: &str) -> Result<Arguments, SyntaxError> {
    if rest.is_empty() {
        return Ok(Arguments::None);
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (kind, command) = (rest[..end].to_owned(), rest[end..].trim_start());
    Ok(match command_line(command)? {
        Arguments::Json(mut array) => {
            array.insert(0, kind);
            Arguments::Json(array)
        }
        Arguments::Words(text) => Arguments::Words(std::iter::once(kind).chain(text).collect()),
        _ => Arguments::Words(vec![kind]),
    })
}

/// `name=value …`, or the old form `name value with spaces`.
fn pairs(keyword: &'static str, rest: &str, escape: char) -> Result<Arguments, SyntaxError> {
    let words = words::quoted_words(rest, escape);
    let Some(first) = words.first() else {
        return Ok(Arguments::None);
    };
    if !first.contains('=') {
        let Some((name, value)) = rest.split_once(is_blank) else {
            return Err(SyntaxError::MissingValue {
                keyword,
                name: rest.to_owned(),
            });
        };
        let value = value.trim_start_matches(is_blank);
        let pair = Pair {
            name: name.to_owned(),
            value: value.to_owned(),
            legacy: true,
        };
        return Ok(Arguments::Pairs(vec![pair]));
    }
    let split = |word: &String| match word.split_once('=') {
        Some((name, value)) => Ok(Pair {
            name: name.to_owned(),
            value: value.to_owned(),
            legacy: false,
        }),
        None => Err(SyntaxError::MissingEquals { word: word.clone() }),
    };
    words
        .iter()
        .map(split)
        .collect::<Result<_, _>>()
        .map(Arguments::Pairs)
}
