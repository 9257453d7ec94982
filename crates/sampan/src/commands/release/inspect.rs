//! `sampan release inspect`.

use sampan_bundle::release::{self, Release};
use sampan_model::ReleaseName;
use sampan_oci::{ContentStore, Digest};
use serde_json::json;

use super::failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, size};

/// Arguments of `sampan release inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release, such as `guestbook@1.1.0`
    release: ReleaseName,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let release = release::open(&store, &args.release).map_err(failure)?;
    let files = release.files(&store).map_err(failure)?;
    let names: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    let bytes = release.size_bytes(&store).map_err(failure)?;
    if context.json() {
        let images: Vec<_> = release
            .images
            .iter()
            .map(|(name, image)| json!({"name": name.familiar(), "digest": image.digest()}))
            .collect();
        let charts: Vec<_> = release
            .charts
            .iter()
            .map(|(path, chart)| json!({"path": path, "digest": chart.digest()}))
            .collect();
        return context.ui().json(&json!({
            "name": release.name,
            "digest": release.descriptor.digest(),
            "sizeBytes": bytes,
            "app": release.app,
            "images": images,
            "charts": charts,
            "files": names,
        }));
    }
    let ui = context.ui();
    ui.line(format!(
        "{} {} ({})",
        release.name,
        release.descriptor.digest(),
        size(bytes)
    ))?;
    if let Some(description) = &release.app.description {
        ui.line(description)?;
    }
    ui.line("")?;
    ui.table(&images(&store, &release)?)?;
    if !release.charts.is_empty() {
        ui.line("")?;
        let mut table = Table::new(["chart", "digest"]);
        for (path, chart) in &release.charts {
            let digest: Digest = chart.digest().as_ref().parse()?;
            table.row([path.clone(), digest.short()]);
        }
        ui.table(&table)?;
    }
    if files.is_empty() {
        return Ok(());
    }
    ui.line("")?;
    let mut table = Table::new(["file", "size"]);
    for (path, content) in &files {
        table.row([path.clone(), size(content.len() as u64)]);
    }
    ui.table(&table)
}

fn images(store: &ContentStore, release: &Release) -> Result<Table, Failure> {
    let mut table = Table::new(["image", "digest", "size"]);
    for (name, descriptor) in &release.images {
        let digest: Digest = descriptor.digest().as_ref().parse()?;
        let bytes = store.image(descriptor)?.layers_size_bytes();
        table.row([name.familiar(), digest.short(), size(bytes)]);
    }
    Ok(table)
}
