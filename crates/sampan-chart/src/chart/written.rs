//! `Chart.yaml` and `Chart.lock` as Helm writes them: fields in the order of their names, empty ones left out.

use super::{Dependency, Lock, Maintainer, Metadata};
use crate::value::{Dict, Text, Value};
use crate::values::Tree;
use crate::{json, yaml};

/// Values with their names; what is empty is left out.
fn dict(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Dict {
    let fields = fields.into_iter().filter(|(_, value)| value.is_true());
    Dict::new(fields.map(|(name, value)| (Text::from(name), value)))
}

fn texts(texts: &[String]) -> Value {
    Value::list(texts.iter().map(|text| Value::text(text.as_str())))
}

/// A dependency; its name and repository are there even when they are empty.
pub(crate) fn dependency(one: &Dependency) -> Dict {
    let fields = dict([
        ("version", Value::text(one.version.as_str())),
        ("condition", Value::text(one.condition.as_str())),
        ("tags", texts(&one.tags)),
        ("enabled", Value::Bool(one.enabled)),
        (
            "import-values",
            Value::list(one.import_values.iter().map(Tree::to_value)),
        ),
        ("alias", Value::text(one.alias.as_str())),
    ]);
    fields.insert("name".into(), Value::text(one.name.as_str()));
    fields.insert("repository".into(), Value::text(one.repository.as_str()));
    fields
}

fn maintainer(one: &Maintainer) -> Value {
    Value::Dict(dict([
        ("name", Value::text(one.name.as_str())),
        ("email", Value::text(one.email.as_str())),
        ("url", Value::text(one.url.as_str())),
    ]))
}

impl Metadata {
    /// The fields of `Chart.yaml`.
    pub(crate) fn to_value(&self) -> Value {
        let text = |text: &str| Value::text(text);
        let dependencies = self.dependencies.iter().flatten();
        let annotations = self
            .annotations
            .iter()
            .map(|(key, value)| (key.as_str(), text(value)));
        Value::Dict(dict([
            ("name", text(&self.name)),
            ("home", text(&self.home)),
            ("sources", texts(&self.sources)),
            ("version", text(&self.version)),
            ("description", text(&self.description)),
            ("keywords", texts(&self.keywords)),
            (
                "maintainers",
                Value::list(self.maintainers.iter().map(maintainer)),
            ),
            ("icon", text(&self.icon)),
            ("apiVersion", text(&self.api_version)),
            ("condition", text(&self.condition)),
            ("tags", text(&self.tags)),
            ("appVersion", text(&self.app_version)),
            ("deprecated", Value::Bool(self.deprecated)),
            ("annotations", Value::dict(annotations)),
            ("kubeVersion", text(&self.kube_version)),
            (
                "dependencies",
                Value::list(dependencies.map(|one| Value::Dict(dependency(one)))),
            ),
            ("type", text(&self.kind)),
        ]))
    }

    /// The text of `Chart.yaml` as Helm writes it.
    #[must_use]
    pub fn to_yaml(&self) -> Vec<u8> {
        to_text(&self.to_value())
    }

    /// The same as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::encode(&self.to_value()).map_or_else(|_| Vec::new(), |text| text.to_vec())
    }
}

impl Lock {
    /// The text of `Chart.lock` as Helm writes it.
    #[must_use]
    pub fn to_yaml(&self) -> Vec<u8> {
        let dependencies = self.dependencies.iter();
        let value = Value::dict([
            (
                "dependencies",
                Value::list(dependencies.map(|one| Value::Dict(dependency(one)))),
            ),
            ("digest", Value::text(self.digest.as_str())),
            ("generated", Value::text(self.generated.as_str())),
        ]);
        to_text(&value)
    }
}

/// YAML with an end of line; what was read from a file can be written again.
fn to_text(value: &Value) -> Vec<u8> {
    let mut text = yaml::encode(value).map_or_else(|_| Vec::new(), |text| text.to_vec());
    if !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}
