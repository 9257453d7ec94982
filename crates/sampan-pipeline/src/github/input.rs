//! Inputs of workflows that people start or other workflows call.

use sampan_model::yaml::{Location, Node};

use super::{field, scalar, scope};
use crate::PipelineError;
use crate::expression::Value;
use crate::graph::Text;
use crate::read::{Fields, wrong_type};

/// An input of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub location: Location,
    /// What it takes.
    pub kind: InputKind,
    /// Whether it must be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Text>,
}

/// What an input takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// Any text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// The name of an environment.
    Environment,
    /// One of some texts.
    Choice(Vec<String>),
}

impl InputKind {
    /// The value that a text stands for.
    ///
    /// # Errors
    /// What is taken instead, as a sentence without a full stop.
    pub fn value(&self, text: &str) -> Result<Value, String> {
        match self {
            Self::String | Self::Environment => Ok(Value::text(text)),
            Self::Boolean => match text {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err("it takes `true` or `false`".to_owned()),
            },
            Self::Number => {
                let number = Value::text(text).to_number();
                if number.is_nan() || text.trim().is_empty() {
                    Err("it takes a number".to_owned())
                } else {
                    Ok(Value::Number(number))
                }
            }
            Self::Choice(options) if options.iter().any(|option| option == text) => {
                Ok(Value::text(text))
            }
            Self::Choice(options) => Err(format!("it takes one of {}", options.join(", "))),
        }
    }

    /// What the input is when neither a value nor a default is given.
    #[must_use]
    pub fn nothing(&self) -> Value {
        match self {
            Self::Boolean => Value::Boolean(false),
            Self::Number => Value::Number(0.0),
            Self::String | Self::Environment => Value::text(""),
            Self::Choice(options) => options.first().map_or_else(|| Value::text(""), Value::text),
        }
    }
}

/// The inputs of `workflow_dispatch`, of which all may be texts, or of `workflow_call`, which must name their type.
pub(super) fn inputs(node: &Node, what: &str, call: bool) -> Result<Vec<Input>, PipelineError> {
    let mut inputs = Vec::new();
    let mut errors = Vec::new();
    for (key, node) in Fields::of(node, what)?.entries() {
        match input(&key.name, node, &key.location, call) {
            Ok(input) => inputs.push(input),
            Err(error) => errors.push(error),
        }
    }
    PipelineError::join(errors)?;
    Ok(inputs)
}

fn input(name: &str, node: &Node, location: &Location, call: bool) -> Result<Input, PipelineError> {
    let fields = Fields::of(node, format!("the input `{name}`"))?;
    let what = fields.within().to_owned();
    let options = fields.read("options", field::plain_list)?;
    let described = if call {
        Some(fields.require("type", field::plain)?)
    } else {
        fields.read("type", field::plain)?
    };
    let invalid = |value: String, hint: &str| PipelineError::InvalidValue {
        location: fields
            .get("type")
            .map_or_else(|| location.clone(), |node| node.location.clone()),
        what: format!("type for {what}"),
        value,
        hint: Some(hint.to_owned()),
    };
    let kind = match described.as_deref() {
        None | Some("string") => InputKind::String,
        Some("boolean") => InputKind::Boolean,
        Some("number") => InputKind::Number,
        Some("environment") if !call => InputKind::Environment,
        Some("choice") if !call => InputKind::Choice(options.clone().unwrap_or_default()),
        Some(other) if call => {
            return Err(invalid(other.to_owned(), "it is string, boolean or number"));
        }
        Some(other) => {
            let hint = "it is string, boolean, number, choice or environment";
            return Err(invalid(other.to_owned(), hint));
        }
    };
    if kind == InputKind::Choice(Vec::new()) {
        return Err(PipelineError::MissingKey {
            location: location.clone(),
            within: what,
            key: "options",
        });
    }
    let required = fields.read("required", flag)?.unwrap_or(false);
    fields.read("description", field::plain)?;
    fields.read("deprecationMessage", field::plain)?;
    let default = fields.read("default", |node, what| default(node, what, &kind, call))?;
    fields.finish()?;
    Ok(Input {
        name: name.to_owned(),
        location: location.clone(),
        kind,
        required,
        default,
    })
}

fn default(node: &Node, what: &str, kind: &InputKind, call: bool) -> Result<Text, PipelineError> {
    let text = if call {
        field::text(node, what, &scope::WORKFLOW)?
    } else {
        Text::Now(field::plain(node, what)?)
    };
    if let Some(known) = text.now() {
        // A default that is empty counts as none.
        if let Err(hint) = kind.value(known)
            && !known.is_empty()
        {
            return Err(PipelineError::InvalidValue {
                location: node.location.clone(),
                what: what.to_owned(),
                value: known.clone(),
                hint: Some(hint),
            });
        }
    }
    Ok(text)
}

/// `true` or `false` where expressions are not allowed.
pub(super) fn flag(node: &Node, what: &str) -> Result<bool, PipelineError> {
    match scalar::value(node).to_text().as_ref() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong_type(node, what, "`true` or `false`")),
    }
}
