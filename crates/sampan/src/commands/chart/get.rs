//! `sampan chart get`: what is recorded of a release.

use std::process::ExitCode;

use sampan_chart::release::{Release, Releases};
use sampan_chart::values::{Table, Tree};
use serde_json::{Map, Value, json};

use super::cluster::{Place, failure};
use super::shown::{self, Parts};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The values that the user gave
    Values {
        /// Those of the chart too
        #[arg(long, short)]
        all: bool,
        #[command(flatten)]
        of: Of,
    },
    /// The manifests
    Manifest(Of),
    /// The notes
    Notes(Of),
    /// The hooks
    Hooks(Of),
    /// Chart, version, state and time
    Metadata(Of),
    /// All of it
    All(Of),
}

/// Which revision is meant.
#[derive(Debug, clap::Args)]
struct Of {
    /// The release
    name: String,
    /// The revision [default: the last]
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u32>,
    #[command(flatten)]
    place: Place,
}

/// Prints what is recorded.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let (What::Values { of, .. }
    | What::Manifest(of)
    | What::Notes(of)
    | What::Hooks(of)
    | What::Metadata(of)
    | What::All(of)) = &args.what;
    let connected = of.place.connect(context)?;
    let releases = connected.releases();
    let revision = of.revision.filter(|revision| *revision > 0);
    let release = releases.get(&of.name, revision).map_err(failure)?;
    let (text, value) = match &args.what {
        What::Values { all, .. } => values(&releases, &release, *all)?,
        What::Manifest(_) => (release.manifest.clone(), json!(release.manifest)),
        What::Notes(_) => (
            format!("NOTES:\n{}", release.info.notes),
            json!(release.info.notes),
        ),
        What::Hooks(_) => (shown::hooks(&release), json!(release.hooks)),
        What::Metadata(_) => metadata(&release),
        What::All(_) => (everything(&releases, &release)?, shown::to_json(&release)?),
    };
    if context.json() {
        context.ui().json(&value)?;
    } else if !text.is_empty() {
        context
            .ui()
            .line(text.strip_suffix('\n').unwrap_or(&text))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn values(
    releases: &Releases<'_>,
    release: &Release,
    all: bool,
) -> Result<(String, Value), Failure> {
    let (title, values) = if all {
        (
            "COMPUTED VALUES:",
            releases.all_values(release).map_err(failure)?,
        )
    } else {
        ("USER-SUPPLIED VALUES:", own_values(release))
    };
    let entries = values.iter();
    let object = entries.map(|(key, value)| (key.clone(), value.into()));
    let object = Value::Object(object.collect());
    let json = if values.is_empty() {
        Value::Null
    } else {
        object
    };
    Ok((format!("{title}\n{}", shown::values(&values)?), json))
}

fn own_values(release: &Release) -> Table {
    let config: &Map<String, Value> = &release.config;
    config
        .iter()
        .map(|(key, value)| (key.clone(), Tree::from(value.clone())))
        .collect()
}

fn metadata(release: &Release) -> (String, Value) {
    let fields = [
        ("NAME", "name", release.name.clone()),
        ("CHART", "chart", release.chart.name().to_owned()),
        ("VERSION", "version", release.chart.version().to_owned()),
        (
            "APP_VERSION",
            "appVersion",
            release.chart.app_version().to_owned(),
        ),
        ("NAMESPACE", "namespace", release.namespace.clone()),
        ("REVISION", "revision", release.version.to_string()),
        ("STATUS", "status", release.info.status.to_string()),
        (
            "DEPLOYED_AT",
            "deployedAt",
            release
                .info
                .last_deployed
                .0
                .map_or_else(String::new, |time| time.to_string()),
        ),
    ];
    let lines = fields
        .iter()
        .map(|(title, _, value)| format!("{title}: {value}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let entries = fields
        .into_iter()
        .map(|(_, key, value)| (key.to_owned(), json!(value)));
    let mut object: Map<String, Value> = entries.collect();
    object.insert("revision".to_owned(), json!(release.version));
    (text, Value::Object(object))
}

fn everything(releases: &Releases<'_>, release: &Release) -> Result<String, Failure> {
    let head = shown::text(
        release,
        &Parts {
            no_notes: true,
            ..Parts::default()
        },
    );
    let (own, _) = values(releases, release, false)?;
    let (all, _) = values(releases, release, true)?;
    let (hooks, manifest, notes) = (
        shown::hooks(release),
        &release.manifest,
        release.info.notes.trim(),
    );
    let text = format!("{head}\n{own}\n\n{all}\n\nHOOKS:\n{hooks}MANIFEST:\n{manifest}\n");
    Ok(if notes.is_empty() {
        text
    } else {
        format!("{text}NOTES:\n{notes}\n")
    })
}
