//! `sampan ci vendor`: all that the pipelines of a working tree stand on, in a file that can be carried.

use std::path::PathBuf;
use std::process::ExitCode;

use sampan_bundle::bundle::Bundle;
use sampan_oci::{Descriptor, Digest, Reference};
use serde_json::json;

use super::installation;
use super::supply::{Found, Supply};
use crate::commands::load::failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::size;

/// Arguments of `sampan ci vendor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, or folders with some [default: all pipelines of the working tree]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The file to write [default: FOLDER-ci.tar, named after the working tree]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Only say what would be packed
    #[arg(long)]
    dry_run: bool,
}

/// Looks for all that is needed, and packs it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.content()?;
    let supply = Supply::collect(&args.files, context)?;
    let lock = installation::lock(&supply.tree)?;
    supply.require(lock.as_ref(), context)?;
    let mut found = supply.images(lock.as_ref())?;
    found.extend(supply.images_of_the_installation()?);
    found.extend(supply.base_images(context.ui())?);
    found.extend(supply.actions(lock.as_ref())?);
    if found.is_empty() {
        context
            .ui()
            .line("the pipelines need no images and actions beside what is built in")?;
        return Ok(ExitCode::SUCCESS);
    }
    let bundle = Bundle::plan_with_images(&store, &[], &names(&found)?, &[]).map_err(failure)?;
    let file = args.to.clone();
    let file = file.unwrap_or_else(|| PathBuf::from(format!("{}-ci.tar", supply.tree.name())));
    if !args.dry_run {
        let label = format!("Packing {}", file.display());
        let bar = context.ui().byte_bar(label, bundle.file_bytes());
        let mut progress =
            |progress: sampan_bundle::bundle::Progress| bar.set_position(progress.done_bytes);
        bundle
            .write_file(&store, &file, &mut progress)
            .map_err(failure)?;
    }
    let written = (!args.dry_run).then_some(&file);
    if context.json() {
        let needs = found.iter().map(|found| {
            json!({"name": found.name, "digest": found.descriptor.digest(), "as": found.local})
        });
        context.ui().json(&json!({
            "file": written,
            "sizeBytes": bundle.file_bytes(),
            "needs": needs.collect::<Vec<_>>(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let place = written.map_or("would be written".to_owned(), |file| {
        file.display().to_string()
    });
    context
        .ui()
        .line(format!("{place} ({}):", size(bundle.file_bytes())))?;
    for one in &found {
        context.ui().line(format!("  {}", one.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The names under which everything is found on the other side: that of the pipeline, and that of the installation here.
fn names(found: &[Found]) -> Result<Vec<(Reference, Descriptor)>, Failure> {
    let mut names: Vec<(Reference, Descriptor)> = Vec::new();
    for one in found {
        // Actions have names of their own.
        let written = one.name.parse::<Reference>().ok();
        for name in [Some(one.local.clone()), written].into_iter().flatten() {
            let name = tagged(&name, &one.descriptor)?;
            if !names.iter().any(|(known, _)| *known == name) {
                names.push((name, one.descriptor.clone()));
            }
        }
    }
    Ok(names)
}

/// The name with a tag and no digest; who has written a digest finds it by that.
fn tagged(name: &Reference, descriptor: &Descriptor) -> Result<Reference, Failure> {
    let tag = match name.tag() {
        Some(tag) => tag.to_owned(),
        None => Digest::of(descriptor)?.short(),
    };
    Ok(name.with_tag(&tag)?)
}
