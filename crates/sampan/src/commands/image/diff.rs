//! `sampan image diff`.

use std::collections::BTreeSet;

use sampan_oci::archive::Kind;
use sampan_oci::image_files::{self, Aspect, Difference, ImageFile};
use sampan_oci::{ContentStore, Descriptor, Image};
use serde::Serialize;
use serde_json::Value;

use super::history::short;
use super::lookup::ImageName;
use super::{failed, layer_failed};
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::size;

/// Arguments of `sampan image diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The image to compare with
    before: ImageName,
    /// The image that is compared
    after: ImageName,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    before: Side,
    after: Side,
    /// How much larger the second image is, in bytes.
    size_difference: i64,
    layers: Layers,
    files: Files,
    config: Vec<Setting>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Side {
    name: String,
    digest: String,
    size_bytes: u64,
}

#[derive(Serialize, Default)]
struct Layers {
    shared: Vec<Layer>,
    removed: Vec<Layer>,
    added: Vec<Layer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    digest: String,
    size_bytes: u64,
}

#[derive(Serialize)]
struct Files {
    added: Vec<OneFile>,
    removed: Vec<OneFile>,
    changed: Vec<Changed>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneFile {
    path: String,
    kind: &'static str,
    size_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    path: String,
    changes: Vec<&'static str>,
    size_bytes_before: u64,
    size_bytes_after: u64,
}

#[derive(Serialize)]
struct Setting {
    key: String,
    before: Value,
    after: Value,
}

/// Shows what is different in the second image.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let (before, first) = side(&args.before, &store)?;
    let (after, second) = side(&args.after, &store)?;
    let layers = layers(&first, &second)?;
    let sum = |layers: &[Layer]| layers.iter().map(|layer| layer.size_bytes).sum::<u64>();
    let total = sum(&layers.shared) + sum(&layers.removed) + sum(&layers.added);
    let bar = context.ui().byte_bar("Reading layers", total);
    let mut read_bytes = 0;
    let mut progress = |count| {
        read_bytes += count;
        bar.set_position(read_bytes);
    };
    let difference =
        image_files::between(&store, &first, &second, &mut progress).map_err(layer_failed)?;
    drop(bar);
    let report = Report {
        size_difference: after.size_bytes.cast_signed() - before.size_bytes.cast_signed(),
        before,
        after,
        layers,
        files: files(difference),
        config: settings(&first, &second)?,
    };
    if context.json() {
        return context.ui().json(&report);
    }
    print(context, &report)
}

fn side(image: &ImageName, store: &ContentStore) -> Result<(Side, Image), Failure> {
    let found = image.find(store)?;
    let parts = store.reachable(&found.descriptor).map_err(failed)?;
    let image = store.image(&found.descriptor).map_err(failed)?;
    let side = Side {
        name: found.shown,
        digest: found.descriptor.digest().to_string(),
        size_bytes: parts.iter().map(Descriptor::size).sum(),
    };
    Ok((side, image))
}

/// Layers are the same when their plain bytes are, whatever their compression.
fn layers(before: &Image, after: &Image) -> Result<Layers, Failure> {
    let named = |image: &Image| -> Result<Vec<(String, Layer)>, Failure> {
        let diff_ids = image.diff_ids()?;
        let layers = image.manifest.layers().iter().enumerate();
        Ok(layers
            .map(|(number, layer)| {
                let digest = layer.digest().to_string();
                let size_bytes = layer.size();
                let id = diff_ids
                    .get(number)
                    .map_or(digest.clone(), ToString::to_string);
                (id, Layer { digest, size_bytes })
            })
            .collect())
    };
    let (before, after) = (named(before)?, named(after)?);
    let held: BTreeSet<String> = before.iter().map(|(id, _)| id.clone()).collect();
    let mut layers = Layers::default();
    let wanted: BTreeSet<String> = after.iter().map(|(id, _)| id.clone()).collect();
    for (id, layer) in before {
        if wanted.contains(&id) {
            layers.shared.push(layer);
        } else {
            layers.removed.push(layer);
        }
    }
    let new = after.into_iter().filter(|(id, _)| !held.contains(id));
    layers.added = new.map(|(_, layer)| layer).collect();
    Ok(layers)
}

fn files(difference: Difference) -> Files {
    let one = |(path, file): (Vec<u8>, ImageFile)| OneFile {
        path: shown(&path),
        kind: kind(&file),
        size_bytes: file.size_bytes,
    };
    Files {
        added: difference.added.into_iter().map(one).collect(),
        removed: difference.removed.into_iter().map(one).collect(),
        changed: difference
            .changed
            .into_iter()
            .map(|file| Changed {
                path: shown(&file.path),
                changes: file.aspects.into_iter().map(aspect).collect(),
                size_bytes_before: file.before.size_bytes,
                size_bytes_after: file.after.size_bytes,
            })
            .collect(),
    }
}

/// The path as in the container; bytes that are no text are escaped.
fn shown(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text) if !text.contains(char::is_control) => format!("/{text}"),
        _ => format!("/{}", path.escape_ascii()),
    }
}

fn kind(file: &ImageFile) -> &'static str {
    match file.kind {
        Kind::File | Kind::HardLink(_) => "file",
        Kind::Symlink(_) => "link",
        Kind::Directory => "directory",
        Kind::CharacterDevice { .. } | Kind::BlockDevice { .. } => "device",
        Kind::Fifo => "pipe",
    }
}

fn aspect(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Kind => "kind",
        Aspect::Content => "content",
        Aspect::Mode => "mode",
        Aspect::Owner => "owner",
        Aspect::Attributes => "attributes",
    }
}

/// What the configurations say differently, but for what follows from the layers.
fn settings(before: &Image, after: &Image) -> Result<Vec<Setting>, Failure> {
    let flat = |image: &Image| -> Result<serde_json::Map<String, Value>, Failure> {
        let value = serde_json::to_value(&image.config).or_fail("cannot read a configuration")?;
        let mut flat = serde_json::Map::new();
        for (key, value) in value.as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                ("rootfs" | "history", _) => {}
                ("config", Value::Object(settings)) => flat.extend(settings.clone()),
                _ => drop(flat.insert(key.clone(), value.clone())),
            }
        }
        Ok(flat)
    };
    let (before, after) = (flat(before)?, flat(after)?);
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |settings: &serde_json::Map<String, Value>, key: &String| {
        settings.get(key).cloned().unwrap_or_default()
    };
    let setting = |key: &String| Setting {
        key: key.clone(),
        before: value(&before, key),
        after: value(&after, key),
    };
    let all = keys.into_iter().map(setting);
    Ok(all
        .filter(|setting| setting.before != setting.after)
        .collect())
}

fn print(context: &Context, report: &Report) -> Result<(), Failure> {
    let ui = context.ui();
    let difference = match report.size_difference {
        0 => "the same size".to_owned(),
        bytes if bytes > 0 => format!("{} larger", size(bytes.unsigned_abs())),
        bytes => format!("{} smaller", size(bytes.unsigned_abs())),
    };
    for (sign, side) in [("---", &report.before), ("+++", &report.after)] {
        let bytes = size(side.size_bytes);
        ui.line(format!("{sign} {} {} ({bytes})", side.name, side.digest))?;
    }
    let layers = &report.layers;
    ui.line(format!(
        "layers: {} shared, {} removed, {} added; {difference}",
        layers.shared.len(),
        layers.removed.len(),
        layers.added.len()
    ))?;
    for (sign, layers) in [
        ("=", &layers.shared),
        ("-", &layers.removed),
        ("+", &layers.added),
    ] {
        for layer in layers {
            let bytes = size(layer.size_bytes);
            ui.line(format!("  {sign} {} {bytes}", short(&layer.digest)))?;
        }
    }
    let files = &report.files;
    ui.line(format!(
        "files: {} removed, {} added, {} changed",
        files.removed.len(),
        files.added.len(),
        files.changed.len()
    ))?;
    for (sign, files) in [("-", &files.removed), ("+", &files.added)] {
        for file in files {
            ui.line(format!("  {sign} {}", one_line(file)))?;
        }
    }
    for file in &files.changed {
        let (before, after) = (size(file.size_bytes_before), size(file.size_bytes_after));
        let changes = file.changes.join(", ");
        let bytes = if before == after {
            before
        } else {
            format!("{before} -> {after}")
        };
        ui.line(format!("  ~ {} {bytes} ({changes})", file.path))?;
    }
    ui.line(format!("settings: {} changed", report.config.len()))?;
    for setting in &report.config {
        let Setting { key, before, after } = setting;
        ui.line(format!("  ~ {key}: {before} -> {after}"))?;
    }
    Ok(())
}

fn one_line(file: &OneFile) -> String {
    match file.kind {
        "file" => format!("{} {}", file.path, size(file.size_bytes)),
        "directory" => format!("{}/", file.path),
        kind => format!("{} ({kind})", file.path),
    }
}
