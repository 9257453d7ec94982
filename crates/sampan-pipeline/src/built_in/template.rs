//! Templates of messages: Handlebars as the plugins of Drone render it.
//!
//! Those plugins use the Go library raymond with helpers of their own, and what they print differs from other
//! implementations: names are looked for in outer contexts as well, fields of records are found whatever the case of
//! their first letter, a helper that gets the wrong number of parameters is an error, lines that hold only a block's tag
//! vanish. No library for Rust does all of it, so this is an engine of its own; it has no partials and no raw blocks,
//! which no plugin offers.
//!
//! Sources: the documentation of Handlebars and of Drone's template library; raymond's behaviour, tried out.

use std::collections::BTreeMap;
use std::sync::Arc;

use sampan_model::Hint;

mod evaluate;
mod lexer;
mod library;
mod parser;
mod text;
mod tree;
mod whitespace;

/// The longest template that is read, and the longest text that one makes.
pub const LIMIT_BYTES: usize = 1 << 20;
/// How deep blocks and parentheses may stand within each other.
const LIMIT_DEPTH: usize = 64;

/// Why a template cannot be rendered; lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is not Handlebars.
    #[error("line {line} of the template: {problem}")]
    Syntax {
        /// The line.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A helper cannot do its work.
    #[error("line {line} of the template: the helper `{helper}` {problem}")]
    Helper {
        /// The line.
        line: usize,
        /// The helper.
        helper: String,
        /// What is wrong, as the rest of a sentence.
        problem: String,
    },
    /// The template or its text is longer than [`LIMIT_BYTES`].
    #[error("the template, or the text that it makes, has more than {LIMIT_BYTES} bytes")]
    TooLong,
    /// The template asks for more work than a message is worth.
    #[error("the template takes too many steps; long texts and lists count as several")]
    TooMuchWork,
}

impl Hint for TemplateError {}

/// A value that templates work with.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Nothing,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A number with a fraction, as templates can write it.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Named values.
    Record(Arc<Record>),
}

/// Named values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// The values. The names of a Go struct's fields begin with a capital; templates may write a small letter.
    pub fields: Vec<(String, Value)>,
    /// What the record is when it is printed as a whole.
    pub text: Option<String>,
}

impl Value {
    /// A record of named values.
    #[must_use]
    pub fn record<const N: usize>(fields: [(&str, Value); N]) -> Self {
        Self::printed(fields, None)
    }

    /// A record that is printed as a text.
    #[must_use]
    pub fn printed<const N: usize>(fields: [(&str, Value); N], text: Option<String>) -> Self {
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
        Self::Record(Arc::new(Record { fields, text }))
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// What templates can ask for beside their values.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The time, in seconds since 1970.
    pub now: i64,
    /// The environment of the plugin.
    pub environment: &'a BTreeMap<String, String>,
}

/// What a helper does.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// It gives a value.
    Value(Value),
    /// It has its block rendered, or what stands behind `else`.
    Choose(bool),
    /// It has its block rendered with a value in place of the context, or what stands behind `else` when that is empty.
    With(Value),
    /// It has its block rendered for each item.
    Each(Value),
    /// It has its block rendered and encodes the text for addresses.
    Encode,
}

/// The parameters of a helper: those by place, and those by name.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    /// By place.
    pub places: &'a [Value],
    /// By name.
    pub names: &'a BTreeMap<String, Value>,
}

/// Gives the effect of a helper by its name; `None` when there is no such helper, an error as the rest of a sentence.
pub type Helpers<'a> = dyn Fn(&str, Arguments<'_>) -> Option<Result<Effect, String>> + 'a;

/// Renders a template with the helpers of Drone's plugins.
///
/// # Errors
/// [`TemplateError`].
pub fn render(
    template: &str,
    context: &Value,
    surroundings: Surroundings<'_>,
) -> Result<String, TemplateError> {
    render_with(template, context, &|name, arguments| {
        library::of_drone(name, arguments, surroundings)
    })
}

/// Renders a template with other helpers.
///
/// # Errors
/// [`TemplateError`].
pub fn render_with(
    template: &str,
    context: &Value,
    helpers: &Helpers<'_>,
) -> Result<String, TemplateError> {
    if template.len() > LIMIT_BYTES {
        return Err(TemplateError::TooLong);
    }
    let mut program = parser::parse(template)?;
    whitespace::control(&mut program);
    evaluate::evaluate(&program, context, helpers)
}
