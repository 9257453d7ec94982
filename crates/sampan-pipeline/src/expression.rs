//! GitHub's expression language: what stands between `${{` and `}}`, and behind `if:`.
//!
//! A text is parsed once, against a [`Scope`] that says which contexts and functions may be named where it stands, and
//! carried out as often as needed against a [`Runtime`] that knows their values. Semantics follow the runner
//! (`actions/runner`, `src/Sdk/Expressions`): loose comparison, texts compared without regard to case, numbers with 15
//! digits. Input is untrusted: length, depth and memory are bounded.

mod casing;
mod error;
mod evaluate;
mod functions;
mod json;
mod lexer;
mod number;
mod parse;
mod scope;
mod text;
mod tree;
mod value;

use std::sync::Arc;

pub use error::{EvaluateError, ParseError};
pub use evaluate::Runtime;
pub use scope::{Scope, StatusFunction, StatusFunctions};
pub use text::{Text, TextError};
pub use tree::Reference;
pub use value::{Object, Value};

/// The longest expression that is read, in characters; GitHub's own limit.
pub const LIMIT_CHARACTERS: usize = 21_000;
/// How deep operators and calls may nest; GitHub's own limit.
pub const LIMIT_DEPTH: usize = 50;
/// How many bytes one evaluation may make; GitHub's own limit for a workflow.
pub const LIMIT_BYTES: usize = 10 << 20;

/// An expression that was parsed.
#[derive(Debug, Clone)]
pub struct Expression {
    source: Arc<str>,
    /// Nothing but blanks has no root; it stands for null.
    root: Option<tree::Node>,
}

impl Expression {
    /// Parses the text of an expression, without `${{` and `}}`.
    ///
    /// # Errors
    /// [`ParseError`] when the text is no expression, or names what `scope` does not have.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, ParseError> {
        Ok(Self {
            source: Arc::from(text.trim()),
            root: parse::parse(text, scope)?,
        })
    }

    /// The expression as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value of the expression.
    ///
    /// # Errors
    /// [`EvaluateError`] when a function refuses its arguments, or the result outgrows [`LIMIT_BYTES`].
    pub fn evaluate(&self, runtime: &dyn Runtime) -> Result<Value, EvaluateError> {
        match &self.root {
            Some(root) => evaluate::evaluate(root, runtime),
            None => Ok(Value::Null),
        }
    }

    /// Whether the expression asks for a status. A condition that does not is only looked at after success.
    #[must_use]
    pub fn asks_for_status(&self) -> bool {
        self.root.as_ref().is_some_and(tree::Node::asks_for_status)
    }

    /// Whether the expression looks at files.
    #[must_use]
    pub fn asks_for_files(&self) -> bool {
        self.root.as_ref().is_some_and(tree::Node::asks_for_files)
    }

    /// What the expression refers to: each context with the property that is asked of it.
    #[must_use]
    pub fn references(&self) -> Vec<Reference> {
        let mut references = Vec::new();
        if let Some(root) = &self.root {
            root.collect_references(&mut references);
        }
        references.sort();
        references.dedup();
        references
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Expression {}
