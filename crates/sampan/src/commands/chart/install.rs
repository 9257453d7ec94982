//! `sampan chart install`: a chart as a new release.

use std::process::ExitCode;

use sampan_chart::release::Install;
use sampan_chart::render::{NameError, release_name};
use sampan_supervise::clock;

use super::cluster::{Place, Rollout, failure};
use super::given::Options;
use super::shown;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `sampan chart install`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "sampan chart install [OPTIONS] [NAME] CHART")]
pub(crate) struct Args {
    /// The name of the release, and the chart: a folder, a package, `oci://HOST/REPOSITORY`, the address of a package, or
    /// the name of a chart of `--repo`
    #[arg(required = true, num_args = 1..=2, value_names = ["NAME", "CHART"])]
    names: Vec<String>,
    /// Make a name from that of the chart and the time
    #[arg(long, short)]
    generate_name: bool,
    /// A template of the name
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "generate_name")]
    name_template: Option<String>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    rollout: Rollout,
    /// Take everything away again when it fails; implies `--wait`
    #[arg(long, visible_alias = "rollback-on-failure")]
    atomic: bool,
    /// Use the name of a release again that failed or was uninstalled with `--keep-history`
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    place: Place,
}

/// Installs the chart and shows the release.
pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitCode, Failure> {
    let (name, reference) = args.name()?;
    let options = &args.options;
    let (chart, values) = options.load(reference, context)?;
    let connected = args.place.connect(context)?;
    let releases = connected.releases_as(options.source.compatibility(), options.take_ownership);
    let post_render = |manifests: &[u8]| options.post_render(manifests);
    let mut given = options.given(&name, &chart, values);
    given.post_render = Some(&post_render);
    let install = Install {
        carrying: args.rollout.carrying(false),
        atomic: args.atomic,
        create_namespace: options.create_namespace,
        skip_crds: options.skip_crds,
        replace: args.replace,
    };
    let release = releases.install(&given, &install).map_err(failure)?;
    shown::change(&release, given.dry_run, options.hide_notes, context)?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The name of the release and the chart that was named.
    fn name(&self) -> Result<(String, &str), Failure> {
        let (given, chart) = match &self.names[..] {
            [name, chart, ..] => (Some(name.as_str()), chart.as_str()),
            [chart] => (None, chart.as_str()),
            [] => return Err(Failure::new("no chart is named")),
        };
        if self.generate_name {
            if given.is_some() {
                return Err(Failure::from(NameError::Both));
            }
            return Ok((generated(chart), chart));
        }
        if given.is_none() && self.name_template.is_none() {
            return Err(
                Failure::new("must either provide a name or specify --generate-name")
                    .with_hint("write `sampan chart install NAME CHART`"),
            );
        }
        Ok((release_name(given, self.name_template.as_deref())?, chart))
    }
}

/// The last part of what names the chart, without an ending, and the time in seconds.
fn generated(chart: &str) -> String {
    let base = chart
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(chart);
    let base = match base.split('.').next() {
        None | Some("") => "chart",
        Some(base) => base,
    };
    format!("{base}-{}", clock::now().as_second())
}
