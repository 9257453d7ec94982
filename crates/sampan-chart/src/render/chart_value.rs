//! `.Chart`: a struct of Go in Helm 3, a plain map in Helm 4.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::record::{Member, Record};
use crate::chart::{Dependency, Maintainer, Metadata};
use crate::compatibility::Compatibility;
use crate::value::{Dict, DictType, List, ListType, Text, Value};
use crate::values::Tree;

/// What templates see of a chart.
pub(super) fn of(metadata: &Metadata, is_root: bool, compatibility: Compatibility) -> Value {
    let fields = fields(metadata, compatibility);
    match compatibility {
        Compatibility::Helm3 => {
            let metadata = Value::Object(Rc::new(Record::new("chart.Metadata", members(fields))));
            let members = vec![
                Member::embedded("Metadata", metadata),
                Member::new("IsRoot", Value::Bool(is_root)),
            ];
            Value::Object(Rc::new(Record::new(
                "struct { chart.Metadata; IsRoot bool }",
                members,
            )))
        }
        Compatibility::Helm4 => {
            let map = map(fields);
            map.insert("IsRoot".into(), Value::Bool(is_root));
            Value::Dict(map)
        }
    }
}

/// A field: its name in Go, in JSON, and its value.
type Field = (&'static str, &'static str, Value);

fn members(fields: Vec<Field>) -> Vec<Member> {
    fields
        .into_iter()
        .map(|(name, json, value)| Member::optional(name, json, value))
        .collect()
}

fn map(fields: Vec<Field>) -> Dict {
    Dict::new(
        fields
            .into_iter()
            .map(|(name, _, value)| (Text::from(name), value)),
    )
}

fn fields(metadata: &Metadata, compatibility: Compatibility) -> Vec<Field> {
    let text = |text: &str| Value::text(text);
    let maintainers = metadata
        .maintainers
        .iter()
        .map(|one| maintainer(one, compatibility));
    let dependencies = metadata
        .dependencies
        .iter()
        .flatten()
        .map(|one| dependency(one, compatibility));
    vec![
        ("Name", "name", text(&metadata.name)),
        ("Home", "home", text(&metadata.home)),
        (
            "Sources",
            "sources",
            texts(&metadata.sources, compatibility),
        ),
        ("Version", "version", text(&metadata.version)),
        ("Description", "description", text(&metadata.description)),
        (
            "Keywords",
            "keywords",
            texts(&metadata.keywords, compatibility),
        ),
        (
            "Maintainers",
            "maintainers",
            or_nil(List::new(maintainers), compatibility),
        ),
        ("Icon", "icon", text(&metadata.icon)),
        ("APIVersion", "apiVersion", text(&metadata.api_version)),
        ("Condition", "condition", text(&metadata.condition)),
        ("Tags", "tags", text(&metadata.tags)),
        ("AppVersion", "appVersion", text(&metadata.app_version)),
        ("Deprecated", "deprecated", Value::Bool(metadata.deprecated)),
        (
            "Annotations",
            "annotations",
            Value::Dict(text_map(&metadata.annotations)),
        ),
        ("KubeVersion", "kubeVersion", text(&metadata.kube_version)),
        (
            "Dependencies",
            "dependencies",
            or_nil(List::new(dependencies), compatibility),
        ),
        ("Type", "type", text(&metadata.kind)),
    ]
}

fn maintainer(maintainer: &Maintainer, compatibility: Compatibility) -> Value {
    let fields = vec![
        ("Name", "name", Value::text(maintainer.name.as_str())),
        ("Email", "email", Value::text(maintainer.email.as_str())),
        ("URL", "url", Value::text(maintainer.url.as_str())),
    ];
    match compatibility {
        Compatibility::Helm3 => {
            Value::Object(Rc::new(Record::new("*chart.Maintainer", members(fields))))
        }
        Compatibility::Helm4 => Value::Dict(map(fields)),
    }
}

fn dependency(dependency: &Dependency, compatibility: Compatibility) -> Value {
    let imports = dependency.import_values.iter().map(import);
    let fields = vec![
        ("Name", "name", Value::text(dependency.name.as_str())),
        (
            "Version",
            "version",
            Value::text(dependency.version.as_str()),
        ),
        (
            "Repository",
            "repository",
            Value::text(dependency.repository.as_str()),
        ),
        (
            "Condition",
            "condition",
            Value::text(dependency.condition.as_str()),
        ),
        ("Tags", "tags", texts(&dependency.tags, compatibility)),
        ("Enabled", "enabled", Value::Bool(dependency.enabled)),
        (
            "ImportValues",
            "import-values",
            or_nil(List::new(imports), compatibility),
        ),
        ("Alias", "alias", Value::text(dependency.alias.as_str())),
    ];
    match compatibility {
        Compatibility::Helm4 => Value::Dict(map(fields)),
        Compatibility::Helm3 => {
            // JSON always shows these two.
            let members = fields.into_iter().map(|(name, json, value)| match json {
                "name" | "repository" => Member::always(name, json, value),
                _ => Member::optional(name, json, value),
            });
            Value::Object(Rc::new(Record::new("*chart.Dependency", members.collect())))
        }
    }
}

/// What is imported, once it has been looked at: two texts.
fn import(import: &Tree) -> Value {
    let Tree::Table(pair) = import else {
        return import.to_value();
    };
    let texts = pair
        .iter()
        .map(|(key, value)| (Text::from(key.as_str()), value.to_value()));
    Value::Dict(Dict::of(DictType::Text, texts))
}

fn texts(texts: &[String], compatibility: Compatibility) -> Value {
    let of = match compatibility {
        Compatibility::Helm3 => ListType::Text,
        Compatibility::Helm4 => ListType::Any,
    };
    let texts = texts.iter().map(|text| Value::text(text.as_str()));
    or_nil(List::of(of, texts), compatibility)
}

/// What a chart does not have is a nil slice in Helm 3, which is `null` in JSON, and an empty one in Helm 4.
fn or_nil(list: List, compatibility: Compatibility) -> Value {
    let is_nil = list.items().is_empty() && compatibility == Compatibility::Helm3;
    Value::List(if is_nil {
        List::nil(list.list_type())
    } else {
        list
    })
}

fn text_map(map: &BTreeMap<String, String>) -> Dict {
    if map.is_empty() {
        return Dict::nil(DictType::Text);
    }
    let entries = map
        .iter()
        .map(|(key, value)| (Text::from(key.as_str()), Value::text(value.as_str())));
    Dict::of(DictType::Text, entries)
}
