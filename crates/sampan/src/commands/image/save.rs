//! `sampan image save`.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use sampan_oci::image_archive::{ArchiveFormat, ArchivePlan, SavedImage};
use sampan_oci::{ContentStore, Reference};
use serde_json::json;

use super::archive_failed;
use super::lookup::ImageName;
use crate::cli::Output;
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};
use crate::ui::{Bar, size};

/// Arguments of `sampan image save`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Names or digests of images
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<ImageName>,
    /// The archive; `-` is standard output
    #[arg(short = 'o', long = "file", value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// What kind of archive: `docker` is read by every tool, `oci` keeps digests, compression and
    /// all platforms
    #[arg(long, value_name = "KIND", default_value = "docker")]
    format: Format,
    /// What results look like on standard output
    // Stands here as well, because `-o` means a file, as it does for docker and podman.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Options of every command"
    )]
    output: Output,
}

/// The kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// What `docker save` writes.
    #[value(alias = "docker-archive")]
    Docker,
    /// An OCI image layout.
    #[value(alias = "oci-archive")]
    Oci,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let to_stdout = args.file == Path::new("-");
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::new("an archive is not for a terminal")
            .with_hint("give a file with `-o FILE`, or pipe it to a program"));
    }
    let store = context.content()?;
    let images = gather(args, &store)?;
    let bar = context.ui().spinner("Reading layers");
    let mut read_bytes = 0;
    let mut measured = |count| {
        read_bytes += count;
        bar.set_label(format!("Reading layers: {}", size(read_bytes)));
    };
    let format = match args.format {
        Format::Docker => ArchiveFormat::Docker,
        Format::Oci => ArchiveFormat::Oci,
    };
    let plan = ArchivePlan::new(&store, &images, format, &mut measured).map_err(archive_failed)?;
    drop(bar);
    let bar = context.ui().byte_bar("Saving", plan.archive_bytes());
    if to_stdout {
        return to_standard_output(&plan, &store, &bar);
    }
    plan.write_file(&store, &args.file, &mut |position| {
        bar.set_position(position);
    })
    .map_err(archive_failed)?;
    drop(bar);
    report(args, context, &images, plan.archive_bytes())
}

fn to_standard_output(plan: &ArchivePlan, store: &ContentStore, bar: &Bar) -> Result<(), Failure> {
    let out = io::BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    plan.write(store, out, &mut |position| bar.set_position(position))
        .map_err(archive_failed)?
        .flush()
        .or_fail("cannot write to standard output")
}

/// The images, each once, with the names that were given for them.
fn gather(args: &Args, store: &ContentStore) -> Result<Vec<SavedImage>, Failure> {
    let mut images: Vec<SavedImage> = Vec::new();
    for image in &args.images {
        let found = image.find(store)?;
        let known = images
            .iter_mut()
            .find(|image| image.descriptor.digest() == found.descriptor.digest());
        match known {
            Some(known) => {
                let new = found.name.filter(|name| !known.names.contains(name));
                known.names.extend(new);
            }
            None => images.push(SavedImage {
                names: found.name.into_iter().collect(),
                descriptor: found.descriptor,
            }),
        }
    }
    Ok(images)
}

fn report(
    args: &Args,
    context: &Context,
    images: &[SavedImage],
    archive_bytes: u64,
) -> Result<(), Failure> {
    let names = |image: &SavedImage| -> Vec<String> {
        image.names.iter().map(Reference::familiar).collect()
    };
    if args.output == Output::Json {
        let images: Vec<_> = images
            .iter()
            .map(|image| json!({"names": names(image), "digest": image.descriptor.digest()}))
            .collect();
        return context.ui().json(&json!({
            "file": args.file, "sizeBytes": archive_bytes, "images": images,
        }));
    }
    let shown: Vec<String> = images
        .iter()
        .flat_map(|image| match image.names.as_slice() {
            [] => vec![image.descriptor.digest().to_string()],
            _ => names(image),
        })
        .collect();
    context.ui().line(format!(
        "saved {} into {} ({})",
        shown.join(", "),
        args.file.display(),
        size(archive_bytes)
    ))
}
