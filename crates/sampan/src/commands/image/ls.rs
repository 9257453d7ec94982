//! `sampan image ls`.

use sampan_oci::{ContentStore, Descriptor, Digest, Reference};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::{Table, age, size};

/// Arguments of `sampan image ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    digest: String,
    size_bytes: u64,
    layers: usize,
    created: Option<String>,
}

pub(super) fn run(_args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let mut rows = Vec::new();
    for (reference, descriptor) in store.references()? {
        if sampan_bundle::release::release_name(&reference).is_none() {
            rows.push(row(&store, &reference, &descriptor)?);
        }
    }
    if context.json() {
        return context.ui().json(&rows);
    }
    if rows.is_empty() {
        context
            .ui()
            .note("no images; make one with `sampan image bootstrap` or `sampan build`");
        return Ok(());
    }
    let mut table = Table::new(["name", "digest", "size", "layers", "created"]);
    for row in rows {
        let short = row
            .digest
            .parse::<Digest>()
            .map_or(row.digest, |digest| digest.short());
        let created = row
            .created
            .and_then(|text| text.parse().ok())
            // Reproducible images carry the beginning of time, which tells nothing.
            .filter(|created| *created != jiff::Timestamp::UNIX_EPOCH)
            .map_or("-".to_owned(), age);
        table.row([
            row.name,
            short,
            size(row.size_bytes),
            row.layers.to_string(),
            created,
        ]);
    }
    context.ui().table(&table)
}

fn row(
    store: &ContentStore,
    reference: &Reference,
    descriptor: &Descriptor,
) -> Result<Row, Failure> {
    let image = store
        .image(descriptor)
        .or_fail(format!("cannot read image `{}`", reference.familiar()))?;
    Ok(Row {
        name: reference.familiar(),
        digest: descriptor.digest().to_string(),
        size_bytes: image.layers_size_bytes(),
        layers: image.manifest.layers().len(),
        created: image.config.created().clone(),
    })
}
