//! `sampan image ls`.

mod pattern;

use sampan_model::Causes;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Descriptor, Reference};
use serde::Serialize;

use self::pattern::matches;
use super::failed;
use super::history::{made, short};
use super::lookup::image_names;
use crate::commands::release::store_exit;
use crate::context::Context;
use crate::failure::{Exit, Failure};
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
    /// Of all that belongs to it, each blob counted once; none when that cannot be told.
    size_bytes: Option<u64>,
    /// None for what is no image for this machine.
    layers: Option<usize>,
    created: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
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
    let damaged = damaged(&rows);
    show(args, context, rows)?;
    damaged.map_or(Ok(()), Err)
}

/// What is said at the end when some of the images are not whole.
fn damaged(rows: &[Row]) -> Option<Failure> {
    let mut damaged = rows
        .iter()
        .filter_map(|row| Some((row, row.damage.as_ref()?)));
    let (first, damage) = damaged.next()?;
    let more = match damaged.count() {
        0 => String::new(),
        count => format!(", and so are {count} more"),
    };
    let name = &first.name;
    Some(
        Failure::new(format!("image `{name}` is damaged{more}: {damage}"))
            .with_hint(format!(
                "bring it again with `sampan pull`, `sampan image load` or `sampan build`, or remove it with \
                 `sampan image rm {name}`"
            ))
            .with_exit(Exit::Damaged),
    )
}

fn show(args: &Args, context: &Context, rows: Vec<Row>) -> Result<(), Failure> {
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
            row.size_bytes.map_or("damaged".to_owned(), size),
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
    let mut row = Row {
        name: reference.familiar(),
        digest: descriptor.digest().to_string(),
        size_bytes: None,
        layers: None,
        created: None,
        damage: None,
    };
    match read(store, descriptor, &mut row) {
        // One that is damaged hides no others.
        Err(error) if store_exit(&error) == Exit::Damaged => {
            row.damage = Some(Causes(&error).to_string());
        }
        Err(error) => return Err(failed(error)),
        Ok(()) => {}
    }
    Ok(row)
}

fn read(store: &ContentStore, descriptor: &Descriptor, row: &mut Row) -> Result<(), StoreError> {
    let parts = store.reachable(descriptor)?;
    let image = match store.image(descriptor) {
        Ok(image) => Some(image),
        Err(StoreError::NotAnImage { .. } | StoreError::Platform { .. }) => None,
        Err(error) => return Err(error),
    };
    if let Some(digest) = store.missing(descriptor)?.into_iter().next() {
        return Err(StoreError::Missing { digest });
    }
    row.size_bytes = Some(parts.iter().map(Descriptor::size).sum());
    row.layers = image.as_ref().map(|image| image.manifest.layers().len());
    row.created = image.and_then(|image| image.config.created().clone());
    Ok(())
}
