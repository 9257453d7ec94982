//! Kubernetes manifests: from an app's files to the objects of an environment.

use std::fmt;

use sampan_model::app::{App, Template, Values};
use sampan_model::yaml::{self, Content, Location, Node};
use serde_json::Value;

use crate::release::ManifestFile;
use crate::renderer::PrintedObject;

mod error;
mod images;
mod order;
mod render;
#[cfg(test)]
mod tests;

pub use error::ManifestError;
pub use images::{ImageName, ImageReference};
pub use render::{Rendering, render};
pub(crate) use render::{arrange, complete, objects};

/// A manifest as its file has it, with values still to be filled in.
#[derive(Debug, Clone)]
pub struct Manifest {
    node: Node,
}

impl Manifest {
    /// Where the manifest begins.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.node.location
    }
}

/// Names an object on a target.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// The namespace; none for objects of the whole cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectId {
    /// The group without the version; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The version without the group.
    #[must_use]
    pub fn version(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or(self.api_version.as_str(), |(_, version)| version)
    }

    /// Whether both name the same object, in whichever version of its group.
    #[must_use]
    pub fn same_object(&self, other: &Self) -> bool {
        self.group() == other.group()
            && self.kind == other.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// An object as an environment shall have it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Its name on the target.
    pub id: ObjectId,
    /// Where its manifest stands, for messages.
    pub location: String,
    /// The object.
    pub body: Value,
    /// Whether it is left as it is when it is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unless_there: bool,
}

/// Reads the manifests of an app, in the order of the files; items of a `List` stand for themselves.
///
/// # Errors
/// [`ManifestError`] when a file is not YAML or a document is no Kubernetes object.
pub fn parse(files: &[ManifestFile]) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    for file in files {
        let documents = yaml::documents(&file.path, &file.text)?;
        for document in documents {
            collect(document, &mut manifests)?;
        }
    }
    if manifests.is_empty() {
        return Err(ManifestError::None {
            files: files.iter().map(|file| file.path.clone()).collect(),
        });
    }
    Ok(manifests)
}

/// The objects in a text that was rendered before and holds no `${…}`; items of a `List` stand for themselves. `shown` is
/// its name for messages.
pub(crate) fn printed(shown: &str, text: &str) -> Result<Vec<PrintedObject>, ManifestError> {
    let mut manifests = Vec::new();
    for document in yaml::documents(shown, text)? {
        collect(document, &mut manifests)?;
    }
    let printed = manifests.iter().map(|manifest| PrintedObject {
        location: manifest.location().to_string(),
        body: manifest.node.to_json(),
    });
    Ok(printed.collect())
}

/// Every image that any environment of the app would run, each once, with the first place that names it.
///
/// # Errors
/// [`ManifestError`] when a value is used that the app does not declare, or an image's name depends on a value that no
/// environment gives.
pub fn images(app: &App, manifests: &[Manifest]) -> Result<Vec<ImageReference>, ManifestError> {
    check(manifests, &app.declared_values())?;
    let mut variants = Vec::new();
    for (name, environment) in &app.environments {
        variants.push(app.values_of(name, environment, app.namespace_of(environment)));
    }
    if variants.is_empty() {
        variants.push(app.declared_values());
    }
    let mut found: Vec<ImageReference> = Vec::new();
    for values in &variants {
        for manifest in manifests {
            images::collect(&manifest.node, values, &mut found)?;
        }
    }
    Ok(found)
}

/// Checks that all names in `${…}` are declared.
///
/// # Errors
/// [`ManifestError::Template`] at the first that is not.
pub fn check(manifests: &[Manifest], declared: &Values) -> Result<(), ManifestError> {
    manifests
        .iter()
        .try_for_each(|manifest| check_node(&manifest.node, declared))
}

fn check_node(node: &Node, declared: &Values) -> Result<(), ManifestError> {
    match &node.content {
        Content::String(text, _) => Template::parse(text)
            .and_then(|template| template.check(declared))
            .map_err(|error| ManifestError::template(&node.location, error)),
        Content::Sequence(items) => items.iter().try_for_each(|item| check_node(item, declared)),
        Content::Mapping(entries) => entries
            .iter()
            .try_for_each(|(_, value)| check_node(value, declared)),
        Content::Null | Content::Bool(_) | Content::Number(_) => Ok(()),
    }
}

fn collect(document: Node, manifests: &mut Vec<Manifest>) -> Result<(), ManifestError> {
    if !matches!(document.content, Content::Mapping(_)) {
        return Err(ManifestError::NotAnObject {
            location: document.location.clone(),
            found: document.type_name(),
        });
    }
    let kind = required(&document, "kind", "")?;
    required(&document, "apiVersion", "")?;
    if kind == "List" {
        let items = document.get("items").map(|items| items.content.clone());
        return match items {
            Some(Content::Sequence(items)) => items
                .into_iter()
                .try_for_each(|item| collect(item, manifests)),
            _ => Ok(()),
        };
    }
    let metadata = document
        .get("metadata")
        .ok_or_else(|| missing(&document, "metadata"))?;
    required(metadata, "name", "metadata.")?;
    manifests.push(Manifest { node: document });
    Ok(())
}

fn required<'a>(node: &'a Node, key: &str, prefix: &str) -> Result<&'a str, ManifestError> {
    let value = node
        .get(key)
        .ok_or_else(|| missing(node, &format!("{prefix}{key}")))?;
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| ManifestError::NotText {
            location: value.location.clone(),
            key: format!("{prefix}{key}"),
            found: value.type_name(),
        })
}

fn missing(node: &Node, key: &str) -> ManifestError {
    let keys: Vec<&str> = match &node.content {
        Content::Mapping(entries) => entries.iter().map(|(key, _)| key.name.as_str()).collect(),
        _ => Vec::new(),
    };
    let last = key.rsplit('.').next().unwrap_or(key);
    ManifestError::Missing {
        location: node.location.clone(),
        key: key.to_owned(),
        near: sampan_model::nearest(last, keys).map(str::to_owned),
    }
}
