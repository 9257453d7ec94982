//! From a chart and values to the record of a new revision, before anything is done with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Releases;
use super::charts::ChartRecord;
use super::error::Error;
use super::lookup::lookups;
use super::moment::Moment;
use super::record::{HookRecord, Info, Release, Status};
use super::secret::SYSTEM_LABELS;
use super::target::{Target, TargetError};
use crate::chart::Chart;
use crate::compatibility::Compatibility;
use crate::render::{self, Capabilities, KubeVersion, Options, Rendered};
use crate::values::{Table, Tree};

/// A program of the user that changes manifests; it says why it fails.
pub type PostRender<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, String> + 'a;

/// Whether something is only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DryRun {
    /// It is done.
    #[default]
    No,
    /// It is shown; `lookup` finds nothing.
    Client,
    /// It is shown; `lookup` looks into the cluster.
    Server,
}

/// What the user gives for a new revision.
#[derive(Clone)]
pub struct Given<'a> {
    /// The release.
    pub name: &'a str,
    /// The chart.
    pub chart: &'a Chart,
    /// The values, over those of the chart.
    pub values: Table,
    /// A sentence about the revision instead of the usual one.
    pub description: Option<String>,
    /// Labels of the record.
    pub labels: BTreeMap<String, String>,
    /// Whether the notes of charts in the chart are part of the notes.
    pub subchart_notes: bool,
    /// Whether values are taken as they are, whatever the schemas say.
    pub skip_schemas: bool,
    /// What the manifests go through.
    pub post_render: Option<&'a PostRender<'a>>,
    /// Whether it is only shown.
    pub dry_run: DryRun,
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("name", &self.name)
            .field("chart", &self.chart.name())
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

impl<'a> Given<'a> {
    /// A release of a chart with its own values.
    #[must_use]
    pub fn new(name: &'a str, chart: &'a Chart) -> Self {
        Self {
            name,
            chart,
            values: Table::new(),
            description: None,
            labels: BTreeMap::new(),
            subchart_notes: false,
            skip_schemas: false,
            post_render: None,
            dry_run: DryRun::No,
        }
    }

    /// The sentence about the revision.
    pub(super) fn description(&self, usual: &str) -> String {
        self.description.clone().unwrap_or_else(|| usual.to_owned())
    }

    pub(super) fn check_labels(&self) -> Result<(), Error> {
        if self
            .labels
            .keys()
            .any(|label| SYSTEM_LABELS.contains(&label.as_str()))
        {
            return Err(Error::SystemLabels);
        }
        Ok(())
    }
}

/// The revision that is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) revision: u32,
    pub(super) is_upgrade: bool,
}

impl Releases<'_> {
    /// Renders a chart for this cluster and makes the record of a revision of it.
    pub(super) fn prepare(
        &self,
        given: &Given<'_>,
        chart: &Chart,
        values: &Table,
        step: Step,
    ) -> Result<Release, Error> {
        given.check_labels()?;
        let compatibility = self.settings.compatibility;
        let looks_up = given.dry_run != DryRun::Client;
        let options = Options {
            release: render::Release {
                name: given.name.to_owned(),
                namespace: self.settings.namespace.clone(),
                revision: step.revision,
                is_upgrade: step.is_upgrade,
            },
            capabilities: capabilities(&*self.target, compatibility)?,
            subchart_notes: given.subchart_notes,
            skip_schemas: given.skip_schemas,
            cluster: looks_up.then(|| lookups(Arc::clone(&self.target))),
            ..Options::new(given.name, compatibility)
        };
        let rendered = render::render(chart, values, &options)?;
        for warning in &rendered.warnings {
            self.say(warning);
        }
        let manifest = manifest(&rendered, given.post_render)?;
        let now = Moment::now();
        let config: Map<String, Json> = values
            .iter()
            .map(|(key, value)| (key.clone(), Json::from(value)))
            .collect();
        Ok(Release {
            name: given.name.to_owned(),
            info: Info {
                first_deployed: now,
                last_deployed: now,
                status: Status::Unknown,
                notes: String::from_utf8_lossy(&rendered.notes).into_owned(),
                ..Info::default()
            },
            chart: ChartRecord::of(&rendered.chart),
            config,
            manifest,
            hooks: rendered.hooks.iter().map(HookRecord::from).collect(),
            version: step.revision,
            namespace: self.settings.namespace.clone(),
            labels: given.labels.clone(),
            rest: Map::new(),
        })
    }
}

/// What templates are told of a cluster.
///
/// # Errors
/// When it does not answer.
pub fn capabilities(
    target: &dyn Target,
    compatibility: Compatibility,
) -> Result<Capabilities, TargetError> {
    let version = target.version()?;
    let git = version.git_version;
    let normalized = match compatibility {
        Compatibility::Helm3 => git.clone(),
        Compatibility::Helm4 => KubeVersion::parse(&git, Compatibility::Helm4)
            .map_or_else(|_| git.clone(), |parsed| parsed.normalized),
    };
    Ok(Capabilities {
        kube_version: KubeVersion {
            version: git,
            normalized,
            major: version.major,
            minor: version.minor,
        },
        api_versions: target.api_versions()?,
    })
}

/// The manifests in one text, changed by the user's program.
fn manifest(rendered: &Rendered, post_render: Option<&PostRender<'_>>) -> Result<String, Error> {
    let text = rendered.manifest(false);
    let text = match post_render {
        Some(program) => program(&text).map_err(Error::PostRender)?,
        None => text,
    };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The values of a record as a user gives them.
pub(super) fn table(config: &Map<String, Json>) -> Table {
    let entries = config.iter();
    entries
        .map(|(key, value)| (key.clone(), Tree::from(value.clone())))
        .collect()
}
