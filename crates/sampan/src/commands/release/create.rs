//! `sampan release create`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sampan_bundle::release::{self, NewRelease};
use sampan_deploy::manifests::{self, ImageReference};
use sampan_deploy::release::ManifestFile;
use sampan_model::app::{App, AppFile, FILE_NAME, Pattern};
use sampan_oci::{ContentStore, Descriptor, Reference};
use serde_json::json;

use super::failure;
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::ui::size;

/// Arguments of `sampan release create`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of the app, with its `sampan.yaml`
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let file = read_app(&args.folder)?;
    let app = &file.app;
    let files = read_manifests(&args.folder, &file)?;
    let parsed = manifests::parse(&files)?;
    let named = manifests::images(app, &parsed)?;
    let store = context.content()?;
    let images = resolve(&store, app, &named)?;
    let files = files
        .into_iter()
        .map(|file| (file.path, file.text.into_bytes()))
        .collect();
    let before = store.resolve(&release::reference(&sampan_model::ReleaseName {
        app: app.name.clone(),
        version: app.version.clone(),
    }))?;
    let new = NewRelease { app, files, images };
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

pub(crate) fn read_app(folder: &Path) -> Result<AppFile, Failure> {
    let path = folder.join(FILE_NAME);
    let text = fs::read_to_string(&path)
        .or_fail(format!("cannot read `{}`", path.display()))
        .map_err(|failure| failure.with_hint("give the folder that holds the app's sampan.yaml"))?;
    Ok(AppFile::parse(&path.display().to_string(), &text)?)
}

/// The files that the patterns of `sampan.yaml` meet, in the order of their paths.
pub(crate) fn read_manifests(folder: &Path, file: &AppFile) -> Result<Vec<ManifestFile>, Failure> {
    let mut paths = Vec::new();
    list(folder, "", &mut paths)?;
    paths.sort();
    for (number, pattern) in file.app.manifests.iter().enumerate() {
        if !paths.iter().any(|path| pattern.matches(path)) {
            let location = file.locate(&format!("manifests.{number}"));
            return Err(no_manifest(pattern, &location.to_string()));
        }
    }
    paths.retain(|path| {
        file.app
            .manifests
            .iter()
            .any(|pattern| pattern.matches(path))
    });
    let read = |path: String| {
        let text = fs::read_to_string(folder.join(&path))
            .or_fail(format!("cannot read `{}`", folder.join(&path).display()))?;
        Ok(ManifestFile { path, text })
    };
    paths.into_iter().map(read).collect()
}

fn no_manifest(pattern: &Pattern, location: &str) -> Failure {
    let text = match pattern.literal() {
        Some(path) => format!("{location}: there is no file `{path}`"),
        None => format!("{location}: no file is met by `{}`", pattern.as_str()),
    };
    Failure::new(text).with_hint("paths are relative to the folder of sampan.yaml")
}

/// All files below `folder`, by relative path. Links to directories are not followed.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<(), Failure> {
    let directory = folder.join(prefix);
    let failed = format!("cannot list `{}`", directory.display());
    for entry in fs::read_dir(&directory).or_fail(&failed)? {
        let entry = entry.or_fail(&failed)?;
        // Patterns are text; a name that is none is met by no pattern.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let history = name == ".git";
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type().or_fail(&failed)?;
        if kind.is_dir() && !history {
            list(folder, &path, paths)?;
        } else if !kind.is_dir() {
            paths.push(path);
        }
    }
    Ok(())
}

/// Finds every image in the content store, or tells of all that are not there.
fn resolve(
    store: &ContentStore,
    app: &App,
    named: &[ImageReference],
) -> Result<Vec<(Reference, Descriptor)>, Failure> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    let mut built = false;
    for image in named {
        let reference = wanted(app, image)?;
        if let Some(descriptor) = store.resolve(&reference)? {
            found.insert(reference, descriptor);
            continue;
        }
        built |= app.image(&reference.familiar_name()).is_some();
        missing.push(format!("`{}` ({})", reference.familiar(), image.location));
    }
    if missing.is_empty() {
        return Ok(found.into_iter().collect());
    }
    let hint = if built {
        "build the app's own images with `sampan build`, and bring others with `sampan image import`"
    } else {
        "bring them into the content store with `sampan image import` or `sampan load`"
    };
    Err(
        Failure::new(format!("images are missing: {}", missing.join(", ")))
            .with_hint(hint)
            .with_exit(Exit::NotFound),
    )
}

/// The name under which the image is in the content store: those of the app have its version as
/// their tag unless the manifest gives another.
fn wanted(app: &App, image: &ImageReference) -> Result<Reference, Failure> {
    let reference: Reference = image
        .image
        .parse()
        .or_fail(format!("{}: bad image name", image.location))?;
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
