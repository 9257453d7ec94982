//! `sampan image inspect`.

use sampan_oci::Reference;
use serde_json::json;

use super::not_found;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan image inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names of images
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<Reference>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let mut shown = Vec::new();
    for reference in &args.images {
        let descriptor = store
            .resolve(reference)?
            .ok_or_else(|| not_found(reference))?;
        let image = store.image(&descriptor)?;
        shown.push(json!({
            "name": reference.familiar(),
            "digest": descriptor.digest(),
            "sizeBytes": image.layers_size_bytes(),
            "manifest": image.manifest,
            "config": image.config,
        }));
    }
    context.ui().json(&shown)
}
