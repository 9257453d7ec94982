//! What is given to install and to upgrade: the chart, the values, and what is said about the new revision.

use std::collections::BTreeMap;

use clap::ValueEnum;
use sampan_chart::chart::Chart;
use sampan_chart::release::{DryRun, Given};
use sampan_chart::values::Table;

use super::post_render::PostRender;
use super::source::Source;
use super::values::Values;
use crate::context::Context;
use crate::failure::Failure;

/// Options about a new revision.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for an option of its own"
)]
pub(crate) struct Options {
    #[command(flatten)]
    values: Values,
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    post_render: PostRender,
    /// Bring dependencies that are missing in the folder of the chart first
    #[arg(long)]
    dependency_update: bool,
    /// Show what would be installed, and change nothing; with `server`, `lookup` asks the cluster
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: Option<Dry>,
    /// A sentence about this revision, for the history
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Labels of the record of the release: `NAME=VALUE,…`
    #[arg(long, short, value_name = "NAME=VALUE", value_delimiter = ',', value_parser = label)]
    labels: Vec<(String, String)>,
    /// Show the notes of charts in the chart too
    #[arg(long)]
    render_subchart_notes: bool,
    /// Show no notes
    #[arg(long)]
    pub(crate) hide_notes: bool,
    /// Take the values as they are, whatever `values.schema.json` says
    #[arg(long)]
    skip_schema_validation: bool,
    /// Install no definitions of custom resources
    #[arg(long)]
    pub(crate) skip_crds: bool,
    /// Make the namespace where there is none
    #[arg(long)]
    pub(crate) create_namespace: bool,
    /// Take objects over that belong to nobody or to another release
    #[arg(long)]
    pub(crate) take_ownership: bool,
}

/// The forms of `--dry-run`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dry {
    /// It is done.
    #[value(alias = "false")]
    None,
    /// `lookup` finds nothing.
    #[value(alias = "true")]
    Client,
    /// `lookup` asks the cluster.
    Server,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Options {
    /// The chart that a reference names, and the values.
    pub(crate) fn load(
        &self,
        reference: &str,
        context: &Context,
    ) -> Result<(Chart, Table), Failure> {
        let remote = self.source.remote(context)?;
        let chart = self
            .source
            .load(context, reference, &remote, self.dependency_update)?;
        let values = self.values.read(&remote, self.source.compatibility())?;
        Ok((chart, values))
    }

    /// Whether it is only shown.
    pub(crate) fn dry_run(&self) -> DryRun {
        match self.dry_run {
            None | Some(Dry::None) => DryRun::No,
            Some(Dry::Client) => DryRun::Client,
            Some(Dry::Server) => DryRun::Server,
        }
    }

    /// Changes manifests by the user's program; says why that fails.
    pub(crate) fn post_render(&self, manifests: &[u8]) -> Result<Vec<u8>, String> {
        let changed = self.post_render.run(manifests.to_vec());
        changed.map_err(|failure| failure.message())
    }

    /// What is given for a new revision of a release.
    pub(crate) fn given<'a>(&self, name: &'a str, chart: &'a Chart, values: Table) -> Given<'a> {
        Given {
            values,
            description: self.description.clone(),
            labels: self.labels.iter().cloned().collect::<BTreeMap<_, _>>(),
            subchart_notes: self.render_subchart_notes,
            skip_schemas: self.skip_schema_validation,
            dry_run: self.dry_run(),
            ..Given::new(name, chart)
        }
    }
}
