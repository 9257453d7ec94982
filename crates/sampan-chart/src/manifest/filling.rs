//! Values filled into manifests of apps, with all places kept.

use sampan_model::app::{Template, TemplateError, Values};
use sampan_model::yaml::{Content, Location, Node, ScalarStyle, Written};
use serde_json::Value;

/// Fills values into a document. Text whose value nobody has given stays as it is written.
///
/// What is filled in stands where the text stood that named it.
pub fn fill(node: &Node, values: &Values, problems: &mut Vec<(Location, TemplateError)>) -> Node {
    let content = match &node.content {
        Content::String(text, style) if text.contains("${") => match filled(text, *style, values) {
            Ok(value) => from_json(value, &node.location),
            Err(error) => {
                if !matches!(error, TemplateError::NotGiven(_)) {
                    problems.push((node.location.clone(), error));
                }
                node.content.clone()
            }
        },
        Content::Sequence(items) => Content::Sequence(
            items
                .iter()
                .map(|item| fill(item, values, problems))
                .collect(),
        ),
        Content::Mapping(entries) => {
            let entries = entries.iter();
            Content::Mapping(
                entries
                    .map(|(key, value)| (key.clone(), fill(value, values, problems)))
                    .collect(),
            )
        }
        plain => plain.clone(),
    };
    Node {
        location: node.location.clone(),
        content,
    }
}

/// Without quotes, a lone `${x}` takes the value with its type.
fn filled(text: &str, style: ScalarStyle, values: &Values) -> Result<Value, TemplateError> {
    let template = Template::parse(text)?;
    match style {
        ScalarStyle::Plain => template.resolve(values),
        ScalarStyle::Text => template.render(values).map(Value::String),
    }
}

fn from_json(value: Value, location: &Location) -> Content {
    let node = |value| Node {
        location: location.clone(),
        content: from_json(value, location),
    };
    match value {
        Value::Null => Content::Null,
        Value::Bool(value) => Content::Bool(Written {
            value,
            text: value.to_string(),
        }),
        Value::Number(value) => Content::Number(Written {
            text: value.to_string(),
            value,
        }),
        Value::String(text) => Content::String(text, ScalarStyle::Text),
        Value::Array(items) => Content::Sequence(items.into_iter().map(node).collect()),
        Value::Object(entries) => {
            let key = |name| sampan_model::yaml::Key {
                name,
                location: location.clone(),
            };
            Content::Mapping(
                entries
                    .into_iter()
                    .map(|(name, value)| (key(name), node(value)))
                    .collect(),
            )
        }
    }
}
