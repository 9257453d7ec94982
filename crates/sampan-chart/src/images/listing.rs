//! All images of an input, each once.

use std::collections::BTreeMap;

use sampan_model::yaml::Node;
use sampan_oci::Reference;
use sampan_oci::reference::says_tag;
use serde::Serialize;

use super::uses::uses_of;
use crate::chart::Chart;
use crate::check::finding::ObjectName;
use crate::check::world::World;
use crate::manifest::Place;

/// How sure it is that an image is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// It looks like an image, and nothing else knows it.
    Guess,
    /// It looks like an image, and something else knows it.
    Confirmed,
    /// It is named where only images are.
    Certain,
}

/// An image with all places that name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The short form that people write.
    pub image: String,
    /// How sure it is that it is run.
    pub certainty: Certainty,
    /// By what a guess is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<String>,
    /// Where it is named.
    pub uses: Vec<Use>,
}

/// A place that names an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// What names it, such as: container `web`.
    pub by: String,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectName>,
    /// The part of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Whether the name alone makes it an image.
    #[serde(skip)]
    is_certain: bool,
}

/// What is known of images apart from the manifests.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The names of the images that the app builds, and the tag that its release gives them.
    pub of_app: Vec<String>,
    /// That tag.
    pub version: Option<String>,
    /// Images that are in the content store, in their short form.
    pub held: Vec<String>,
}

/// Gathers the images of an input.
#[derive(Debug, Default)]
pub struct Listing {
    images: BTreeMap<String, (Reference, Vec<Use>)>,
}

impl Listing {
    /// Adds the images that objects name.
    pub fn add_objects(&mut self, world: &World, known: &Known) {
        for object in world.objects() {
            for found in uses_of(object) {
                let reference = with_tag_of_release(&found.reference, &found.image, known);
                let new = Use {
                    by: found.spot.to_string(),
                    object: Some(object.full_name()),
                    path: object.path_of(found.node),
                    place: Some(object.place(found.node)),
                    is_certain: found.spot.is_certain(),
                };
                self.add(reference, new);
            }
        }
    }

    /// Adds the images that a chart declares to the hub of charts.
    pub fn add_chart(&mut self, chart: &Chart) {
        let Some(text) = chart.metadata.annotations.get("artifacthub.io/images") else {
            return;
        };
        let documents =
            sampan_model::yaml::documents("artifacthub.io/images", text).unwrap_or_default();
        for item in documents.iter().flat_map(Node::items) {
            let Some(Ok(reference)) = item
                .get("image")
                .and_then(|image| image.scalar())
                .map(str::parse)
            else {
                continue;
            };
            let new = Use {
                by: format!("annotation of the chart {}", chart.name()),
                object: None,
                path: None,
                place: None,
                is_certain: true,
            };
            self.add(reference, new);
        }
    }

    fn add(&mut self, reference: Reference, new: Use) {
        let (_, uses) = self
            .images
            .entry(reference.familiar())
            .or_insert_with(|| (reference, Vec::new()));
        if !uses.contains(&new) {
            uses.push(new);
        }
    }

    /// The images in the order of their names.
    #[must_use]
    pub fn finish(self, known: &Known) -> Vec<Image> {
        let certain: Vec<(&String, &Reference)> = {
            let all = self.images.iter();
            let certain = all.filter(|(_, (_, uses))| uses.iter().any(|used| used.is_certain));
            certain
                .map(|(name, (reference, _))| (name, reference))
                .collect()
        };
        let judged = self.images.iter().map(|(name, (reference, uses))| {
            let is_certain = uses.iter().any(|used| used.is_certain);
            let confirmed_by = if is_certain {
                None
            } else {
                confirmation(reference, &certain, known)
            };
            Image {
                image: name.clone(),
                certainty: match &confirmed_by {
                    _ if is_certain => Certainty::Certain,
                    Some(_) => Certainty::Confirmed,
                    None => Certainty::Guess,
                },
                confirmed_by,
                uses: uses.clone(),
            }
        });
        judged.collect()
    }
}

fn with_tag_of_release(reference: &Reference, text: &str, known: &Known) -> Reference {
    let is_own = known.of_app.contains(&reference.familiar_name());
    let tag = known
        .version
        .as_deref()
        .filter(|_| is_own && !says_tag(text) && reference.digest().is_none());
    tag.and_then(|tag| reference.with_tag(tag).ok())
        .unwrap_or_else(|| reference.clone())
}

/// What else knows an image that was guessed.
fn confirmation(
    reference: &Reference,
    certain: &[(&String, &Reference)],
    known: &Known,
) -> Option<String> {
    if known.held.contains(&reference.familiar()) {
        return Some("it is in the content store".to_owned());
    }
    if known.of_app.contains(&reference.familiar_name()) {
        return Some("the app builds it".to_owned());
    }
    let same = certain
        .iter()
        .find(|(_, other)| other.same_repository(reference));
    same.map(|(name, _)| format!("`{name}` is run too"))
}
