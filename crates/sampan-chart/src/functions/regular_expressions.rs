//! Sprig's regular expressions: Go's package `regexp`, with its syntax (RE2), its error texts and its replacements.

use super::Parameter::{Int, Text as Word};
use super::arguments::Arguments;
use super::{Function, FunctionError};
use crate::value::quote::quote;
use crate::value::{List, ListType, Text, Value};

mod classes;
mod expression;
mod replacement;
mod subject;
mod syntax;

use expression::Expression;
use subject::Subject;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[Word, Word], is_match),
    Function::new("mustRegexMatch", &[Word, Word], must_match),
    Function::new("regexFind", &[Word, Word], |call| find(call, compile)),
    Function::new("mustRegexFind", &[Word, Word], |call| {
        find(call, must_compile)
    }),
    Function::new("regexFindAll", &[Word, Word, Int], |call| {
        find_all(call, compile)
    }),
    Function::new("mustRegexFindAll", &[Word, Word, Int], |call| {
        find_all(call, must_compile)
    }),
    Function::new("regexReplaceAll", &[Word, Word, Word], |call| {
        replace(call, compile)
    }),
    Function::new("mustRegexReplaceAll", &[Word, Word, Word], |call| {
        replace(call, must_compile)
    }),
    Function::new("regexReplaceAllLiteral", &[Word, Word, Word], |call| {
        literal(call, compile)
    }),
    Function::new("mustRegexReplaceAllLiteral", &[Word, Word, Word], |call| {
        literal(call, must_compile)
    }),
    Function::new("regexSplit", &[Word, Word, Int], |call| {
        split(call, compile)
    }),
    Function::new("mustRegexSplit", &[Word, Word, Int], |call| {
        split(call, must_compile)
    }),
    Function::new("regexQuoteMeta", &[Word], quote_meta),
];

/// A compiled expression, for what is no function of a template.
pub(crate) struct Matcher(Expression);

impl Matcher {
    /// Compiles an expression; none for what is none.
    pub(crate) fn compile(pattern: &str) -> Option<Self> {
        Expression::compile(pattern.as_bytes()).ok().map(Self)
    }

    /// Whether some part of a text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(&Subject::new(text.as_bytes()))
    }
}

type Compile = fn(&[u8]) -> Result<Expression, FunctionError>;

/// What the functions do that return errors.
fn must_compile(pattern: &[u8]) -> Result<Expression, FunctionError> {
    Expression::compile(pattern).map_err(|error| FunctionError::new(error.to_string()))
}

/// What the functions do that panic on a wrong pattern.
fn compile(pattern: &[u8]) -> Result<Expression, FunctionError> {
    Expression::compile(pattern).map_err(|error| {
        let can_stand_in_backquotes = std::str::from_utf8(pattern).is_ok_and(|pattern| {
            !pattern.contains(|char: char| {
                char == '`' || char == '\u{feff}' || (char.is_ascii_control() && char != '\t')
            })
        });
        let pattern = if can_stand_in_backquotes {
            format!("`{}`", String::from_utf8_lossy(pattern))
        } else {
            quote(pattern)
        };
        FunctionError::new(format!("regexp: Compile({pattern}): {error}"))
    })
}

/// A wrong pattern matches nothing.
fn is_match(arguments: &[Value]) -> Result<Value, FunctionError> {
    let Ok(expression) = Expression::compile(arguments.text(0)?) else {
        return Ok(Value::Bool(false));
    };
    let subject = Subject::new(arguments.text(1)?);
    expression.check_work(&subject)?;
    Ok(Value::Bool(expression.is_match(&subject)))
}

fn must_match(arguments: &[Value]) -> Result<Value, FunctionError> {
    let expression = must_compile(arguments.text(0)?)?;
    let subject = Subject::new(arguments.text(1)?);
    expression.check_work(&subject)?;
    Ok(Value::Bool(expression.is_match(&subject)))
}

fn find(arguments: &[Value], compile: Compile) -> Result<Value, FunctionError> {
    let expression = compile(arguments.text(0)?)?;
    let subject = Subject::new(arguments.text(1)?);
    expression.check_work(&subject)?;
    let found = expression.find_at(&subject, 0);
    Ok(Value::text(
        found.map_or(&[][..], |found| subject.bytes(found)),
    ))
}

/// Texts as a slice; a nil slice where there are none.
fn texts<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Value {
    let texts: Vec<Value> = texts.map(Value::text).collect();
    Value::List(List::of(ListType::Text, texts))
}

/// How many are wanted; a negative number wants all.
fn limit(wanted: i64) -> usize {
    usize::try_from(wanted).unwrap_or(usize::MAX)
}

fn find_all(arguments: &[Value], compile: Compile) -> Result<Value, FunctionError> {
    let expression = compile(arguments.text(0)?)?;
    let subject = Subject::new(arguments.text(1)?);
    expression.check_work(&subject)?;
    let found = expression.find_all(&subject, limit(arguments.int(2)?))?;
    if found.is_empty() {
        return Ok(Value::List(List::nil(ListType::Text)));
    }
    Ok(texts(
        found.iter().map(|found| subject.bytes(found.clone())),
    ))
}

fn replace(arguments: &[Value], compile: Compile) -> Result<Value, FunctionError> {
    let expression = compile(arguments.text(0)?)?;
    let subject = Subject::new(arguments.text(1)?);
    expression.check_work(&subject)?;
    let template = arguments.text(2)?;
    replacement::replace_all(&expression, &subject, |target, captures| {
        replacement::expand(target, template, &expression, captures);
    })
    .map(Value::Text)
}

fn literal(arguments: &[Value], compile: Compile) -> Result<Value, FunctionError> {
    let expression = compile(arguments.text(0)?)?;
    let subject = Subject::new(arguments.text(1)?);
    expression.check_work(&subject)?;
    let replacement = arguments.text(2)?;
    replacement::replace_all(&expression, &subject, |target, _| {
        target.extend_from_slice(replacement);
    })
    .map(Value::Text)
}

fn split(arguments: &[Value], compile: Compile) -> Result<Value, FunctionError> {
    let pattern = arguments.text(0)?;
    let expression = compile(pattern)?;
    let (text, wanted) = (arguments.text(1)?, arguments.int(2)?);
    if wanted == 0 {
        return Ok(Value::List(List::nil(ListType::Text)));
    }
    if !pattern.is_empty() && text.is_empty() {
        return Ok(texts([&[][..]].into_iter()));
    }
    let subject = Subject::new(text);
    expression.check_work(&subject)?;
    let matches = expression.find_all(&subject, limit(wanted))?;
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in matches {
        if parts.len() + 1 >= limit(wanted) {
            break;
        }
        end = found.start;
        if found.end != 0 {
            parts.push(subject.bytes(begin..end));
        }
        begin = found.end;
    }
    if end != subject.text().len() {
        parts.push(subject.bytes(begin..subject.text().len()));
    }
    Ok(texts(parts.into_iter()))
}

fn quote_meta(arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments.text(0)?;
    let mut quoted = Vec::with_capacity(text.len());
    for byte in text.iter() {
        if b"\\.+*?()|[]{}^$".contains(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    Ok(Value::Text(Text::from(quoted)))
}
