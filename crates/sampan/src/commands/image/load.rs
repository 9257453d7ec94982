//! `sampan image load`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use sampan_oci::image_archive::{LoadedImage, Loading};
use sampan_oci::layer::Compression;
use sampan_oci::{ContentStore, Descriptor, Reference};
use serde::Serialize;

use super::import::Counted;
use super::names::{refuse_digest, refuse_release};
use super::{archive_failed, failed};
use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::ui::size;

/// Arguments of `sampan image load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An archive of `docker save` or of an OCI image layout, plain or compressed with gzip or
    /// zstd, or the folder of a layout; `-` is standard input
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// The name of the image instead of those that the archive gives
    #[arg(long, value_name = "NAME")]
    name: Option<Reference>,
    /// How layers that come plain are compressed: zstd, gzip or none; others stay as they are
    #[arg(long, value_name = "KIND", default_value = "zstd")]
    compression: Compression,
}

/// What became of an image of the archive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    names: Vec<String>,
    digest: String,
    size_bytes: u64,
    /// Names that stood for another image before.
    replaced: Vec<Replaced>,
}

#[derive(Serialize)]
struct Replaced {
    name: String,
    digest: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    if let Some(name) = &args.name {
        refuse_digest(name)?;
    }
    let store = context.content()?;
    let loading = read(args, context, &store)?;
    let mut images = loading.images().to_vec();
    rename(args, context, &mut images)?;
    let names: Vec<(Reference, Descriptor)> = images
        .iter()
        .flat_map(|image| {
            let named = |name: &Reference| (name.clone(), image.descriptor.clone());
            image.names.iter().map(named)
        })
        .collect();
    for (name, _) in &names {
        refuse_release(name)?;
    }
    let mut replaced = Vec::new();
    for (name, descriptor) in &names {
        let before = store.resolve(name).map_err(failed)?;
        replaced.push(before.filter(|before| before.digest() != descriptor.digest()));
    }
    let landed = loading.commit(&store, &names).map_err(archive_failed)?;
    let replaced: Vec<_> = names.iter().zip(replaced).collect();
    let rows = images
        .iter()
        .map(|image| row(&store, image, &replaced))
        .collect::<Result<Vec<_>, _>>()?;
    if context.json() {
        return context.ui().json(&serde_json::json!({
            "images": rows, "newBlobs": landed.new_blobs, "newBytes": landed.new_bytes,
        }));
    }
    rows.iter().try_for_each(|row| print(context, row))
}

fn read(args: &Args, context: &Context, store: &ContentStore) -> Result<Loading, Failure> {
    let label = format!("Loading {}", args.input.display());
    if args.input == Path::new("-") {
        if io::stdin().is_terminal() {
            return Err(Failure::new("there is no archive to load")
                .with_hint("give it with `-i FILE`, or pipe it to standard input"));
        }
        let bar = context.ui().spinner(label);
        let mut source = Counted::new(io::stdin().lock(), &bar);
        return Loading::from_archive(store, &mut source, args.compression).map_err(archive_failed);
    }
    let cannot = format!("cannot open `{}`", args.input.display());
    let file = File::open(&args.input)
        .or_fail(&cannot)
        .map_err(|failure| failure.with_exit(Exit::NotFound))?;
    let metadata = file.metadata().or_fail(&cannot)?;
    if metadata.is_dir() {
        let _bar = context.ui().spinner(label);
        return Loading::from_folder(store, &args.input).map_err(archive_failed);
    }
    let bar = context.ui().byte_bar(label, metadata.len());
    let mut source: Counted<'_, Box<dyn Read>> = Counted::new(Box::new(file), &bar);
    Loading::from_archive(store, &mut source, args.compression).map_err(archive_failed)
}

/// Gives the image the name of the command line, and tells of names that are none.
fn rename(args: &Args, context: &Context, images: &mut [LoadedImage]) -> Result<(), Failure> {
    match (&args.name, images) {
        (Some(name), [image]) => {
            image.names = vec![name.clone()];
            Ok(())
        }
        (Some(_), images) => Err(Failure::new(format!(
            "the archive holds {} images, which cannot all have the same name",
            images.len()
        ))
        .with_hint("leave `--name` out, and then use `sampan image tag`")
        .with_exit(Exit::Refused)),
        (None, images) => {
            for image in images {
                for misnomer in &image.misnomers {
                    context.ui().note(format!(
                        "`{misnomer}` is no name of an image; give one with `--name`"
                    ));
                }
            }
            Ok(())
        }
    }
}

fn row(
    store: &ContentStore,
    image: &LoadedImage,
    replaced: &[(&(Reference, Descriptor), Option<Descriptor>)],
) -> Result<Row, Failure> {
    let parts = store.reachable(&image.descriptor).map_err(failed)?;
    let replaced = replaced.iter().filter_map(|((name, _), before)| {
        let before = before.as_ref()?;
        image.names.contains(name).then(|| Replaced {
            name: name.familiar(),
            digest: before.digest().to_string(),
        })
    });
    Ok(Row {
        names: image.names.iter().map(Reference::familiar).collect(),
        digest: image.descriptor.digest().to_string(),
        size_bytes: parts.iter().map(Descriptor::size).sum(),
        replaced: replaced.collect(),
    })
}

fn print(context: &Context, row: &Row) -> Result<(), Failure> {
    let ui = context.ui();
    let (digest, bytes) = (&row.digest, size(row.size_bytes));
    if row.names.is_empty() {
        ui.line(format!("loaded {digest} ({bytes}), which has no name"))?;
        ui.note(format!(
            "give it one with `sampan image tag {digest} NAME`; content without a name may be removed"
        ));
    }
    for name in &row.names {
        ui.line(format!("loaded {name} {digest} ({bytes})"))?;
    }
    for replaced in &row.replaced {
        ui.note(format!("{} was {} before", replaced.name, replaced.digest));
    }
    Ok(())
}
