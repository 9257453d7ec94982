//! Images and when they are fetched.

use sampan_model::yaml::Node;
use sampan_oci::Reference;
use sampan_oci::reference::says_tag;

use super::warning;
use crate::check::pod::Container;
use crate::check::rule::{Judge, Rule, Sink};
use crate::check::{Grade, Settings};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        super::critical(
            "image-tag",
            Judge::Containers(tag),
            [
                "an image has a tag or digest that stays the same",
                "What `latest` is changes from day to day: two pods of one Deployment run different programs, and a rollback brings nothing back. No tag means `latest`.",
                "name a version, or better a digest",
            ],
        ),
        warning(
            "image-pull-policy",
            Judge::Containers(pull_policy),
            [
                "the pull policy fits the tag",
                "With `IfNotPresent` and a tag that moves, each machine keeps the image that it got first; with `Never`, a machine that has not got it cannot start the pod.",
                "leave `imagePullPolicy` out and name a version, or take `IfNotPresent` with a version",
            ],
        ),
    ]
}

/// Whether a tag changes what it stands for. What the release of the app pins has no tag in the manifest.
fn is_moving(image: &str, settings: &Settings) -> Option<bool> {
    let reference: Reference = image.parse().ok()?;
    if settings.is_of_app(&reference) && !says_tag(image) {
        return Some(false);
    }
    Some(reference.digest().is_none() && reference.tag() == Some("latest"))
}

fn tag(container: &Container<'_>, sink: &mut Sink<'_>) {
    let Some(node) = container.get("image") else {
        return sink.nothing_to_judge();
    };
    let image = node.scalar().unwrap_or_default();
    if image.contains("${") {
        return sink.nothing_to_judge();
    }
    let name = container.name();
    match is_moving(image, sink.settings) {
        Some(true) => {
            let what = if says_tag(image) {
                "is whatever is latest"
            } else {
                "has no tag"
            };
            sink.report(node, format!("the image `{image}` of `{name}` {what}"));
        }
        Some(false) => {}
        None => {
            sink.report(
                node,
                format!("`{image}` of `{name}` is no name of an image"),
            );
            sink.mend("write it as REGISTRY/NAME:TAG, in small letters");
        }
    }
}

fn pull_policy(container: &Container<'_>, sink: &mut Sink<'_>) {
    let (Some(policy), Some(image)) = (
        container.get("imagePullPolicy"),
        container.get("image").and_then(Node::scalar),
    ) else {
        return sink.nothing_to_judge();
    };
    let name = container.name();
    match policy.as_str() {
        Some("Never") => sink.report(policy, format!("the image of `{name}` is never fetched")),
        Some("IfNotPresent") if is_moving(image, sink.settings) == Some(true) => {
            sink.report_as(
                Grade::Warning,
                policy,
                format!("`{name}` keeps whichever `{image}` a machine got first"),
            );
        }
        _ => {}
    }
}
