//! Where an object names images.

use std::fmt;

use sampan_model::yaml::{Content, Key, Node};
use sampan_oci::Reference;

use super::appearance::{image, is_called_image, within};
use crate::check::object::Object;
use crate::check::pod::Container;

/// An image that an object names.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// As it is written, or put together from registry, repository and tag.
    pub image: String,
    /// What it means.
    pub reference: Reference,
    /// The node that names it.
    pub node: &'a Node,
    /// What that node is.
    pub spot: Spot,
}

/// What names an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// A container of that name.
    Container(String),
    /// A volume of that name.
    Volume(String),
    /// A field of a custom resource.
    Field(String),
    /// An argument of a container.
    Argument(String),
    /// A variable of a container.
    Variable(String),
    /// A key of a ConfigMap or Secret.
    Setting(String),
}

impl Spot {
    /// Whether whatever is named there is an image.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.is_container() || matches!(self, Self::Field(_))
    }

    /// Whether Kubernetes itself fetches what is named there.
    #[must_use]
    pub fn is_container(&self) -> bool {
        matches!(self, Self::Container(_) | Self::Volume(_))
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(name) => write!(f, "container `{name}`"),
            Self::Volume(name) => write!(f, "volume `{name}`"),
            Self::Field(name) => write!(f, "field `{name}`"),
            Self::Argument(container) => write!(f, "argument of `{container}`"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Setting(key) => write!(f, "setting `{key}`"),
        }
    }
}

/// All images that an object names.
#[must_use]
pub fn uses_of(object: &Object) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    match (object.kind.as_str(), object.pod()) {
        ("ConfigMap", _) => settings(object.at(&["data"]), &mut found),
        ("Secret", _) => settings(object.at(&["stringData"]), &mut found),
        ("CustomResourceDefinition", _) => {}
        (_, Some(_)) => workload(object, &mut found),
        _ if is_custom(object.group()) => fields(&object.root, &mut found),
        _ => {}
    }
    found
}

/// Whether a group is none of Kubernetes itself.
fn is_custom(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

fn workload<'a>(object: &'a Object, found: &mut Vec<Found<'a>>) {
    let Some(pod) = object.pod() else { return };
    let ephemeral = pod
        .spec
        .get("ephemeralContainers")
        .map_or(&[][..], Node::items);
    for node in pod
        .containers()
        .map(|container| container.node)
        .chain(ephemeral)
    {
        let name = node.get("name").and_then(Node::scalar).unwrap_or_default();
        push(found, node.get("image"), Spot::Container(name.to_owned()));
    }
    for volume in pod.volumes() {
        let name = volume
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default();
        push(
            found,
            volume.at(&["image", "reference"]),
            Spot::Volume(name.to_owned()),
        );
    }
    for container in pod.containers() {
        guesses(&container, found);
    }
    if is_custom(object.group()) {
        fields(&object.root, found);
    }
}

fn push<'a>(found: &mut Vec<Found<'a>>, node: Option<&'a Node>, spot: Spot) {
    if let Some(text) = node.and_then(Node::scalar)
        && let Ok(reference) = text.parse()
        && let Some(node) = node
    {
        found.push(Found {
            image: text.to_owned(),
            reference,
            node,
            spot,
        });
    }
}

fn guess<'a>(found: &mut Vec<Found<'a>>, (name, text): (&str, &str), node: &'a Node, spot: Spot) {
    if let Some(reference) = image(name, text) {
        found.push(Found {
            image: text.to_owned(),
            reference,
            node,
            spot,
        });
    }
}

fn guesses<'a>(container: &Container<'a>, found: &mut Vec<Found<'a>>) {
    for variable in container.env() {
        let name = variable
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default();
        if let Some(value) = variable.at(&["value"]) {
            guess(
                found,
                (name, value.scalar().unwrap_or_default()),
                value,
                Spot::Variable(name.to_owned()),
            );
        }
    }
    for list in ["command", "args"] {
        let mut before = "";
        for argument in container.get(list).map_or(&[][..], Node::items) {
            let text = argument.scalar().unwrap_or_default();
            let (name, value) = text.split_once('=').unwrap_or((before, text));
            guess(
                found,
                (name, value),
                argument,
                Spot::Argument(container.name().to_owned()),
            );
            before = text;
        }
    }
}

fn settings<'a>(data: Option<&'a Node>, found: &mut Vec<Found<'a>>) {
    for (Key { name, .. }, value) in data.map_or(&[][..], Node::entries) {
        let text = value.scalar().unwrap_or_default();
        if text.trim_end().contains('\n') {
            for (image, reference) in within(text) {
                found.push(Found {
                    image: image.to_owned(),
                    reference,
                    node: value,
                    spot: Spot::Setting(name.clone()),
                });
            }
        } else {
            guess(
                found,
                (name, text.trim_end()),
                value,
                Spot::Setting(name.clone()),
            );
        }
    }
}

/// Images in a custom resource: containers at any depth, fields that are called images, and such as consist of parts.
fn fields<'a>(node: &'a Node, found: &mut Vec<Found<'a>>) {
    match &node.content {
        Content::Sequence(items) => items.iter().for_each(|item| fields(item, found)),
        Content::Mapping(entries) => {
            for (key, value) in entries {
                let is_known = found.iter().any(|known| std::ptr::eq(known.node, value));
                if let Some(text) = value
                    .as_str()
                    .filter(|_| is_called_image(&key.name) && !is_known)
                {
                    guess(
                        found,
                        (&key.name, text),
                        value,
                        Spot::Field(key.name.clone()),
                    );
                } else if is_called_image(&key.name) {
                    push_parts(value, &key.name, found);
                }
                fields(value, found);
            }
        }
        _ => {}
    }
}

/// `{registry: quay.io, repository: x/y, tag: v1}`
fn push_parts<'a>(node: &'a Node, name: &str, found: &mut Vec<Found<'a>>) {
    let part = |names: &[&str]| names.iter().find_map(|name| node.at(&[name])?.scalar());
    let (Some(repository), Some(tag)) = (
        part(&["repository", "name"]),
        part(&["tag", "version", "digest"]),
    ) else {
        return;
    };
    let separator = if tag.starts_with("sha256:") { '@' } else { ':' };
    let registry = part(&["registry"])
        .map(|registry| format!("{registry}/"))
        .unwrap_or_default();
    let image = format!("{registry}{repository}{separator}{tag}");
    if let Ok(reference) = image.parse() {
        found.push(Found {
            image,
            reference,
            node,
            spot: Spot::Field(name.to_owned()),
        });
    }
}
