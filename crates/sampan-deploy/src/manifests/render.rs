//! From manifests to objects: values filled in, images pinned, namespace set.

use sampan_model::app::{Template, Values};
use sampan_model::yaml::{Content, Node, ScalarStyle};
use serde_json::{Map, Value};

use super::images::{ImageName, PLACES, image_nodes};
use super::{Manifest, ManifestError, Object, ObjectId, order};
use crate::release::ImagePin;
use crate::renderer::PrintedObject;

/// With what manifests become objects.
#[derive(Debug, Clone, Copy)]
pub struct Rendering<'a> {
    /// The values of the environment.
    pub values: &'a Values,
    /// The namespace for objects that name none.
    pub namespace: &'a str,
    /// The images of the release.
    pub images: &'a [ImagePin],
    /// The registry, with a project in it, that has the images which name no registry; none where the target has them
    /// under their names.
    pub registry: Option<&'a str>,
}

/// Kinds that belong to no namespace.
const CLUSTER_KINDS: [&str; 14] = [
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "PriorityClass",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "RuntimeClass",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "VolumeSnapshotClass",
];

/// Makes the objects of an environment, in the order in which they are to be applied.
///
/// # Errors
/// [`ManifestError`] when a value is not given, an image is not part of the release, or an object is described twice.
pub fn render(
    manifests: &[Manifest],
    rendering: &Rendering<'_>,
) -> Result<Vec<Object>, ManifestError> {
    arrange(objects(manifests, rendering)?)
}

/// The objects of manifests, in the order of these.
pub(crate) fn objects(
    manifests: &[Manifest],
    rendering: &Rendering<'_>,
) -> Result<Vec<Object>, ManifestError> {
    let objects = manifests.iter().map(|manifest| {
        let body = fill(&manifest.node, rendering)?;
        finish(body, manifest.node.location.to_string(), rendering)
    });
    objects.collect()
}

/// The object of what was rendered elsewhere, with its images pinned.
pub(crate) fn complete(
    printed: PrintedObject,
    rendering: &Rendering<'_>,
) -> Result<Object, ManifestError> {
    let PrintedObject { location, mut body } = printed;
    pin_printed(&mut body, &location, rendering)?;
    finish(body, location, rendering)
}

/// Puts objects into the order in which they are to be applied.
pub(crate) fn arrange(mut objects: Vec<Object>) -> Result<Vec<Object>, ManifestError> {
    for (index, object) in objects.iter().enumerate() {
        let mut before = objects[..index].iter();
        if let Some(first) = before.find(|known| known.id.same_object(&object.id)) {
            return Err(ManifestError::Twice {
                object: object.id.to_string(),
                first: first.location.clone(),
                second: object.location.clone(),
            });
        }
    }
    order::sort(&mut objects);
    Ok(objects)
}

fn finish(
    mut body: Value,
    location: String,
    rendering: &Rendering<'_>,
) -> Result<Object, ManifestError> {
    let text = |pointer: &str, key: &'static str| {
        let found = body.pointer(pointer).and_then(Value::as_str);
        let found = found.filter(|text| !text.is_empty());
        found
            .map(str::to_owned)
            .ok_or_else(|| ManifestError::Incomplete {
                location: location.clone(),
                key,
            })
    };
    let kind = text("/kind", "kind")?;
    let api_version = text("/apiVersion", "apiVersion")?;
    let name = text("/metadata/name", "metadata.name")?;
    let given = text("/metadata/namespace", "metadata.namespace").ok();
    let namespace = if CLUSTER_KINDS.contains(&kind.as_str()) {
        None
    } else {
        Some(given.unwrap_or_else(|| rendering.namespace.to_owned()))
    };
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        match &namespace {
            Some(namespace) => {
                metadata.insert("namespace".to_owned(), Value::String(namespace.clone()))
            }
            None => metadata.remove("namespace"),
        };
        label(metadata);
    }
    if let Value::Object(body) = &mut body {
        body.remove("status");
    }
    let id = ObjectId {
        api_version,
        kind,
        namespace,
        name,
    };
    Ok(Object {
        id,
        location,
        body,
        unless_there: false,
    })
}

/// Objects say who keeps them, by the label that Kubernetes recommends for it; the user's own wins.
fn label(metadata: &mut Map<String, Value>) {
    let labels = metadata
        .entry("labels")
        .or_insert_with(|| Value::Object(Map::new()));
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    if let Value::Object(labels) = labels {
        labels
            .entry("app.kubernetes.io/managed-by")
            .or_insert_with(|| Value::String("sampan".to_owned()));
    }
}

fn fill(node: &Node, rendering: &Rendering<'_>) -> Result<Value, ManifestError> {
    match &node.content {
        Content::String(text, style) => fill_text(node, text, *style, rendering.values),
        Content::Sequence(items) => items.iter().map(|item| fill(item, rendering)).collect(),
        Content::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key.name.clone(), fill(value, rendering)?);
            }
            pin_images(node, &mut map, rendering)?;
            Ok(Value::Object(map))
        }
        Content::Null | Content::Bool(_) | Content::Number(_) => Ok(node.to_json()),
    }
}

/// An unquoted `${x}` takes the value with its type; in quotes it is text, as everywhere in YAML.
fn fill_text(
    node: &Node,
    text: &str,
    style: ScalarStyle,
    values: &Values,
) -> Result<Value, ManifestError> {
    if !text.contains("${") {
        return Ok(Value::String(text.to_owned()));
    }
    let filled = Template::parse(text).and_then(|template| match style {
        ScalarStyle::Plain => template.resolve(values),
        ScalarStyle::Text => template.render(values).map(Value::String),
    });
    filled.map_err(|error| ManifestError::template(&node.location, error))
}

/// Pins the images that the mapping names; the pinned texts go where `fill` has put the plain ones.
fn pin_images(
    node: &Node,
    map: &mut Map<String, Value>,
    rendering: &Rendering<'_>,
) -> Result<(), ManifestError> {
    if image_nodes(node).is_empty() {
        return Ok(());
    }
    for (list, path) in PLACES {
        let Some(Value::Array(items)) = map.get_mut(list) else {
            continue;
        };
        let sources = match node.get(list).map(|node| &node.content) {
            Some(Content::Sequence(sources)) => sources.as_slice(),
            _ => continue,
        };
        for (item, source) in items.iter_mut().zip(sources) {
            if let Some(Value::String(image)) = item.pointer_mut(path) {
                let location = source
                    .get("image")
                    .map_or(&source.location, |image| &image.location);
                *image = pinned(image, &location.to_string(), rendering)?;
            }
        }
    }
    Ok(())
}

/// Pins the images in an object that was rendered elsewhere, whatever surrounds them.
fn pin_printed(
    value: &mut Value,
    location: &str,
    rendering: &Rendering<'_>,
) -> Result<(), ManifestError> {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| pin_printed(item, location, rendering)),
        Value::Object(map) => {
            for (list, path) in PLACES {
                let items = map.get_mut(list).and_then(Value::as_array_mut);
                for item in items.into_iter().flatten() {
                    if let Some(Value::String(image)) = item.pointer_mut(path) {
                        *image = pinned(image, location, rendering)?;
                    }
                }
            }
            map.values_mut()
                .try_for_each(|inner| pin_printed(inner, location, rendering))
        }
        _ => Ok(()),
    }
}

fn pinned(image: &str, location: &str, rendering: &Rendering<'_>) -> Result<String, ManifestError> {
    let pins = rendering.images;
    let name = ImageName::parse(image).ok_or_else(|| ManifestError::ImageName {
        location: location.to_owned(),
        image: image.to_owned(),
    })?;
    let pin = find_pin(&name, pins).ok_or_else(|| ManifestError::ImageMissing {
        location: location.to_owned(),
        image: image.to_owned(),
        held: pins.iter().map(|pin| pin.reference.clone()).collect(),
    })?;
    // Without the tag: an image that two releases share must not make a difference between their pods.
    let pinned = ImageName {
        repository: match rendering.registry {
            Some(registry) if !name.has_registry() => {
                format!("{}/{}", registry.trim_end_matches('/'), name.repository)
            }
            _ => name.repository,
        },
        tag: None,
        digest: Some(pin.digest.clone()),
    };
    Ok(pinned.to_string())
}

/// By digest or by name and tag where they are given; by name alone, when that leaves no choice, where they are not.
fn find_pin<'a>(name: &ImageName, pins: &'a [ImagePin]) -> Option<&'a ImagePin> {
    let known: Vec<(Option<String>, &ImagePin)> = pins
        .iter()
        .filter_map(|pin| Some((ImageName::parse(&pin.reference)?, pin)))
        .filter(|(known, _)| known.repository == name.repository)
        .map(|(known, pin)| (known.tag, pin))
        .collect();
    if let Some(digest) = &name.digest {
        return known
            .iter()
            .map(|(_, pin)| *pin)
            .find(|pin| pin.digest == *digest);
    }
    let tag = name.tag.as_deref().unwrap_or("latest");
    let exact = known
        .iter()
        .find(|(known, _)| known.as_deref() == Some(tag));
    match (exact, &name.tag, known.as_slice()) {
        (Some((_, pin)), _, _) | (None, None, [(_, pin)]) => Some(pin),
        _ => None,
    }
}
