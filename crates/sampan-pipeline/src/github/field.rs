//! The forms in which values stand in GitHub's files: texts, booleans and numbers that may hold expressions, conditions,
//! and environments.

use sampan_model::Hint;
use sampan_model::yaml::{Content, Location, Node};

use super::scalar;
use crate::PipelineError;
use crate::expression::{self, Scope, TextError};
use crate::graph::{Deferred, Expression, Text};
use crate::read::{Fields, wrong_type};

/// How an expression begins.
const OPEN: &str = "${{";

/// The error that an expression of a text cannot be read.
pub(super) fn problem(location: &Location, text: &str, error: &TextError) -> PipelineError {
    let expression = match error {
        TextError::Expression(error) => error.expression().unwrap_or(text),
        TextError::NotClosed { .. } | TextError::Empty { .. } => text,
    };
    PipelineError::Expression {
        location: location.clone(),
        problem: match error.hint() {
            Some(hint) => format!("{error} ({hint})"),
            None => error.to_string(),
        },
        expression: sampan_model::shortened(expression.trim(), 100),
    }
}

/// The text of a node with expressions in it, after a look at them; nothing when there is none.
fn expression(node: &Node, scope: &Scope<'_>) -> Result<Option<Expression>, PipelineError> {
    let Content::String(text, _) = &node.content else {
        return Ok(None);
    };
    if !text.contains(OPEN) {
        return Ok(None);
    }
    let parsed = expression::Text::parse(text, scope)
        .map_err(|error| problem(&node.location, text, &error))?;
    // Only what stands for itself, such as `${{ '{{' }}`.
    if parsed.as_literal().is_some() {
        return Ok(None);
    }
    Ok(Some(Expression {
        expression: text.clone(),
        location: node.location.clone(),
    }))
}

/// Whether a node holds an expression and nothing else, which may then stand for a value of any type.
pub(super) fn is_expression(node: &Node) -> bool {
    node.as_str()
        .map(str::trim)
        .is_some_and(|text| text.starts_with(OPEN) && text.ends_with("}}"))
}

/// A text.
pub(super) fn text(node: &Node, what: &str, scope: &Scope<'_>) -> Result<Text, PipelineError> {
    if let Some(later) = expression(node, scope)? {
        return Ok(Deferred::Later(later));
    }
    match scalar::text(node) {
        Some(text) => Ok(Deferred::Now(text)),
        None => Err(wrong_type(node, what, "text")),
    }
}

/// A text that holds something.
pub(super) fn filled_text(
    node: &Node,
    what: &str,
    scope: &Scope<'_>,
) -> Result<Text, PipelineError> {
    let text = text(node, what, scope)?;
    if text.now().is_some_and(String::is_empty) {
        return Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: what.to_owned(),
            value: String::new(),
            hint: Some("it must not be empty".to_owned()),
        });
    }
    Ok(text)
}

/// A text in which expressions are not allowed.
pub(super) fn plain(node: &Node, what: &str) -> Result<String, PipelineError> {
    match scalar::text(node) {
        Some(text) if text.contains(OPEN) => Err(PipelineError::InvalidValue {
            location: node.location.clone(),
            what: what.to_owned(),
            value: text,
            hint: Some("expressions are not evaluated here".to_owned()),
        }),
        Some(text) => Ok(text),
        None => Err(wrong_type(node, what, "text")),
    }
}

/// A text, which counts as a list of one, or a list of texts; no expressions.
pub(super) fn plain_list(node: &Node, what: &str) -> Result<Vec<String>, PipelineError> {
    match &node.content {
        Content::Sequence(items) => items.iter().map(|item| plain(item, what)).collect(),
        Content::Null => Ok(Vec::new()),
        _ => Ok(vec![plain(node, what)?]),
    }
}

/// A list of texts.
pub(super) fn texts(
    node: &Node,
    what: &str,
    scope: &Scope<'_>,
) -> Result<Vec<Text>, PipelineError> {
    crate::read::list(node, what)?
        .iter()
        .map(|item| text(item, &format!("an item of {what}"), scope))
        .collect()
}

/// `true` or `false`.
pub(super) fn boolean(
    node: &Node,
    what: &str,
    scope: &Scope<'_>,
) -> Result<Deferred<bool>, PipelineError> {
    if let Some(later) = expression(node, scope)? {
        return Ok(Deferred::Later(later));
    }
    match scalar::value(node) {
        expression::Value::Boolean(value) => Ok(Deferred::Now(value)),
        _ => match node.as_str() {
            Some("true") => Ok(Deferred::Now(true)),
            Some("false") => Ok(Deferred::Now(false)),
            _ => Err(wrong_type(node, what, "`true` or `false`")),
        },
    }
}

/// A number that is not negative.
pub(super) fn number(
    node: &Node,
    what: &str,
    scope: &Scope<'_>,
) -> Result<Deferred<f64>, PipelineError> {
    if let Some(later) = expression(node, scope)? {
        return Ok(Deferred::Later(later));
    }
    let number = match &node.content {
        Content::Null | Content::Bool(_) | Content::Sequence(_) | Content::Mapping(_) => f64::NAN,
        _ => scalar::value(node).to_number(),
    };
    if number.is_finite() && number >= 0.0 {
        return Ok(Deferred::Now(number));
    }
    Err(wrong_type(node, what, "a number that is not negative"))
}

/// A condition: an expression with or without `${{ }}` around it.
pub(super) fn condition(
    node: &Node,
    what: &str,
    scope: &Scope<'_>,
) -> Result<Expression, PipelineError> {
    let Some(text) = scalar::text(node) else {
        return Err(wrong_type(node, what, "an expression"));
    };
    parse_condition(&text, scope).map_err(|error| problem(&node.location, &text, &error))?;
    Ok(Expression {
        expression: text,
        location: node.location.clone(),
    })
}

/// A condition as it is carried out.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// One expression.
    Expression(expression::Expression),
    /// A text with expressions in it, which holds unless it is empty.
    Text(expression::Text),
}

pub(super) fn parse_condition(text: &str, scope: &Scope<'_>) -> Result<Condition, TextError> {
    if !text.contains(OPEN) {
        let parsed = expression::Expression::parse(text, scope)?;
        return Ok(Condition::Expression(parsed));
    }
    let parsed = expression::Text::parse(text.trim(), scope)?;
    Ok(match parsed.as_expression() {
        Some(expression) => Condition::Expression(expression.clone()),
        None => Condition::Text(parsed),
    })
}

/// A condition that says itself that nothing may have failed, where it says nothing of failures.
pub(super) fn explicit_condition(text: &str, scope: &Scope<'_>) -> String {
    match parse_condition(text, scope) {
        Ok(Condition::Expression(expression)) if !expression.asks_for_status() => {
            format!("success() && ({})", expression.source())
        }
        Ok(Condition::Expression(expression)) => expression.source().to_owned(),
        // A text that holds: `${{ a }} && b` is never empty.
        _ => text.to_owned(),
    }
}

impl Condition {
    /// Whether it says itself what happens after a failure.
    pub(super) fn asks_for_status(&self) -> bool {
        match self {
            Self::Expression(expression) => expression.asks_for_status(),
            Self::Text(text) => text
                .expressions()
                .any(expression::Expression::asks_for_status),
        }
    }

    pub(super) fn references(&self) -> Vec<expression::Reference> {
        match self {
            Self::Expression(expression) => expression.references(),
            Self::Text(text) => text.references(),
        }
    }

    pub(super) fn evaluate(
        &self,
        runtime: &dyn expression::Runtime,
    ) -> Result<expression::Value, expression::EvaluateError> {
        match self {
            Self::Expression(expression) => expression.evaluate(runtime),
            Self::Text(text) => text.evaluate(runtime),
        }
    }
}

/// Texts by name in the order of the file, or an expression that stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Texts {
    /// The texts.
    Each(Vec<(String, Text)>),
    /// An expression whose value is a mapping.
    Later(Expression),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Texts {
    /// The texts that are given one by one.
    #[must_use]
    pub fn each(&self) -> &[(String, Text)] {
        match self {
            Self::Each(texts) => texts,
            Self::Later(_) => &[],
        }
    }

    /// The text of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Text> {
        self.each()
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text)
    }
}

/// A mapping of texts.
pub(super) fn text_map(node: &Node, what: &str, scope: &Scope<'_>) -> Result<Texts, PipelineError> {
    if is_expression(node)
        && let Some(later) = expression(node, scope)?
    {
        return Ok(Texts::Later(later));
    }
    let mut texts = Vec::new();
    let mut errors = Vec::new();
    for (key, value) in Fields::of(node, what)?.entries() {
        if key.name.contains(OPEN) {
            errors.push(PipelineError::Unsupported {
                location: key.location.clone(),
                what: format!("an expression as a name in {what}"),
                hint: Some("write the names out".to_owned()),
            });
            continue;
        }
        match text(value, &format!("`{}` of {what}", key.name), scope) {
            Ok(text) => texts.push((key.name.clone(), text)),
            Err(error) => errors.push(error),
        }
    }
    PipelineError::join(errors)?;
    Ok(Texts::Each(texts))
}

/// Looks at the expressions of a node and of all that is in it.
pub(super) fn check_tree(node: &Node, scope: &Scope<'_>) -> Result<(), PipelineError> {
    match &node.content {
        Content::Sequence(items) => items.iter().try_for_each(|item| check_tree(item, scope)),
        Content::Mapping(entries) => entries
            .iter()
            .try_for_each(|(_, node)| check_tree(node, scope)),
        _ => expression(node, scope).map(drop),
    }
}
