//! `Chart.yaml`: what a chart says about itself.
//!
//! Source: Helm, "The Chart.yaml File"; the order of the fields, what is left out and what is refused are those of
//! Helm's `chart.Metadata`, so that the configuration of a chart has the same digest whoever stores it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::version::Version;

/// What a chart says about itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) home: String,
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    pub(crate) sources: Vec<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    keywords: Vec<String>,
    #[serde(deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub(crate) maintainers: Vec<Maintainer>,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    icon: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) api_version: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    condition: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    tags: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    app_version: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deprecated: bool,
    #[serde(deserialize_with = "words", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    kube_version: String,
    #[serde(deserialize_with = "list", skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(
        rename = "type",
        deserialize_with = "text",
        skip_serializing_if = "String::is_empty"
    )]
    kind: String,
}

/// Who looks after a chart.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Maintainer {
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub(crate) email: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    url: String,
}

/// A chart that a chart needs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Dependency {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(deserialize_with = "text")]
    repository: String,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    condition: String,
    #[serde(deserialize_with = "texts", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enabled: bool,
    #[serde(
        rename = "import-values",
        deserialize_with = "list",
        skip_serializing_if = "Vec::is_empty"
    )]
    import_values: Vec<Value>,
    #[serde(deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    alias: String,
}

/// Why a chart's description of itself is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    /// A field has a value of another type.
    #[error("Chart.yaml is not what Helm expects")]
    Fields(#[source] serde_json::Error),
    /// A field is missing.
    #[error("chart.metadata.{field} is required")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field does not fit.
    #[error("chart.metadata.{field} `{value}` is invalid")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it says.
        value: String,
    },
    /// Two dependencies have the same name.
    #[error("more than one dependency with name or alias `{name}`")]
    Ambiguous {
        /// The name.
        name: String,
    },
}

impl Metadata {
    /// Reads a description of itself that a chart brings along. One without a version of its form has the first one.
    pub(crate) fn of_chart(value: Value) -> Result<Self, MetadataError> {
        let mut metadata: Self = serde_json::from_value(value).map_err(MetadataError::Fields)?;
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
        metadata.validated()
    }

    /// Cleans the texts and checks what Helm checks.
    pub(crate) fn validated(mut self) -> Result<Self, MetadataError> {
        self.clean();
        let required = [
            ("apiVersion", &self.api_version),
            ("name", &self.name),
            ("version", &self.version),
        ];
        if let Some((field, _)) = required.into_iter().find(|(_, text)| text.is_empty()) {
            return Err(MetadataError::Missing { field });
        }
        let is_file_name =
            !self.name.contains(['/', '\\']) && self.name != "." && self.name != "..";
        let is_alias = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        let checks = [
            ("name", &self.name, is_file_name),
            (
                "version",
                &self.version,
                Version::parse(&self.version).is_some(),
            ),
            (
                "type",
                &self.kind,
                matches!(self.kind.as_str(), "" | "application" | "library"),
            ),
        ];
        let aliases = self.dependencies.iter().map(|dependency| {
            (
                "dependencies.alias",
                &dependency.alias,
                is_alias(&dependency.alias),
            )
        });
        if let Some((field, value, _)) =
            checks.into_iter().chain(aliases).find(|(_, _, fits)| !fits)
        {
            let value = value.clone();
            return Err(MetadataError::Invalid { field, value });
        }
        let mut seen = BTreeSet::new();
        for dependency in &self.dependencies {
            let alias = (!dependency.alias.is_empty()).then_some(&dependency.alias);
            let name = alias.unwrap_or(&dependency.name);
            if !seen.insert(name) {
                return Err(MetadataError::Ambiguous { name: name.clone() });
            }
        }
        Ok(self)
    }

    /// The JSON that Helm stores as the configuration of the chart, byte for byte.
    pub(crate) fn to_config(&self) -> Vec<u8> {
        let json = serde_json::to_string(self).expect("texts have a JSON form");
        // Go writes JSON so that it can stand in HTML. These characters stand in texts only.
        let mut config = String::with_capacity(json.len());
        for character in json.chars() {
            match character {
                '<' => config.push_str("\\u003c"),
                '>' => config.push_str("\\u003e"),
                '&' => config.push_str("\\u0026"),
                '\u{2028}' => config.push_str("\\u2028"),
                '\u{2029}' => config.push_str("\\u2029"),
                other => config.push(other),
            }
        }
        config.into_bytes()
    }

    /// Helm takes out what cannot be printed, and makes every space a plain one.
    fn clean(&mut self) {
        let singles = [
            &mut self.name,
            &mut self.home,
            &mut self.description,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ];
        let maintainers = self.maintainers.iter_mut();
        let maintainers = maintainers.flat_map(|maintainer| {
            [
                &mut maintainer.name,
                &mut maintainer.email,
                &mut maintainer.url,
            ]
        });
        let dependencies = self.dependencies.iter_mut().flat_map(|dependency| {
            let Dependency {
                name,
                version,
                repository,
                condition,
                tags,
                ..
            } = dependency;
            [name, version, repository, condition]
                .into_iter()
                .chain(tags)
        });
        let texts = singles
            .into_iter()
            .chain(&mut self.sources)
            .chain(&mut self.keywords);
        for text in texts.chain(maintainers).chain(dependencies) {
            if text
                .chars()
                .any(|character| character.is_control() || character.is_whitespace())
            {
                *text = text.chars().filter_map(printable).collect();
            }
        }
    }
}

fn printable(character: char) -> Option<char> {
    if character.is_whitespace() {
        return Some(' ');
    }
    (!character.is_control()).then_some(character)
}

/// A text; what YAML takes for a number or a truth value is one, too, in the form in which Go writes it.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    written(Value::deserialize(deserializer)?)
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let values: Option<Vec<Value>> = Option::deserialize(deserializer)?;
    values
        .unwrap_or_default()
        .into_iter()
        .map(written)
        .collect()
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let values: Option<BTreeMap<String, Value>> = Option::deserialize(deserializer)?;
    let values = values.unwrap_or_default().into_iter();
    values
        .map(|(key, value)| Ok((key, written(value)?)))
        .collect()
}

/// A list; nothing is an empty one.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn written<E: serde::de::Error>(value: Value) -> Result<String, E> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        Value::Bool(bool) => Ok(bool.to_string()),
        Value::Number(number) => Ok(match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float.to_string(),
            None => number.to_string(),
        }),
        Value::Array(_) | Value::Object(_) => {
            Err(E::custom("a list or mapping where text is expected"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_configuration_is_what_helm_writes() {
        let chart = json!({
            "version": "1.2.3", "name": "web", "appVersion": 1.10, "apiVersion": "v2",
            "description": "a <b> &\tc\u{7}", "keywords": null, "annotations": {"z": 1, "a": true},
            "dependencies": [{"name": "db"}], "unknown": {}, "deprecated": false,
        });
        let config = Metadata::of_chart(chart).unwrap().to_config();
        assert_eq!(
            String::from_utf8(config).unwrap(),
            r#"{"name":"web","version":"1.2.3","description":"a \u003cb\u003e \u0026 c","apiVersion":"v2","appVersion":"1.1","annotations":{"a":"true","z":"1"},"dependencies":[{"name":"db","repository":""}]}"#
        );
    }

    #[test]
    fn what_helm_refuses_is_refused() {
        let refused = |chart| Metadata::of_chart(chart).unwrap_err().to_string();
        for (chart, expected) in [
            (
                json!({"version": "1.0.0"}),
                "chart.metadata.name is required",
            ),
            (json!({"name": "a"}), "chart.metadata.version is required"),
            (
                json!({"name": "a/b", "version": "1.0.0"}),
                "chart.metadata.name `a/b` is invalid",
            ),
            (
                json!({"name": "..", "version": "1.0.0"}),
                "chart.metadata.name `..` is invalid",
            ),
            (
                json!({"name": "a", "version": "one"}),
                "chart.metadata.version `one` is invalid",
            ),
            (
                json!({"name": "a", "version": "1", "type": "x"}),
                "chart.metadata.type `x` is invalid",
            ),
            (
                json!({"name": ["a"]}),
                "Chart.yaml is not what Helm expects",
            ),
            (json!(null), "Chart.yaml is not what Helm expects"),
            (
                json!({"name": "a", "version": "1", "dependencies": [{"name": "b"}, {"name": "c", "alias": "b"}]}),
                "more than one dependency with name or alias `b`",
            ),
        ] {
            assert_eq!(refused(chart), expected);
        }
        assert_eq!(
            Metadata::of_chart(json!({"name": "a", "version": 1}))
                .unwrap()
                .api_version,
            "v1"
        );
    }
}
