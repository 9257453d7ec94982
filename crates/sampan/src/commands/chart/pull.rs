//! `sampan chart pull`: charts of registries and chart repositories as files.

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use sampan_chart::chart::Chart;
use sampan_chart::repository::{Located, Package};
use serde_json::json;

use super::file::{write, write_folder};
use super::source::Source;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Arguments of `sampan chart pull`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `oci://HOST/REPOSITORY`, the address of a package, or the name of a chart of `--repo`
    #[arg(required = true, value_name = "CHART")]
    charts: Vec<String>,
    /// The folder for the package, or for the folder of the chart
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    destination: PathBuf,
    /// Unpack it into a folder with the name of the chart, which must not be there
    #[arg(long)]
    untar: bool,
    #[command(flatten)]
    source: Source,
}

/// Pulls one chart after the other.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let remote = args.source.remote(context)?;
    let mut results = Vec::new();
    for name in &args.charts {
        let package = match args.source.locate(name, &remote)? {
            Located::Package(package) => package,
            Located::Path(path) => {
                let message = format!("`{}` is here already", path.display());
                return Err(Failure::new(message).with_exit(Exit::Refused));
            }
        };
        let chart = Chart::from_archive(&package.bytes, args.source.compatibility())?;
        let target = if args.untar {
            unpack(&chart, &args.destination)?
        } else {
            let target = args.destination.join(&package.file_name);
            write(&target, &package.bytes)?;
            target
        };
        if !package.is_verified {
            context.ui().warn(format!(
                "nobody says which digest {} has: it is unverified",
                package.address
            ));
        }
        tell(context, &package, &chart, &target, &mut results)?;
    }
    if context.json() {
        context.ui().json(&results)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(
    context: &Context,
    package: &Package,
    chart: &Chart,
    target: &Path,
    results: &mut Vec<serde_json::Value>,
) -> Result<(), Failure> {
    if context.json() {
        results.push(json!({
            "name": chart.metadata.name,
            "version": chart.metadata.version,
            "source": package.address,
            "digest": package.digest,
            "path": target,
        }));
        return Ok(());
    }
    let digest = package.digest.as_ref();
    let digest = digest.map_or_else(String::new, |digest| format!(" {digest}"));
    context.ui().line(format!(
        "pulled {}{digest} to {}",
        package.address,
        target.display()
    ))
}

/// Writes the files of a chart into a new folder.
fn unpack(chart: &Chart, destination: &Path) -> Result<PathBuf, Failure> {
    let is_plain = |path: &str| {
        let mut parts = Path::new(path).components();
        !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    let folder = destination.join(chart.name());
    let names = chart.raw.iter().map(|file| file.name.as_str());
    if let Some(name) = names.chain([chart.name()]).find(|name| !is_plain(name)) {
        let message = format!("the chart has a file `{name}`, which would lie elsewhere");
        return Err(Failure::new(message).with_exit(Exit::Damaged));
    }
    if folder.exists() {
        let message = format!("`{}` is there already", folder.display());
        return Err(Failure::new(message)
            .with_hint("remove it, or choose another folder with `--destination`")
            .with_exit(Exit::Refused));
    }
    let files = chart.raw.iter();
    write_folder(&folder, files.map(|file| (file.name.as_str(), &*file.data)))?;
    Ok(folder)
}
