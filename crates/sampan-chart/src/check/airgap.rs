//! Whether it works at a site without a network.

use sampan_model::yaml::{Content, Node};
use sampan_oci::Reference;

use super::Grade;
use super::object::Object;
use super::pod::Container;
use super::rule::{Group, Judge, Rule, Sink, rule};
use crate::images::uses_of;

mod hosts;

pub(super) fn rules() -> Vec<Rule> {
    let rules = [
        air_gap(
            "air-gap-image-digest",
            Judge::Containers(digest),
            [
                "an image is named by its digest, or pinned by the release",
                "A tag means whatever the registry of the site holds under it. Images that a release carries are pinned when it is deployed; others are not.",
                "name the image with `@sha256:…`, or make it part of an app with a `sampan.yaml`",
            ],
        ),
        air_gap(
            "air-gap-image-hidden",
            Judge::Objects(hidden),
            [
                "an image that is not named as the image of a container travels too",
                "A program that starts pods itself takes their images from its arguments or settings. No release can know of them, so they are not there when they are needed.",
                "add the image to the release, for example as an `initContainer` or an entry of `images` in sampan.yaml; `sampan images --why` lists all",
            ],
        ),
        air_gap(
            "air-gap-pull-always",
            Judge::Containers(always),
            [
                "an image is not fetched anew at each start",
                "With `Always`, no container starts while the registry cannot be reached, not even after a crash.",
                "set `imagePullPolicy: IfNotPresent`",
            ],
        ),
        air_gap(
            "air-gap-host",
            Judge::Objects(hosts::outside),
            [
                "nothing outside of the site is asked",
                "Where there is no way out, requests to outside hosts end after a long wait.",
                "let the value name a host of the site, or allow the host under `hosts` in .sampan-lint.yaml",
            ],
        ),
    ];
    rules.into_iter().map(Rule::when_asked_for).collect()
}

fn air_gap(id: &'static str, judge: Judge, texts: [&'static str; 3]) -> Rule {
    rule(id, Group::AirGap, Grade::Warning, judge, texts)
}

fn digest(container: &Container<'_>, sink: &mut Sink<'_>) {
    let image = container.get("image");
    let reference = image
        .and_then(Node::scalar)
        .and_then(|image| image.parse::<Reference>().ok());
    let (Some(node), Some(reference)) = (image, reference) else {
        return sink.nothing_to_judge();
    };
    // Whatever containers of an app name, its release pins.
    if reference.digest().is_none() && !sink.settings.is_pinned {
        let name = container.name();
        sink.report(
            node,
            format!(
                "the image `{}` of `{name}` has no digest",
                node.scalar().unwrap_or_default()
            ),
        );
    }
}

fn hidden(object: &Object, sink: &mut Sink<'_>) {
    let mut judged = false;
    for found in uses_of(object) {
        judged = true;
        let named_elsewhere = || {
            sink.world
                .objects()
                .iter()
                .any(|other| names(other, &found.reference))
        };
        if !found.spot.is_container()
            && !named_elsewhere()
            && !sink.settings.is_of_app(&found.reference)
        {
            let image = &found.image;
            sink.report(
                found.node,
                format!("`{image}` looks like an image, and no container names it"),
            );
        }
    }
    if !judged {
        sink.nothing_to_judge();
    }
}

/// Whether some container of an object has an image.
fn names(object: &Object, wanted: &Reference) -> bool {
    object.pod().is_some_and(|pod| {
        let images = pod
            .containers()
            .filter_map(|container| container.get("image")?.scalar()?.parse::<Reference>().ok());
        let mut images = images.filter(|image| image.same_repository(wanted));
        images.any(|image| wanted.digest().is_none() || image.digest() == wanted.digest())
    })
}

fn always(container: &Container<'_>, sink: &mut Sink<'_>) {
    let Some(policy) = container.get("imagePullPolicy") else {
        return sink.nothing_to_judge();
    };
    if policy.as_str() == Some("Always") {
        sink.report(
            policy,
            format!(
                "the image of `{}` is fetched anew at each start",
                container.name()
            ),
        );
    }
}

/// Calls `visit` with each text below a node, and the key that it belongs to.
fn each_text<'a>(node: &'a Node, key: &'a str, visit: &mut impl FnMut(&'a Node, &'a str, &'a str)) {
    match &node.content {
        Content::String(text, _) => visit(node, key, text),
        Content::Sequence(items) => items.iter().for_each(|item| each_text(item, key, visit)),
        Content::Mapping(entries) => entries
            .iter()
            .for_each(|(key, value)| each_text(value, &key.name, visit)),
        _ => {}
    }
}
