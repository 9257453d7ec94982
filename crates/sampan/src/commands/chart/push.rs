//! `sampan chart push`: a packed chart into a registry, where Helm finds it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_chart::package::pack;
use sampan_chart::repository::{self, PACKAGE_LIMIT_BYTES};
use serde_json::json;

use super::source::{Reaching, failure};
use crate::context::Context;
use crate::failure::{Failure, OrFail as _};

/// Arguments of `sampan chart push`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A package, or a folder, which is packed then
    chart: PathBuf,
    /// The place below which the chart goes under its name, such as `oci://registry.example/charts`
    #[arg(value_name = "ADDRESS")]
    target: String,
    #[command(flatten)]
    reaching: Reaching,
}

/// Pushes the chart.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let package = if args.chart.is_dir() {
        pack(&args.reaching.load_folder(context, &args.chart)?)?
    } else {
        read(&args.chart).or_fail(format!(
            "cannot read the package `{}`",
            args.chart.display()
        ))?
    };
    let remote = args.reaching.remote(context)?;
    let pushed = repository::push(package, &args.target, &remote).map_err(failure)?;
    if context.json() {
        context.ui().json(&json!({
            "name": pushed.metadata.name,
            "version": pushed.metadata.version,
            "reference": pushed.reference,
            "digest": pushed.digest,
        }))?;
    } else {
        let (reference, digest) = (&pushed.reference, &pushed.digest);
        context.ui().line(format!("pushed {reference} {digest}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A package, or so much of it that it is seen to be too large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let limit = PACKAGE_LIMIT_BYTES as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut content)?;
    Ok(content)
}
