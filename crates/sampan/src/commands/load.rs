//! `sampan load`: the releases and images of a bundle, verified.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_bundle::bundle::{self, BundleError, Progress};
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure, OrFail as _};
use crate::ui::size;

/// Arguments of `sampan load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Verifies the bundle while it streams into the content store.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let mut source: Box<dyn Read> = if args.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(open(&args.file)?)
    };
    let store = context.content()?;
    let bar = context
        .ui()
        .byte_bar(format!("Loading {}", args.file.display()), 0);
    let mut progress = |progress: Progress| {
        bar.set_total(progress.total_bytes);
        bar.set_position(progress.done_bytes);
    };
    let summary = bundle::load(&store, &mut source, &mut progress).map_err(failure)?;
    drop(bar);
    if context.json() {
        context.ui().json(&json!({
            "releases": summary.releases,
            "images": summary.images,
            "newBlobs": summary.new_blobs,
            "newBytes": summary.new_bytes,
            "heldBlobs": summary.held_blobs,
            "bundleBytes": summary.bundle_bytes,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut parts: Vec<_> = summary.releases.iter().map(ToString::to_string).collect();
    match summary.images.as_slice() {
        [] => {}
        [image] => parts.push(image.familiar()),
        images => parts.push(format!("{} images", images.len())),
    }
    context.ui().line(format!(
        "loaded {}: {} new in {} blobs, {} blobs were here",
        parts.join(", "),
        size(summary.new_bytes),
        summary.new_blobs,
        summary.held_blobs
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path)
        .or_fail(format!("cannot open `{}`", path.display()))
        .map_err(|failure| {
            let hint = "give a file that was written by `sampan pack`";
            failure.with_hint(hint).of_named()
        })
}

/// The failure of `error`, with its exit code.
pub(crate) fn failure(error: BundleError) -> Failure {
    let exit = match &error {
        BundleError::Release(_) => None,
        BundleError::Store(error) => Some(super::release::store_exit(error)),
        BundleError::Missing { .. }
        | BundleError::NotABundle { .. }
        | BundleError::Contents { .. }
        | BundleError::Inconsistent { .. }
        | BundleError::Truncated { .. }
        | BundleError::Altered { .. } => Some(Exit::Damaged),
        _ => Some(Exit::Failed),
    };
    match (error, exit) {
        (BundleError::Release(error), _) => super::release::failure(error),
        (error, exit) => Failure::from(error).with_exit(exit.unwrap_or(Exit::Failed)),
    }
}
