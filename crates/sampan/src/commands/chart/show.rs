//! `sampan chart show`: what a chart says of itself, as `helm show` prints it.

use std::process::ExitCode;

use clap::ValueEnum;
use sampan_chart::chart::Chart;
use serde_json::{Value, json};

use super::source::Source;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to show
    what: What,
    /// A folder, a package, `oci://HOST/REPOSITORY`, the address of a package, or the name of a chart of `--repo`
    chart: String,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// All of it
    All,
    /// `Chart.yaml`
    Chart,
    /// `values.yaml`
    Values,
    /// The text for readers
    Readme,
    /// The definitions of custom resources
    Crds,
}

/// Shows the chart.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let remote = args.source.remote(context)?;
    let chart = args.source.load(context, &args.chart, &remote, false)?;
    if context.json() {
        context.ui().json(&summary(&chart))?;
    } else {
        context.ui().bytes(&text(&chart, args.what))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn values(chart: &Chart) -> Option<&[u8]> {
    let file = chart.raw.iter().find(|file| file.name == "values.yaml");
    file.map(|file| &*file.data)
}

fn readme(chart: &Chart) -> Option<&[u8]> {
    let names = ["readme.md", "readme.txt", "readme"];
    let is_readme = |name: &str| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    let file = chart.files.iter().find(|file| is_readme(&file.name));
    file.map(|file| &*file.data)
}

fn text(chart: &Chart, what: What) -> Vec<u8> {
    let is_all = what == What::All;
    let mut text = Vec::new();
    let mut push = |part: &[u8], separated: bool| {
        if separated && is_all {
            text.extend_from_slice(b"---\n");
        }
        text.extend_from_slice(part);
        text.push(b'\n');
    };
    if is_all || what == What::Chart {
        push(&chart.metadata.to_yaml(), false);
    }
    if let Some(values) = values(chart).filter(|_| is_all || what == What::Values) {
        push(values, true);
    }
    if let Some(readme) = readme(chart).filter(|_| is_all || what == What::Readme) {
        push(readme, true);
    }
    if is_all || what == What::Crds {
        for (index, crd) in chart.crds().iter().enumerate() {
            let separated = index == 0 && !crd.file.data.starts_with(b"---");
            push(&crd.file.data, separated);
        }
    }
    text
}

fn summary(chart: &Chart) -> Value {
    let metadata: Value = serde_json::from_slice(&chart.metadata.to_json()).unwrap_or_default();
    let shown =
        |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let crds = chart.crds().into_iter().map(
        |crd| json!({"source": crd.path, "document": String::from_utf8_lossy(&crd.file.data)}),
    );
    json!({
        "chart": metadata,
        "values": shown(values(chart)),
        "readme": shown(readme(chart)),
        "crds": crds.collect::<Vec<_>>(),
    })
}
