//! `sampan chart package`: a chart in one file, the same bytes whenever and wherever it is packed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sampan_chart::chart::Chart;
use sampan_chart::package::{file_name, pack};
use sampan_chart::version::Version;
use serde_json::json;

use super::file::write;
use super::source::{Reaching, update_dependencies};
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::size;

/// Arguments of `sampan chart package`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders of charts
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The version that the packed chart shall have
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// The version of the app that the packed chart shall name
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    /// The folder for the package
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Bring the dependencies that `Chart.yaml` names first
    #[arg(long, short = 'u')]
    dependency_update: bool,
    #[command(flatten)]
    reaching: Reaching,
}

/// Packs the charts.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let mut results = Vec::new();
    for path in &args.paths {
        if args.dependency_update {
            let remote = args.reaching.remote(context)?;
            update_dependencies(path, args.reaching.compatibility(), &remote)?;
        }
        let chart = load(args, path, context)?;
        let package = pack(&chart)?;
        let target = args.destination.join(file_name(&chart.metadata)?);
        write(&target, &package)?;
        let shown = target.display();
        if context.json() {
            results.push(json!({
                "name": chart.metadata.name,
                "version": chart.metadata.version,
                "path": target,
                "sizeBytes": package.len(),
            }));
        } else {
            let size = size(package.len() as u64);
            context.ui().line(format!("packed {shown} ({size})"))?;
        }
    }
    if context.json() {
        context.ui().json(&results)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn load(args: &Args, path: &Path, context: &Context) -> Result<Chart, Failure> {
    let mut chart = args.reaching.load_folder(context, path)?;
    if let Some(version) = &args.version {
        chart.metadata.version.clone_from(version);
    }
    if let Some(version) = &args.app_version {
        chart.metadata.app_version.clone_from(version);
    }
    if let Err(problem) = Version::parse(&chart.metadata.version) {
        let message = format!("`{}` is no version: {problem}", chart.metadata.version);
        return Err(Failure::new(message).with_hint("such as `1.2.3`"));
    }
    Ok(chart)
}
