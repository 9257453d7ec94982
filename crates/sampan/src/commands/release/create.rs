//! `sampan release create`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sampan_bundle::release::{self, NewChart, NewRelease};
use sampan_chart::images::{Certainty, Known, Listing};
use sampan_deploy::content::rendered_path;
use sampan_deploy::manifests;
use sampan_kubernetes::Version;
use sampan_model::app::App;
use sampan_oci::{ContentStore, Descriptor, Reference};
use serde_json::json;

use super::failure;
use crate::app::Tree;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::ui::size;
use crate::wiring::Surroundings;

/// Arguments of `sampan release create`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of the app, with its `sampan.yaml`
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let tree = Tree::read(&args.folder)?;
    let app = tree.app();
    let store = context.content()?;
    let mut named = plain_images(&tree)?;
    named.extend(rendered_images(&tree, &store, context)?);
    let images = resolve(&store, app, named)?;
    let files = files(&tree)?;
    let charts = tree.charts.iter().map(|loaded| NewChart {
        path: loaded.source.chart.clone(),
        config: loaded.chart.metadata.to_json(),
        package: loaded.package.clone(),
    });
    let charts = charts.collect();
    let before = store.resolve(&release::reference(&sampan_model::ReleaseName {
        app: app.name.clone(),
        version: app.version.clone(),
    }))?;
    let new = NewRelease {
        app,
        files,
        charts,
        images,
    };
    let release = release::create(&store, &new).map_err(failure)?;
    let digest = release.digest().map_err(failure)?;
    let bytes = release.size_bytes(&store).map_err(failure)?;
    if context.json() {
        return context.ui().json(&json!({
            "name": release.name, "digest": digest, "sizeBytes": bytes, "new": before.is_none(),
        }));
    }
    let unchanged = if before.is_some() { ", unchanged" } else { "" };
    context.ui().line(format!(
        "{} {digest} ({}{unchanged})",
        release.name,
        size(bytes)
    ))
}

/// The files that a release keeps: plain manifests, values of charts, and what kustomizations are rendered to for each
/// environment.
fn files(tree: &Tree) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let values = tree.charts.iter().flat_map(|loaded| &loaded.values_files);
    let mut files: BTreeMap<String, Vec<u8>> = tree
        .manifests
        .iter()
        .chain(values)
        .map(|file| (file.path.clone(), file.text.clone().into_bytes()))
        .collect();
    for variant in tree.variants(None)? {
        for (folder, text) in tree.kustomized(&variant)? {
            files.insert(rendered_path(&folder), text.into_bytes());
        }
    }
    Ok(files.into_iter().collect())
}

/// An image that a release must hold.
struct Named {
    /// As it is written where it is used.
    image: String,
    /// Where that is.
    place: String,
}

/// The images of plain manifests.
fn plain_images(tree: &Tree) -> Result<Vec<Named>, Failure> {
    if tree.manifests.is_empty() {
        return Ok(Vec::new());
    }
    let parsed = manifests::parse(&tree.manifests)?;
    let named = manifests::images(tree.app(), &parsed)?.into_iter();
    let named = named.map(|found| Named {
        image: found.image,
        place: found.location.to_string(),
    });
    Ok(named.collect())
}

/// The images of charts and kustomizations, with the values of each environment. What only looks like an image is told.
fn rendered_images(
    tree: &Tree,
    store: &ContentStore,
    context: &Context,
) -> Result<Vec<Named>, Failure> {
    let mut warned = BTreeSet::new();
    let mut warn = |text: String| {
        if warned.insert(text.clone()) {
            context.ui().warn(format!("warning: {text}"));
        }
    };
    let app = tree.app();
    let held = store.references()?.into_iter();
    let known = Known {
        of_app: app.images.iter().map(|image| image.name.clone()).collect(),
        version: Some(app.version.to_string()),
        held: held.map(|(reference, _)| reference.familiar()).collect(),
    };
    let around = Surroundings::of_version(Version::NEWEST)?;
    let mut listing = Listing::default();
    for variant in tree.variants(None)? {
        let input = tree.rendered_input(&variant, &around, &mut warn)?;
        for problem in input.unreadable() {
            warn(format!("{problem}; images are not looked for there"));
        }
        listing.add_objects(&input.into_world(), &known);
    }
    let mut named = Vec::new();
    for found in listing.finish(&known) {
        let place = found.uses.iter().find_map(|used| used.place.as_ref());
        let place = place.map_or_else(String::new, ToString::to_string);
        let image = found.image;
        if found.certainty == Certainty::Guess {
            warn(format!(
                "{place}: `{image}` looks like an image; the release does not hold it"
            ));
        } else {
            named.push(Named { image, place });
        }
    }
    Ok(named)
}

/// Finds every image in the content store, or tells of all that are not there.
fn resolve(
    store: &ContentStore,
    app: &App,
    named: Vec<Named>,
) -> Result<Vec<(Reference, Descriptor)>, Failure> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    let mut built = false;
    for image in named {
        let reference = wanted(app, &image)?;
        if let Some(descriptor) = store.resolve(&reference)? {
            found.insert(reference, descriptor);
            continue;
        }
        built |= app.image(&reference.familiar_name()).is_some();
        missing.push(format!("`{}` ({})", reference.familiar(), image.place));
    }
    if missing.is_empty() {
        return Ok(found.into_iter().collect());
    }
    let hint = if built {
        "build the app's own images with `sampan build`, and bring others with `sampan pull` or `sampan image import`"
    } else {
        "bring them into the content store with `sampan pull`, `sampan image import` or `sampan load`"
    };
    Err(
        Failure::new(format!("images are missing: {}", missing.join(", ")))
            .with_hint(hint)
            .with_exit(Exit::NotFound),
    )
}

/// The name under which the image is in the content store: those of the app have its version as
/// their tag unless the manifest gives another.
fn wanted(app: &App, image: &Named) -> Result<Reference, Failure> {
    let reference: Reference = image
        .image
        .parse()
        .or_fail(format!("{}: bad image name", image.place))?;
    let tagged = image
        .image
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains([':', '@']));
    if !tagged && app.image(&reference.familiar_name()).is_some() {
        return Ok(reference.with_tag(app.version.as_str())?);
    }
    Ok(reference)
}
