//! `sampan release ls`.

use sampan_bundle::release;
use serde_json::json;

use super::failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, size};

/// Arguments of `sampan release ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(super) fn run(_args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let releases = release::list(&store).map_err(failure)?;
    let mut table = Table::new(["release", "digest", "size", "images"]);
    let mut rows = Vec::new();
    for release in &releases {
        let digest = release.digest().map_err(failure)?;
        let bytes = release.size_bytes(&store).map_err(failure)?;
        let images: Vec<_> = release
            .images
            .iter()
            .map(|(name, _)| name.familiar())
            .collect();
        rows.push(json!({
            "name": release.name, "digest": digest, "sizeBytes": bytes, "images": images,
        }));
        table.row([
            release.name.to_string(),
            digest.short(),
            size(bytes),
            images.join(", "),
        ]);
    }
    if context.json() {
        return context.ui().json(&rows);
    }
    if releases.is_empty() {
        context
            .ui()
            .note("no releases; make one with `sampan release create` or load a bundle");
        return Ok(());
    }
    context.ui().table(&table)
}
