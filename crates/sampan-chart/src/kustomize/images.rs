//! Other names, tags and digests of images.

use regex_automata::meta::Regex;
use serde_json::Value;

use super::kustomization::Image;
use super::path::{Make, walk};
use super::resource::Resource;

/// Where images stand in resources of any kind.
const PATHS: [&str; 6] = [
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

/// Changes the images of all resources that have the name.
pub(super) fn update(image: &Image, resources: &mut [Resource]) {
    let tag = r"(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";
    // A name that is no expression fits nothing.
    let Ok(pattern) = Regex::new(&format!("^{}{tag}", image.name)) else {
        return;
    };
    let mut set = |value: &mut Value| {
        if let Value::String(text) = value
            && pattern.is_match(text.as_str())
        {
            *text = updated(text, image);
        }
    };
    for resource in resources {
        if resource.id().kind == "CustomResourceDefinition" {
            continue;
        }
        let mut value = Value::Object(std::mem::take(&mut resource.value));
        containers(&mut value, &mut set);
        if let Value::Object(map) = value {
            resource.value = map;
        }
        for path in PATHS {
            walk(&mut resource.value, path, Make::Nothing, &mut set);
        }
    }
}

/// Containers at any depth, as in custom resources.
fn containers(value: &mut Value, set: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(items) => {
            for item in items {
                containers(item, set);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let is_list = key == "containers" || key == "initContainers";
                if let Value::Array(items) = &mut *value
                    && is_list
                {
                    let images = items.iter_mut().filter_map(|item| item.get_mut("image"));
                    images.for_each(&mut *set);
                }
                containers(value, set);
            }
        }
        _ => {}
    }
}

fn updated(text: &str, image: &Image) -> String {
    let (name, mut tag, mut digest) = split(text);
    let new_name = image.new_name.as_str();
    let mut name = if new_name.is_empty() { name } else { new_name }.to_owned();
    let new_tag = image.new_tag.0.as_str();
    let suffixed = format!("{tag}{}", image.tag_suffix);
    match (new_tag, image.digest.as_str()) {
        ("", "") if image.tag_suffix.is_empty() => {}
        ("", "") => (tag, digest) = (&suffixed, ""),
        ("", new) => (tag, digest) = ("", new),
        (new, "") => (tag, digest) = (new, ""),
        (new, other) => (tag, digest) = (new, other),
    }
    if !tag.is_empty() {
        name = format!("{name}:{tag}");
    }
    if !digest.is_empty() {
        name = format!("{name}@{digest}");
    }
    name
}

/// Name, tag and digest of an image; a port of a host is no tag.
fn split(text: &str) -> (&str, &str, &str) {
    let (text, digest) = text.split_once('@').unwrap_or((text, ""));
    let path = text.find('/').unwrap_or(0);
    match text[path..].find(':') {
        Some(colon) => (&text[..path + colon], &text[path + colon + 1..], digest),
        None => (text, "", digest),
    }
}
