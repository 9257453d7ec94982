//! `sampan image ls`.

mod pattern;

use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Descriptor, Reference};
use serde::Serialize;

use self::pattern::matches;
use super::history::{made, short};
use super::lookup::image_names;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::{Table, size};

/// Arguments of `sampan image ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only names like these, with or without tag; `*` stands for any text, `?` for a character
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Print whole digests
    #[arg(long, visible_alias = "no-trunc")]
    digests: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    digest: String,
    /// Of all that belongs to it, each blob counted once.
    size_bytes: u64,
    /// None for what is no image for this machine.
    layers: Option<usize>,
    created: Option<String>,
}

/// Lists images; with `--quiet` only their names.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let store = context.content()?;
    let mut rows = Vec::new();
    for (reference, descriptor) in image_names(&store)? {
        let wanted = |pattern: &String| {
            matches(pattern, &reference.familiar_name()) || matches(pattern, &reference.familiar())
        };
        if args.patterns.is_empty() || args.patterns.iter().any(wanted) {
            rows.push(row(&store, &reference, &descriptor)?);
        }
    }
    if context.json() {
        return context.ui().json(&rows);
    }
    if context.ui().is_quiet() {
        return rows.iter().try_for_each(|row| context.ui().line(&row.name));
    }
    if rows.is_empty() {
        context.ui().note(if args.patterns.is_empty() {
            "no images; make one with `sampan image bootstrap` or `sampan build`, or bring some with `sampan image load`"
        } else {
            "no images with such names"
        });
        return Ok(());
    }
    let mut table = Table::new(["name", "digest", "size", "layers", "created"]);
    for row in rows {
        table.row([
            row.name,
            if args.digests {
                row.digest
            } else {
                short(&row.digest)
            },
            size(row.size_bytes),
            row.layers
                .map_or("-".to_owned(), |layers| layers.to_string()),
            made(row.created.as_deref().unwrap_or_default()),
        ]);
    }
    context.ui().table(&table)
}

fn row(
    store: &ContentStore,
    reference: &Reference,
    descriptor: &Descriptor,
) -> Result<Row, Failure> {
    let cannot = format!("cannot read image `{}`", reference.familiar());
    let parts = store.reachable(descriptor).or_fail(&cannot)?;
    let image = match store.image(descriptor) {
        Ok(image) => Some(image),
        Err(StoreError::NotAnImage { .. } | StoreError::Platform { .. }) => None,
        Err(error) => return Err(error).or_fail(&cannot),
    };
    Ok(Row {
        name: reference.familiar(),
        digest: descriptor.digest().to_string(),
        size_bytes: parts.iter().map(Descriptor::size).sum(),
        layers: image.as_ref().map(|image| image.manifest.layers().len()),
        created: image.and_then(|image| image.config.created().clone()),
    })
}
