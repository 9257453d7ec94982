//! The functions that are there everywhere.

use std::sync::Arc;

use sampan_model::shortened;

use super::evaluate::{Evaluation, equal};
use super::tree::Node;
use super::{EvaluateError, Value, casing, json};

pub(super) fn call(
    evaluation: &mut Evaluation<'_>,
    name: &str,
    arguments: &[Node],
) -> Result<Value, EvaluateError> {
    match (name, arguments) {
        ("case", _) => case(evaluation, arguments),
        ("contains", [within, what]) => contains(evaluation, within, what),
        ("startsWith", [text, start]) => compare(evaluation, text, start, casing::starts_with),
        ("endsWith", [text, end]) => compare(evaluation, text, end, casing::ends_with),
        ("format", [format, values @ ..]) => {
            let format = evaluation.node(format)?.to_text();
            format_text(evaluation, &format, values)
        }
        ("join", [items, separator @ ..]) => join(evaluation, items, separator.first()),
        ("toJSON", [value]) => {
            let value = evaluation.node(value)?;
            let text = json::write(&value, evaluation.left()).ok_or(EvaluateError::TooLarge)?;
            evaluation.spend(text.len())?;
            Ok(Value::text(text))
        }
        ("fromJSON", [text]) => {
            let text = evaluation.node(text)?.to_text();
            // A value takes more room than its text: `[[],[]]`.
            evaluation.spend(text.len())?;
            json::read(&text).map_err(|source| EvaluateError::NotJson {
                text: shortened(&text, 60),
                source,
            })
        }
        ("hashFiles", patterns) => evaluation.hash_files(patterns),
        // The parser lets no other call through.
        _ => Ok(Value::Null),
    }
}

fn case(evaluation: &mut Evaluation<'_>, arguments: &[Node]) -> Result<Value, EvaluateError> {
    let mut rest = arguments;
    while let [condition, value, others @ ..] = rest {
        match evaluation.node(condition)? {
            Value::Boolean(true) => return evaluation.node(value),
            Value::Boolean(false) => rest = others,
            other => {
                return Err(EvaluateError::CaseCondition {
                    found: other.type_name(),
                });
            }
        }
    }
    rest.first()
        .map_or(Ok(Value::Null), |otherwise| evaluation.node(otherwise))
}

fn contains(
    evaluation: &mut Evaluation<'_>,
    within: &Node,
    what: &Node,
) -> Result<Value, EvaluateError> {
    let within = evaluation.node(within)?;
    let what = evaluation.node(what)?;
    Ok(Value::Boolean(match within.items() {
        Some(items) => items.iter().any(|item| equal(&what, item)),
        None => {
            within.is_primitive()
                && what.is_primitive()
                && casing::contains(&within.to_text(), &what.to_text())
        }
    }))
}

fn compare(
    evaluation: &mut Evaluation<'_>,
    text: &Node,
    part: &Node,
    compare: fn(&str, &str) -> bool,
) -> Result<Value, EvaluateError> {
    let text = evaluation.node(text)?;
    let part = evaluation.node(part)?;
    Ok(Value::Boolean(
        text.is_primitive() && part.is_primitive() && compare(&text.to_text(), &part.to_text()),
    ))
}

fn join(
    evaluation: &mut Evaluation<'_>,
    items: &Node,
    separator: Option<&Node>,
) -> Result<Value, EvaluateError> {
    let items = evaluation.node(items)?;
    let Some(list) = items.items() else {
        return Ok(if items.is_primitive() {
            Value::String(items.to_text())
        } else {
            Value::text("")
        });
    };
    let separator = match separator {
        Some(node) if list.len() > 1 => Some(evaluation.node(node)?),
        _ => None,
    };
    let separator = separator
        .filter(Value::is_primitive)
        .map_or_else(|| Arc::from(","), |value| value.to_text());
    let mut text = String::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            evaluation.spend(separator.len())?;
            text.push_str(&separator);
        }
        let item = item.to_text();
        evaluation.spend(item.len())?;
        text.push_str(&item);
    }
    Ok(Value::text(text))
}

/// Puts values into a format: `{0}` is the first one, `{{` and `}}` are braces.
fn format_text(
    evaluation: &mut Evaluation<'_>,
    format: &str,
    values: &[Node],
) -> Result<Value, EvaluateError> {
    let invalid = || EvaluateError::Format {
        format: format.to_owned(),
    };
    // The whole format is looked at before any value is asked for.
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, behind) = (&rest[..brace], &rest[brace + 1..]);
        let brace = &rest[brace..=brace];
        if let Some(escaped) = behind.strip_prefix(brace) {
            pieces.push(Piece::Text(before));
            pieces.push(Piece::Text(brace));
            rest = escaped;
            continue;
        }
        if brace == "}" {
            return Err(invalid());
        }
        pieces.push(Piece::Text(before));
        let (piece, behind) = placeholder(behind).ok_or_else(invalid)?;
        if matches!(piece, Piece::Value(index, _) if index >= values.len()) {
            return Err(EvaluateError::FormatArgument {
                format: format.to_owned(),
            });
        }
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    fill(evaluation, pieces, values)
}

enum Piece<'a> {
    Text(&'a str),
    Value(usize, String),
}

/// The placeholder behind an opening brace, and what follows it.
fn placeholder(text: &str) -> Option<(Piece<'_>, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let index: u8 = text[..end].parse().ok()?;
    let index = usize::from(index);
    if let Some(rest) = text[end..].strip_prefix('}') {
        return Some((Piece::Value(index, String::new()), rest));
    }
    let mut rest = text[end..].strip_prefix(':')?;
    let mut specifier = String::new();
    loop {
        let brace = rest.find('}')?;
        specifier.push_str(&rest[..brace]);
        rest = &rest[brace + 1..];
        match rest.strip_prefix('}') {
            Some(behind) => {
                specifier.push('}');
                rest = behind;
            }
            None => return Some((Piece::Value(index, specifier), rest)),
        }
    }
}

fn fill(
    evaluation: &mut Evaluation<'_>,
    pieces: Vec<Piece<'_>>,
    values: &[Node],
) -> Result<Value, EvaluateError> {
    let mut known: Vec<Option<Arc<str>>> = vec![None; values.len()];
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => {
                evaluation.spend(part.len())?;
                text.push_str(part);
            }
            Piece::Value(index, specifier) => {
                let value = match &known[index] {
                    Some(value) => Arc::clone(value),
                    None => evaluation.node(&values[index])?.to_text(),
                };
                if !specifier.is_empty() {
                    return Err(EvaluateError::FormatSpecifier { specifier });
                }
                evaluation.spend(value.len())?;
                text.push_str(&value);
                known[index] = Some(value);
            }
        }
    }
    Ok(Value::text(text))
}
