//! Texts with expressions in them: `refs/heads/${{ inputs.branch }}`.

use std::ops::Range;

use sampan_model::Hint;

use super::{EvaluateError, Expression, LIMIT_BYTES, ParseError, Reference, Runtime, Scope, Value};

/// A text that was split into what stands for itself and expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Expression(Expression),
}

/// Why a text cannot be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// `${{` without `}}`.
    #[error("the expression that begins with `${{{{` at position {position} is not closed")]
    NotClosed {
        /// Which character of the text it begins at, from 1.
        position: usize,
    },
    /// Nothing between `${{` and `}}`.
    #[error("there is nothing between `${{{{` and `}}}}` at position {position}")]
    Empty {
        /// Which character of the text it begins at, from 1.
        position: usize,
    },
    /// What stands there is no expression.
    #[error(transparent)]
    Expression(#[from] ParseError),
}

impl Hint for TextError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotClosed { .. } => {
                Some("close it by `}}`; a `${{` that is meant is written `${{ '${{' }}`".to_owned())
            }
            Self::Empty { .. } => None,
            Self::Expression(error) => error.hint(),
        }
    }
}

const OPEN: &str = "${{";
const CLOSE: &str = "}}";

/// Where the first expression stands within the text, delimiters included; an end that is missing is nothing.
fn find(text: &str) -> Option<(usize, Option<Range<usize>>)> {
    let start = text.find(OPEN)?;
    let mut quoted = false;
    let mut previous = '\0';
    for (offset, c) in text[start + OPEN.len()..].char_indices() {
        match c {
            // A doubled quote within a text leaves it and enters it again.
            '\'' => quoted = !quoted,
            '}' if !quoted && previous == '}' => {
                return Some((start, Some(start..start + OPEN.len() + offset + 1)));
            }
            _ => {}
        }
        previous = c;
    }
    Some((start, None))
}

impl Text {
    /// Splits a text and parses the expressions in it.
    ///
    /// # Errors
    /// [`TextError`] when one of them is not closed or is no expression.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, TextError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((start, range)) = find(rest) {
            let position = text[..text.len() - rest.len() + start].chars().count() + 1;
            let range = range.ok_or(TextError::NotClosed { position })?;
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            let source = &rest[start + OPEN.len()..range.end - CLOSE.len()];
            if source.trim().is_empty() {
                return Err(TextError::Empty { position });
            }
            parts.push(Part::Expression(Expression::parse(source, scope)?));
            rest = &rest[range.end..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// A text without expressions.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self {
            parts: vec![Part::Literal(text.to_owned())],
        }
    }

    /// The text when there is no expression in it.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The expression when the text is nothing else.
    #[must_use]
    pub fn as_expression(&self) -> Option<&Expression> {
        match &*self.parts {
            [Part::Expression(expression)] => Some(expression),
            _ => None,
        }
    }

    /// The expressions in their order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Expression(expression) => Some(expression),
        })
    }

    /// What the expressions refer to.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut references: Vec<_> = self
            .expressions()
            .flat_map(Expression::references)
            .collect();
        references.sort();
        references.dedup();
        references
    }

    /// The value: that of the expression when the text is nothing else, text otherwise.
    ///
    /// # Errors
    /// [`EvaluateError`] when an expression has no value, or the text outgrows the limit.
    pub fn evaluate(&self, runtime: &dyn Runtime) -> Result<Value, EvaluateError> {
        if let Some(expression) = self.as_expression() {
            return expression.evaluate(runtime);
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Expression(expression) => {
                    text.push_str(&expression.evaluate(runtime)?.to_text());
                }
            }
            if text.len() > LIMIT_BYTES {
                return Err(EvaluateError::TooLarge);
            }
        }
        Ok(Value::text(text))
    }

    /// The text as it was written, blanks around expressions aside.
    #[must_use]
    pub fn source(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Expression(expression) => format!("{OPEN} {} {CLOSE}", expression.source()),
            })
            .collect()
    }
}
