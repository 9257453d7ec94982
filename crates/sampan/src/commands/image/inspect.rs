//! `sampan image inspect`.

use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Descriptor, Image, ImageIndex, Reference};
use serde_json::{Value, json};

use super::failed;
use super::lookup::{Found, ImageName, names_of};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan image inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or digests of images
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<ImageName>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let mut shown = Vec::new();
    for image in &args.images {
        shown.push(describe(&store, &image.find(&store)?)?);
    }
    context.ui().json(&shown)
}

fn describe(store: &ContentStore, found: &Found) -> Result<Value, Failure> {
    let descriptor = &found.descriptor;
    let parts = store.reachable(descriptor).map_err(failed)?;
    let names = names_of(store, descriptor)?;
    let names: Vec<_> = names.iter().map(Reference::familiar).collect();
    let mut shown = json!({
        "name": found.name.as_ref().map(Reference::familiar).or_else(|| names.first().cloned()),
        "names": names,
        "digest": descriptor.digest(),
        "mediaType": descriptor.media_type(),
        "sizeBytes": parts.iter().map(Descriptor::size).sum::<u64>(),
    });
    match store.image(descriptor) {
        Ok(image) => add_image(&mut shown, &image)?,
        // What is no image for this machine is shown as the document that it is.
        Err(StoreError::NotAnImage { .. } | StoreError::Platform { .. }) => {
            shown["manifest"] = store.read_json(descriptor).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
    }
    let index: Option<ImageIndex> = store.read_json(descriptor).ok();
    if let Some(index) = index {
        shown["platforms"] = index.manifests().iter().map(platform).collect();
    }
    Ok(shown)
}

fn add_image(shown: &mut Value, image: &Image) -> Result<(), Failure> {
    let diff_ids = image.diff_ids()?;
    let layers = image.manifest.layers().iter().enumerate();
    let layers: Vec<_> = layers
        .map(|(number, layer)| {
            json!({
                "digest": layer.digest(),
                "diffId": diff_ids.get(number),
                "mediaType": layer.media_type(),
                "sizeBytes": layer.size(),
            })
        })
        .collect();
    shown["created"] = json!(image.config.created());
    shown["architecture"] = json!(image.config.architecture());
    shown["os"] = json!(image.config.os());
    shown["layers"] = json!(layers);
    shown["manifest"] = json!(image.manifest);
    shown["config"] = json!(image.config);
    Ok(())
}

fn platform(entry: &Descriptor) -> Value {
    json!({"platform": entry.platform(), "digest": entry.digest(), "sizeBytes": entry.size()})
}
