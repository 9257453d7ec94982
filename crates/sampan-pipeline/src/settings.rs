//! Settings of plugins: read from YAML, written into the environment as `PLUGIN_…`.

use sampan_model::yaml::{Content, Node};
use serde_json::{Number, Value};

use crate::PipelineError;
use crate::graph::{SecretUse, Setting};
use crate::read::Fields;

/// Where `from_secret` stands for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FromSecret {
    /// Nowhere; it is a setting like any other.
    Never,
    /// In place of a whole setting.
    Whole,
    /// Also within lists and mappings.
    Anywhere,
}

/// A setting as the file has it.
pub(crate) fn setting(node: &Node, secrets: FromSecret) -> Result<Setting, PipelineError> {
    if secrets != FromSecret::Never
        && let Some(secret) = from_secret(node, "the setting")?
    {
        return Ok(Setting::Secret(secret));
    }
    let within = match secrets {
        FromSecret::Anywhere => FromSecret::Anywhere,
        FromSecret::Never | FromSecret::Whole => FromSecret::Never,
    };
    Ok(match &node.content {
        Content::Null => Setting::Null,
        Content::Bool(value) => Setting::Bool(value.value),
        Content::Number(value) => Setting::Number(value.value.clone()),
        Content::String(text, _) => Setting::String(text.clone()),
        Content::Sequence(items) => {
            let items = items.iter().map(|item| setting(item, within));
            Setting::List(items.collect::<Result<_, _>>()?)
        }
        Content::Mapping(entries) => {
            let entries = entries
                .iter()
                .map(|(key, node)| Ok((key.name.clone(), setting(node, within)?)));
            Setting::Map(entries.collect::<Result<_, PipelineError>>()?)
        }
    })
}

/// The secret that a mapping `{from_secret: NAME}` names.
pub(crate) fn from_secret(node: &Node, what: &str) -> Result<Option<SecretUse>, PipelineError> {
    if node.get("from_secret").is_none() {
        return Ok(None);
    }
    let fields = Fields::of(node, what)?;
    let name = fields.require("from_secret", crate::read::text)?;
    fields.finish()?;
    Ok(Some(SecretUse {
        name,
        location: node.location.clone(),
        otherwise: None,
        required: false,
    }))
}

/// The name of a setting's variable.
pub(crate) fn variable_name(setting: &str) -> String {
    format!("PLUGIN_{}", setting.to_uppercase())
}

/// A setting with secrets inside as text, once they are known; `None` for nothing.
///
/// A list in which a secret stands by itself counts as a list of mappings, as in Woodpecker.
pub fn encoded_with(setting: &Setting, secret: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let value = setting.resolve(secret);
    match setting {
        Setting::List(items) if items.iter().any(|item| matches!(item, Setting::Secret(_))) => {
            Some(json(&value))
        }
        _ => encoded(&value),
    }
}

/// A setting as text, the way Drone writes it: lists of scalars joined by commas, other lists and mappings as JSON;
/// `None` for nothing.
#[must_use]
pub fn encoded(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Array(items) => match items.iter().map(scalar).collect::<Option<Vec<_>>>() {
            Some(texts) => texts.join(","),
            None => json(value),
        },
        Value::Object(_) => json(value),
        other => scalar(other)?,
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(go_number(number)),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number as Go's `%v` writes it: with an exponent of two digits and a sign beyond 21 digits.
fn go_number(number: &Number) -> String {
    let Some(value) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent
            .strip_prefix('-')
            .map_or(('+', exponent), |exponent| ('-', exponent));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    value.to_string()
}

/// JSON as Go writes it: keys in order, and `<`, `>`, `&` escaped.
fn json(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use sampan_model::yaml;

    use super::{FromSecret, encoded, encoded_with, setting};

    #[test]
    fn secrets_are_put_in() {
        let secret = |name: &str| (name == "a").then(|| "\"".to_owned());
        for (text, expected) in [
            ("{from_secret: a}", Some("\"")),
            ("{from_secret: b}", None),
            ("[x, {from_secret: a}]", Some(r#"["x","\""]"#)),
            ("{x: {from_secret: b}}", Some(r#"{"x":null}"#)),
            ("[x, y]", Some("x,y")),
        ] {
            let nodes = yaml::documents("x.yml", text).expect("the text is YAML");
            let setting = setting(&nodes[0], FromSecret::Anywhere).expect("it is a setting");
            assert_eq!(
                encoded_with(&setting, &secret).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn settings_become_text() {
        for (value, expected) in [
            (json!(null), None),
            (json!(true), Some("true")),
            (json!(3), Some("3")),
            (json!(1.5), Some("1.5")),
            (json!(1e21), Some("1e+21")),
            (json!(0.000_01), Some("1e-05")),
            (json!("a b"), Some("a b")),
            (json!([]), Some("")),
            (json!(["a", 1, true, 1.25]), Some("a,1,true,1.25")),
            (json!([["a"]]), Some(r#"[["a"]]"#)),
            (
                json!([{"b": 1, "a": "<&>"}]),
                Some(r#"[{"a":"\u003c\u0026\u003e","b":1}]"#),
            ),
            (
                json!({"z": [1, null], "a": {}}),
                Some(r#"{"a":{},"z":[1,null]}"#),
            ),
        ] {
            assert_eq!(encoded(&value).as_deref(), expected, "{value}");
        }
    }
}
